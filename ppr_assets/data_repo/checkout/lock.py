"""One run at a time in the data repository, by a lock that the kernel drops when a run dies."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from time import monotonic, sleep

from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.errors import Busy, DataRepoError

_PAUSE_SECONDS = 0.1


@contextmanager
def data_repo_lock(repo: DataRepo, *, wait_seconds: float = 0.0) -> Iterator[None]:
    """Hold the data repository's lock; raises :class:`Busy` when another run keeps it, and
    :class:`DataRepoError` where nothing can be written.

    It is ours alone: git and the publisher know nothing of it. The file stays, since removing it
    would let two runs lock two files of the same name.
    """
    path = repo.state_dir / "lock"
    deadline = monotonic() + wait_seconds
    try:
        path.parent.mkdir(exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise DataRepoError(
            f"cannot write in the data repository: `{path}`: {error.strerror}",
            hint="does the clone belong to the user who runs this, and is its disk writable?",
        ) from error
    try:
        while not _taken(descriptor):
            if monotonic() >= deadline:
                raise Busy(
                    f"another run holds the data repository: {_holder(descriptor)}",
                    hint="run again when it is done; a run that was killed holds nothing.",
                )
            sleep(_PAUSE_SECONDS)
        os.ftruncate(descriptor, 0)
        since = datetime.now(UTC).isoformat(timespec="seconds")
        os.pwrite(descriptor, json.dumps({"pid": os.getpid(), "since": since}).encode(), 0)
        yield
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(descriptor: int) -> str:
    """Who wrote the file last; it may have just been taken and not be written yet."""
    try:
        told = json.loads(os.pread(descriptor, 1000, 0))
        return f"process {told['pid']} since {told['since']}"
    except (ValueError, KeyError, TypeError):
        return "a process that started this moment"
