"""A session with a server from beside a database.

It is connected to the database ``postgres``, or ``template1`` where that is not to be had.
"""

from __future__ import annotations

from dataclasses import replace

from ppr_assets.errors import DatabaseUnreachable, PreconditionFailed
from ppr_assets.postgres.sessions.connection import Session, connect, require_named
from ppr_assets.postgres.sessions.live_sessions import Connection
from ppr_assets.settings import DatabaseSettings


def connect_beside(settings: DatabaseSettings, *, home: str = "") -> Session:
    """A session with the target's server, in a database that is there for this, unless it is the
    one to be renamed; the target need not exist.

    A role that may enter none of those gets one at ``home``. That is the target itself if not
    given, which can then be filled in place, and not replaced. Raises
    :class:`DatabaseUnreachable` with the first refusal, and :class:`PreconditionFailed` for a host
    that is not the one that was named, or one of several.
    """
    if "," in settings.host:
        raise PreconditionFailed(
            f"POSTGRES_HOST names several servers ({settings.host}), and one is needed to make or "
            "replace databases",
            hint="set it to that one; nothing was changed.",
        )
    homes = [name for name in ("postgres", "template1") if name != settings.dbname]
    refused: list[DatabaseUnreachable] = []
    for name in (*homes, home or settings.dbname):
        try:
            session = connect(replace(settings, dbname=name), autocommit=True)
        except DatabaseUnreachable as error:
            refused.append(error)
            continue
        try:
            require_named(settings, session)
        except BaseException:
            session.close()
            raise
        return session
    raise refused[0]


def is_beside(connection: Connection, target: str) -> bool:
    """Whether the session is in another database than ``target``, so that it may be replaced."""
    return connection.info.dbname != target


def may_create(connection: Connection) -> bool:
    """Whether the role of this session may make databases; on a standby nobody may."""
    row = connection.execute(
        "SELECT (rolcreatedb OR rolsuper) AND NOT pg_catalog.pg_is_in_recovery() "
        "FROM pg_catalog.pg_roles WHERE rolname = current_user"
    ).fetchone()
    return bool(row and row[0])
