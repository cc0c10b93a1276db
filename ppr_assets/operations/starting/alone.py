"""A session with a server that may still be starting, while no other process fills the database."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from time import sleep

import psycopg

from ppr_assets.deadline import Deadline
from ppr_assets.errors import Busy, DatabaseUnreachable
from ppr_assets.postgres.databases.beside import connect_beside
from ppr_assets.postgres.sessions.connection import Session
from ppr_assets.postgres.sessions.failures import server_failures
from ppr_assets.postgres.sessions.session import WITHOUT_LIMITS, prepare
from ppr_assets.settings import DatabaseSettings

_AGAIN_SECONDS = 0.5


@contextmanager
def alone(target: DatabaseSettings, patience: Deadline, busy_seconds: float) -> Iterator[Session]:
    """A session with the server, as soon as it is up, while no other process does the same."""
    connection = _awaited(target, patience)
    with server_failures(target.describe(), "filling the database"), connection:
        limits = WITHOUT_LIMITS | {"lock_timeout": f"{round(busy_seconds * 1000)}ms"}
        prepare(connection, limits, local=False)
        try:
            number = lock_number(target.dbname)
            connection.execute("SELECT pg_catalog.pg_advisory_lock(%s)", [number])
        except psycopg.errors.LockNotAvailable as error:
            raise Busy(
                f"busy: another process fills database {target.dbname}, and has not done so "
                f"within {busy_seconds:g} s",
                hint="run again when it is done; nothing was changed here.",
            ) from error
        yield connection


def _awaited(target: DatabaseSettings, patience: Deadline) -> Session:
    while True:
        try:
            return connect_beside(target)
        except DatabaseUnreachable as error:
            if patience.remaining() == 0:
                raise DatabaseUnreachable(
                    f"{error.message} (asked again for {patience.seconds:g} s)", hint=error.hint
                ) from error
        sleep(min(_AGAIN_SECONDS, patience.remaining()))


def lock_number(target: str) -> int:
    """The advisory lock of all that fill ``target`` at a start; restores have another one."""
    digest = hashlib.sha256(b"ppr_assets init " + target.encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
