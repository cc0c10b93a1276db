"""Who is in a database, and how they are shown the door."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from time import monotonic, sleep
from typing import LiteralString, NamedTuple

import psycopg

from ppr_assets.postgres.sessions.patience import PatientConnection

Connection = PatientConnection

# A server's own workers belong to no user; the server stops them itself where they are in the way.
_SESSIONS: LiteralString = """
SELECT pid, usename::pg_catalog.text, coalesce(application_name, ''),
  client_addr::pg_catalog.text, backend_start, ''
FROM pg_catalog.pg_stat_activity
WHERE datname = %(name)s AND pid <> pg_catalog.pg_backend_pid() AND usesysid IS NOT NULL
UNION ALL
SELECT NULL, owner::pg_catalog.text, '', NULL, prepared, gid
FROM pg_catalog.pg_prepared_xacts WHERE database = %(name)s
ORDER BY 5, 1
"""

_TERMINATE: LiteralString = """
SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity
WHERE datname = %s AND pid <> pg_catalog.pg_backend_pid() AND usesysid IS NOT NULL
"""

_AGAIN_SECONDS = 0.02
_LEAVING_SECONDS = 1.0
"""A session is there for a moment after its client has closed it; on a busy server it lasts."""


class LiveSession(NamedTuple):
    """A session, or a prepared transaction, which has no process and outlives its session."""

    pid: int | None
    user: str
    application: str
    address: str | None
    since: datetime | None
    prepared: str = ""

    def __str__(self) -> str:
        since = f" since {self.since:%Y-%m-%d %H:%M:%S %Z}" if self.since else ""
        if self.pid is None:
            return f"prepared transaction {self.prepared} of {self.user}{since}"
        name = f" ({self.application})" if self.application else ""
        where = self.address or "this machine"
        return f"session {self.pid} of {self.user}{name} from {where}{since}"


def sessions(connection: Connection, name: str) -> Sequence[LiveSession]:
    """Everybody in database ``name`` but ``connection`` itself."""
    return [LiveSession(*row) for row in connection.execute(_SESSIONS, {"name": name})]


def staying(connection: Connection, name: str) -> Sequence[LiveSession]:
    """The same, once those who are just leaving have left."""
    deadline = monotonic() + _LEAVING_SECONDS
    while (live := sessions(connection, name)) and monotonic() < deadline:
        sleep(_AGAIN_SECONDS)
    return live


def terminate(connection: Connection, name: str) -> None:
    """End every session in ``name``, once. Raises psycopg's error when the role may not."""
    connection.execute(_TERMINATE, [name])


@contextmanager
def kept_out(connection: Connection, name: str) -> Iterator[None]:
    """End the sessions in ``name`` again and again, over ``connection``, while the block runs.

    A client may be back before its database is locked against it, and the statement that holds
    the lock waits until nobody is left.
    """
    over = threading.Event()
    failures: list[psycopg.Error] = []

    def watch() -> None:
        while not over.wait(_AGAIN_SECONDS):
            try:
                terminate(connection, name)
            except psycopg.Error as error:
                failures.append(error)
                return

    watcher = threading.Thread(target=watch, name="terminate")
    watcher.start()
    try:
        yield
    except psycopg.Error as error:
        over.set()
        watcher.join()
        if failures:  # they could not be ended, which is why
            raise failures[0] from error
        raise
    finally:  # what the block has done, it has done, whatever became of the sessions
        over.set()
        watcher.join()
