"""How far long work is: noted by what does it, read by whoever looks on in this process.

Nobody does but a terminal (:mod:`ppr_assets.cli.shared.console`), so noting costs an addition and
asks for nothing: no callback goes through the layers for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from time import monotonic

from msgspec import Struct, field


class Stage(Struct, eq=False):
    """``done`` of ``total`` (None: nobody knows), in bytes, or in what ``unit`` says. ``about``:
    the total is a guess. ``beside``: more to be told; ``then``: what is done behind the last of it.
    """

    what: str
    total: int | None = None
    unit: str = ""
    about: bool = False
    beside: str = ""
    then: str = ""
    done: int = 0
    began: float = field(default_factory=monotonic)


_going_on: list[Stage] = []
_watching: list[object] = []


@contextmanager
def stage(
    what: str, total: int | None = None, unit: str = "", *, about: bool = False, then: str = ""
) -> Iterator[Stage]:
    """From here to the block's end this is what the process is at; a stage that is begun within is
    shown instead of it, as long as that goes on."""
    begun = Stage(what, total, unit, about=about, then=then)
    _going_on.append(begun)
    try:
        yield begun
    finally:
        _going_on.remove(begun)


def current() -> Stage | None:
    """The stage that was begun last and goes on."""
    return _going_on[-1] if _going_on else None


@contextmanager
def watched() -> Iterator[None]:
    """Within it somebody looks on, so that programs that tell how far they are may be asked to."""
    _watching.append(one := object())
    try:
        yield
    finally:
        _watching.remove(one)


def is_watched() -> bool:
    return bool(_watching)


def counted(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The chunks, each counted for the current stage once it was worked on."""
    for chunk in chunks:
        yield chunk
        if going_on := current():
            going_on.done += len(chunk)
