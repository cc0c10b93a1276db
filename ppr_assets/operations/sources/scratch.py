"""Folders for what is needed during one run only; those of killed runs go with the next one.

Beside each stands a lock file, which is there before the folder and goes after it: a kill at any
moment leaves what the next run finds, unlocked. The kernel unlocks it when its process dies.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkstemp

from ppr_assets.files import Held, take

_LOCK = ".lock"
_OF_A_SERVER = "postmaster.pid"


@contextmanager
def scratch_folder(parent: Path) -> Iterator[Path]:
    """An empty folder below ``parent``, removed at the end. ``parent`` is made when missing.

    Folders that nobody uses any more are removed first, and servers that run in one are stopped.
    """
    parent.mkdir(parents=True, exist_ok=True)
    for left in parent.glob(f"*{_LOCK}"):
        _sweep(left)
    descriptor, lock = _locked_file(parent)
    try:
        folder = lock.with_suffix("")
        folder.mkdir(mode=0o700)
        yield folder
    finally:
        try:
            _remove(lock)
        finally:
            os.close(descriptor)


def _locked_file(parent: Path) -> tuple[int, Path]:
    while True:
        descriptor, name = mkstemp(dir=parent, suffix=_LOCK)
        take(descriptor, wait_seconds=None)
        if _is_there(descriptor):
            return descriptor, Path(name)
        os.close(descriptor)  # another run has met it unlocked, and swept it


def _sweep(lock: Path) -> None:
    try:
        descriptor = os.open(lock, os.O_RDWR)
    except FileNotFoundError:
        return
    try:
        with suppress(Held):  # its run goes on
            take(descriptor)
            if _is_there(descriptor):
                _remove(lock)
    finally:
        os.close(descriptor)


def _is_there(descriptor: int) -> bool:
    """Whether the file still has its name, after its lock was taken."""
    return os.fstat(descriptor).st_nlink > 0


def _remove(lock: Path) -> None:
    """A killed drill leaves its server running, in a scratch folder of its own within the one of
    the run as a whole."""
    folder = lock.with_suffix("")
    if folder.exists():
        for pid_file in folder.rglob(_OF_A_SERVER):
            _stop_server(pid_file.parent)
        shutil.rmtree(folder)
    lock.unlink()


def _stop_server(data_folder: Path) -> None:
    """Loads what servers need only here: who looks for a dump seldom meets one."""
    from ppr_assets.postgres import embedded

    embedded.stop(data_folder)
