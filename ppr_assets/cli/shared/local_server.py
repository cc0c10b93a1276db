"""The embedded server of the working folder: several verbs may use it, the last one stops it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ppr_assets.files import Held, held, take

LOCAL = Path(".local")
"""Everything that the project makes for itself in the working folder; git-ignored."""

SERVER = "postgres"
"""The server's data folder below :data:`LOCAL`."""


@contextmanager
def server_in_use() -> Iterator[None]:
    """Keep the server of the working folder running for the block, if the block starts it.

    Who leaves last stops it, also when it was started by a process that was killed since.
    """
    from ppr_assets.postgres import embedded  # a night on servers of one's own needs none of it

    LOCAL.mkdir(parents=True, exist_ok=True)
    with held(LOCAL / "users", shared=True, wait_seconds=None) as users:
        try:
            yield
        finally:
            with suppress(Held):  # others use it still
                take(users)
                embedded.stop(LOCAL / SERVER)
