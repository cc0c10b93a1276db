"""Folders for what is needed during one run only; those of killed runs go with the next one."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

_LOCK = ".in_use"


@contextmanager
def scratch_folder(parent: Path, *, end: Callable[[Path], object] | None = None) -> Iterator[Path]:
    """An empty folder below ``parent``, removed at the end. ``parent`` is made when missing.

    Folders that nobody uses any more are removed first; ``end`` is called before a folder goes,
    to stop what may still run in it.
    """
    parent.mkdir(parents=True, exist_ok=True)
    for left in parent.iterdir():
        _sweep(left, end)
    folder = Path(mkdtemp(dir=parent))
    descriptor = _lock(folder)
    try:
        yield folder
    finally:
        try:
            if end is not None:
                end(folder)
            shutil.rmtree(folder)
        finally:
            os.close(descriptor)


def _sweep(folder: Path, end: Callable[[Path], object] | None) -> None:
    if not (folder / _LOCK).exists():  # another run is just making it, or it is none of ours
        return
    descriptor = os.open(folder / _LOCK, os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    else:
        if end is not None:
            end(folder)
        shutil.rmtree(folder)
    finally:
        os.close(descriptor)


def _lock(folder: Path) -> int:
    """The kernel lets go of it when the process dies, however it dies."""
    descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor
