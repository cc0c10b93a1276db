"""Two consoles: facts go to stdout, progress and remarks to stderr, decoration to terminals only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


@contextmanager
def progress(what: str) -> Iterator[None]:
    """A moving line on a live terminal, nothing anywhere else."""
    if err.is_terminal:
        with err.status(what):
            yield
    else:
        yield


def size(count: int) -> str:
    """Bytes for a human: ``812 B``, ``6.7 MiB``."""
    amount = float(count)
    for unit in ("B", "KiB", "MiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.2f} GiB"
