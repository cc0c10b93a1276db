"""How far git is, as its own progress lines say, for whoever looks on."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from time import monotonic
from typing import IO

from ppr_assets.progress import Stage, is_watched, stage

_LINE = re.compile(
    r"(?P<doing>[A-Z][a-z]+) (?P<unit>[a-z]+): +\d+% \((?P<done>\d+)/(?P<total>\d+)\)"
    r"(?:, (?P<bytes>[\d.]+ [A-Za-z]+)(?: \| (?P<speed>[\d.]+ \S+))?)?"
)
"""``Receiving objects:  45% (123/273), 12.34 MiB | 1.20 MiB/s``"""
_PIECE = 64 * 1024
_LONGEST = 200


def progress_option() -> str:
    """For a git that fetches: where nobody looks on, its lines would only stand in its words."""
    return "--progress" if is_watched() else "--quiet"


@contextmanager
def followed(process: subprocess.Popen[bytes], seconds: float) -> Iterator[Callable[[], bytes]]:
    """Read what git writes to stderr while it runs; what is given waits for the end of that for as
    many ``seconds`` as git has, and returns all of it."""
    said, errors = bytearray(), process.stderr
    assert errors is not None  # a pipe
    process.stderr = None  # read here, and by nobody else
    with stage("asking the remote") as going_on:
        listener = Thread(target=_listen, args=(errors, said, going_on), daemon=True)
        listener.start()

        def all_of_it() -> bytes:
            listener.join(seconds)
            return bytes(said)

        yield all_of_it


def _listen(errors: IO[bytes], said: bytearray, going_on: Stage) -> None:
    with errors:
        while piece := errors.read1(_PIECE):  # type: ignore[attr-defined]  # Popen's are buffered
            said += piece
            note(going_on, said[-_LONGEST:].decode("utf-8", "replace"))


def note(going_on: Stage, said: str) -> None:
    """Bring ``going_on`` to what the last line in ``said`` tells, if any does."""
    lines = list(_LINE.finditer(said))
    if not lines:
        return
    told = lines[-1]
    if going_on.what != (what := told["doing"].lower()):
        going_on.what, going_on.began = what, monotonic()
    going_on.unit = told["unit"]
    going_on.done, going_on.total = int(told["done"]), int(told["total"])
    going_on.beside = ", ".join(filter(None, [told["bytes"], told["speed"]]))
