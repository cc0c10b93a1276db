"""One run at a time in the data repository, by a lock that the kernel drops when a run dies."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.errors import Busy, DataRepoError
from ppr_assets.files import Held, held


@contextmanager
def data_repo_lock(repo: DataRepo, *, wait_seconds: float = 0.0) -> Iterator[None]:
    """Hold the data repository's lock; raises :class:`Busy` when another run keeps it, and
    :class:`DataRepoError` where nothing can be written.

    It is ours alone: git and the publisher know nothing of it.
    """
    path = repo.state_dir / "lock"
    with ExitStack() as stack:
        try:
            path.parent.mkdir(exist_ok=True)
            descriptor = stack.enter_context(held(path, wait_seconds=wait_seconds))
        except Held:
            raise Busy(
                f"another run holds the data repository: {_holder(path)}",
                hint="run again when it is done; a run that was killed holds nothing.",
            ) from None
        except OSError as error:
            raise DataRepoError(
                f"cannot write in the data repository: `{path}`: {error.strerror}",
                hint="does the clone belong to the user who runs this, and is its disk writable?",
            ) from error
        os.ftruncate(descriptor, 0)
        since = datetime.now(UTC).isoformat(timespec="seconds")
        os.pwrite(descriptor, json.dumps({"pid": os.getpid(), "since": since}).encode(), 0)
        yield
        os.ftruncate(descriptor, 0)


def _holder(path: Path) -> str:
    """Who wrote the file last; it may have just been taken and not be written yet."""
    try:
        told = json.loads(path.read_bytes())
        return f"process {told['pid']} since {told['since']}"
    except (ValueError, KeyError, TypeError):
        return "a process that started this moment"
