"""What may stand between us and the server: a pooler, which has to give us sessions of our own.

One that shares them between transactions would keep our locks when we are gone, and what we set
would hold for whoever comes next.
"""

from __future__ import annotations

import select
from collections.abc import Sequence
from time import monotonic
from typing import Any

import psycopg
from psycopg import pq

from ppr_assets.errors import PreconditionFailed
from ppr_assets.settings import DatabaseSettings

BEHIND_A_POOLER = (
    "a pooler answers there, which may know only the databases that are listed in it: "
    "PPR_DIRECT_HOST and PPR_DIRECT_PORT name the server itself, and SQL_DUMP_PROOF=embedded "
    "proves dumps without other databases of it."
)

NONE_FREE = (
    "a run needs at least six sessions at a time (default_pool_size of the pooler, pool_size of a "
    "database); PPR_DIRECT_HOST and PPR_DIRECT_PORT name the server itself."
)

_PID = b"SELECT pg_catalog.pg_backend_pid()"
_PATIENCE_SECONDS = 5.0

Connection = psycopg.Connection[tuple[Any, ...]]


def no_other_database(settings: DatabaseSettings, *, hint: str) -> PreconditionFailed:
    """The error of what makes databases beside this one, where a pooler knows no other."""
    return PreconditionFailed(
        f"a pooler is at {settings.describe()} and knows no other database, and one has to be made "
        "beside it",
        hint=f"PPR_DIRECT_HOST and PPR_DIRECT_PORT name the server itself{hint}",
    )


def refused_options(settings: DatabaseSettings, names: Sequence[str]) -> PreconditionFailed:
    """The error where settings have to be given to pg_dump, and the pooler takes none."""
    return PreconditionFailed(
        f"a pooler is at {settings.describe()} and does not pass on settings, but "
        f"{', '.join(names)} would change what pg_dump writes",
        hint="PPR_DIRECT_HOST and PPR_DIRECT_PORT name the server itself; or let the role begin "
        f"with other values (ALTER ROLE {settings.user} SET {names[0]} TO …).",
    )


def is_pooled(connection: Connection, pid: int) -> bool:
    """Whether the process that serves, ``pid``, is another than the one that said so at first: a
    pooler tells a number of its own there."""
    return connection.info.backend_pid != pid


def require_own_sessions(first: Connection, second: Connection, settings: DatabaseSettings) -> None:
    """Raise :class:`PreconditionFailed` where one server's session serves both by turns.

    ``second`` holds a transaction open meanwhile, so that ``first`` has to get another one, if it
    had not one for itself.
    """
    before = _answer(first, _PID)
    held = _answer(second, b"BEGIN; " + _PID)
    after = _answer(first, _PID)
    _answer(second, b"ROLLBACK")
    if before == after and held not in (before, b""):
        return
    raise PreconditionFailed(
        f"{settings.describe()} is a pooler that gives no session of its own to each client: dumps "
        "and restores need some, and would leave locks and settings in those of others",
        hint="PPR_DIRECT_HOST and PPR_DIRECT_PORT name the server itself; or set the pooler to "
        "sessions (pool_mode=session, at least six of them) for this role.",
    )


def _answer(connection: Connection, statements: bytes) -> bytes:
    """The value that the last of them gives; nothing if the pooler refuses or lets us wait."""
    try:
        return _value(connection.pgconn, statements)
    except psycopg.OperationalError:  # it has closed the session, which is what it says of BEGIN
        return b""


def _value(server: pq.abc.PGconn, statements: bytes) -> bytes:
    server.send_query(statements)
    server.flush()
    deadline = monotonic() + _PATIENCE_SECONDS
    value = b""
    while True:
        while server.is_busy():
            if not select.select([server.socket], [], [], max(0.0, deadline - monotonic()))[0]:
                return b""
            server.consume_input()
        result = server.get_result()
        if result is None:
            return value
        value = b""
        if result.status == pq.ExecStatus.TUPLES_OK:
            value = result.get_value(0, 0) or b""
