"""The embedded server of the working folder: several verbs may use it, the last one stops it."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ppr_assets.postgres import embedded

LOCAL = Path(".local")
"""Everything that the project makes for itself in the working folder; git-ignored."""

SERVER = "postgres"
"""The server's data folder below :data:`LOCAL`."""


@contextmanager
def server_in_use() -> Iterator[None]:
    """Keep the server of the working folder running for the block, if the block starts it.

    Who leaves last stops it, also when it was started by a process that was killed since. The
    kernel drops a dead process's share of the lock.
    """
    LOCAL.mkdir(parents=True, exist_ok=True)
    with (LOCAL / "users").open("w") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        try:
            yield
        finally:
            if _is_last(users.fileno()):
                embedded.stop(LOCAL / SERVER)


def _is_last(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
