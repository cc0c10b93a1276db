"""Files that several processes share: held by one at a time, and never seen half written.

A hold is the kernel's (``flock``), so it ends with its holder, however that ends.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import gettempdir
from time import monotonic, sleep

from ppr_assets.errors import PprError, PreconditionFailed

_PAUSE_SECONDS = 0.1


class Held(Exception):  # an event between two processes; whoever meets it says what it means
    """Another process holds the file."""


@contextmanager
def held(
    path: Path, *, wait_seconds: float | None = 0.0, shared: bool = False, flags: int = os.O_RDWR
) -> Iterator[int]:
    """Hold ``path``, which is made if needed and stays: to remove it would let two processes hold
    two files of the same name.

    ``shared``: others may hold it so as well. ``wait_seconds``: None for as long as it takes.
    Yields the descriptor. Raises :class:`Held`, and ``OSError`` for what cannot be opened.
    """
    descriptor = os.open(path, flags | os.O_CREAT, 0o644)
    try:
        take(descriptor, wait_seconds=wait_seconds, shared=shared)
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def held_or(busy: PprError, path: Path, *, wait_seconds: float = 0.0) -> Iterator[int]:
    """The same alone; ``busy`` is raised where another process holds it, and not for what the block
    meets."""
    with ExitStack() as stack:
        try:
            descriptor = stack.enter_context(held(path, wait_seconds=wait_seconds))
        except Held:
            raise busy from None
        yield descriptor


def take(descriptor: int, *, wait_seconds: float | None = 0.0, shared: bool = False) -> None:
    """Hold an open file until it is closed; a shared hold becomes the only one. Raises
    :class:`Held`."""
    mode = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    if wait_seconds is None:
        fcntl.flock(descriptor, mode)
        return
    deadline = monotonic() + wait_seconds
    while True:
        try:
            fcntl.flock(descriptor, mode | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if monotonic() >= deadline:
                raise Held from None
        sleep(_PAUSE_SECONDS)


def write_whole(path: Path, text: str, *, beside: Path, mode: int = 0o666) -> None:
    """Put a file at ``path`` with one rename, when it is on the disk as ``beside``. Raises
    ``OSError``; what stood at ``path`` stands there still, and ``beside`` is gone."""
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        with os.fdopen(os.open(beside, flags, mode), "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


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


def sync_file(path: Path) -> None:
    """Have its bytes on the disk, also those that somebody else has written."""
    _sync(path, os.O_RDONLY)


def sync_folder(folder: Path) -> None:
    """Have the names in ``folder`` on the disk: a rename is in memory until then."""
    _sync(folder, os.O_RDONLY | os.O_DIRECTORY)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
