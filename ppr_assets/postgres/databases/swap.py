"""Put a new database in the place of another one, by their names alone."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic, sleep

import psycopg
from psycopg import sql

from ppr_assets.errors import Busy, RestoreFailed
from ppr_assets.postgres.sessions.connection import milliseconds
from ppr_assets.postgres.sessions.live_sessions import (
    Connection,
    LiveSession,
    kept_out,
    sessions,
    staying,
    terminate,
)
from ppr_assets.rules.wording import few

_PATIENCE_SECONDS = 10.0
"""How long clients that come back at once are ended again."""

ALONE_SECONDS = 0.8
"""How long the database may be locked, and whoever wants to connect has to wait."""

_LOOK_SECONDS = 0.005


def swap(
    connection: Connection,
    helper: Connection | None,
    *,
    target: str,
    new: str,
    former: str,
) -> float:
    """Rename ``target`` to ``former`` and ``new`` to ``target``, in one transaction.

    With ``helper``, a second session of a role that may, sessions on the target are ended right
    before; without it a live session is :class:`Busy`. Returns the seconds for which nobody could
    connect. However this ends, even by ``kill -9``: ``target`` is the old or the new one.
    """
    _require_no_prepared(sessions(connection, target))
    if staying(connection, new):  # who has filled it has left, but not a pooler that it went by
        terminate(connection, new)
    began = monotonic()
    try:
        if helper is None:
            _require_nobody(staying(connection, target), target)
            _rename(connection, target, new, former, seconds=ALONE_SECONDS)
        else:
            _empty(connection, target)
            with kept_out(helper, target):
                _rename_among_clients(connection, target, new, former)
    except (psycopg.errors.ObjectInUse, psycopg.errors.QueryCanceled) as error:
        _require_nobody(sessions(connection, target), target)
        raise Busy(
            f"busy: database {target} could not be renamed: {error.diag.message_primary}",
            hint="run again; the database serves as before.",
        ) from error
    except psycopg.errors.InsufficientPrivilege as error:
        raise _may_not(error, sessions(connection, target), target) from error
    return monotonic() - began


def _rename_among_clients(connection: Connection, target: str, new: str, former: str) -> None:
    """Those who come meanwhile are let in now and then, and ended, so that none waits for long."""
    patience_ends = monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return _rename(connection, target, new, former, seconds=ALONE_SECONDS)
        except (psycopg.errors.ObjectInUse, psycopg.errors.QueryCanceled):
            if monotonic() > patience_ends:
                raise


def _rename(connection: Connection, target: str, new: str, former: str, *, seconds: float) -> None:
    rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
    with connection.transaction():
        # The server itself waits up to 5 s for others to leave, and lets nobody in meanwhile.
        connection.execute(
            "SELECT pg_catalog.set_config('statement_timeout', %s, true)",
            [milliseconds(seconds)],
        )
        query = "SELECT 1 FROM pg_catalog.pg_database WHERE datname = %s"
        if connection.execute(query, [target]).fetchone():
            connection.execute(rename.format(sql.Identifier(target), sql.Identifier(former)))
        connection.execute(rename.format(sql.Identifier(new), sql.Identifier(target)))


def _empty(connection: Connection, name: str) -> None:
    """End all sessions, and give them the moment that they need to be gone."""
    terminate(connection, name)
    patience_ends = monotonic() + 0.2
    while sessions(connection, name) and monotonic() < patience_ends:
        sleep(_LOOK_SECONDS)


def _require_nobody(live: Sequence[LiveSession], name: str) -> None:
    if live:
        raise Busy(
            f"busy: database {name} is in use: {few(live, 5, between='; ')}",
            hint="end them, or have them ended at the swap with --disconnect; the database serves "
            "as before.",
        )


def _may_not(error: psycopg.Error, live: Sequence[LiveSession], name: str) -> RestoreFailed:
    return RestoreFailed(
        f"may not put the new database in place: {error.diag.message_primary}"
        + (f"; in use: {few(live, 5, between='; ')}" if live else ""),
        hint=f"the role must own {name}, and may end sessions only of roles that it is a "
        "member of, or with pg_signal_backend; the database serves as before.",
    )


def _require_no_prepared(live: Sequence[LiveSession]) -> None:
    prepared = [session for session in live if session.pid is None]
    if prepared:
        raise Busy(
            f"busy: {few(prepared, 5, between='; ')}",
            hint="COMMIT PREPARED or ROLLBACK PREPARED it in its database; nothing else ends it.",
        )
