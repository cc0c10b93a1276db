"""Folders for what is needed during one run only; those of killed runs go with the next one."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import gettempdir, mkdtemp

from ppr_assets.errors import PreconditionFailed
from ppr_assets.postgres import embedded
from ppr_assets.postgres.embedded.postmaster import PID_FILE

_LOCK = ".in_use"


@contextmanager
def scratch_folder(parent: Path) -> Iterator[Path]:
    """An empty folder below ``parent``, removed at the end. ``parent`` is made when missing.

    Folders that nobody uses any more are removed first, and servers that run in one are stopped.
    """
    parent.mkdir(parents=True, exist_ok=True)
    for left in parent.iterdir():
        _sweep(left)
    folder = Path(mkdtemp(dir=parent))
    descriptor = _lock(folder)
    try:
        yield folder
    finally:
        try:
            _remove(folder)
        finally:
            os.close(descriptor)


def temporary() -> Path:
    """A folder below the system's own for such things, of this user alone."""
    folder = Path(gettempdir()) / f"ppr_assets-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        raise PreconditionFailed(
            f"`{folder}` belongs to somebody else",
            hint="remove it, or set TMPDIR to a folder of yours.",
        )
    return folder


def _sweep(folder: Path) -> None:
    try:
        descriptor = os.open(folder / _LOCK, os.O_RDWR)
    except (FileNotFoundError, NotADirectoryError):
        return  # another run is just making or removing it, or it is none of ours
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    else:
        if (folder / _LOCK).exists():  # no other run has swept it while this one opened the lock
            _remove(folder)
    finally:
        os.close(descriptor)


def _remove(folder: Path) -> None:
    """A killed drill leaves its server running, in a scratch folder of its own within the one of
    the run as a whole."""
    for pid_file in folder.rglob(PID_FILE):
        embedded.stop(pid_file.parent)
    shutil.rmtree(folder)


def _lock(folder: Path) -> int:
    """The kernel lets go of it when the process dies, however it dies.

    It has its name only once it is held: a run that sweeps must not meet it free.
    """
    unnamed = folder / f"{_LOCK}.new"
    descriptor = os.open(unnamed, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    unnamed.rename(folder / _LOCK)
    return descriptor
