"""The database that a restore is about to replace: what it is now, and whether it may be one."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from ppr_assets.errors import Busy, PreconditionFailed
from ppr_assets.postgres.databases.beside import connect_beside
from ppr_assets.postgres.databases.maintenance import Maintenance
from ppr_assets.postgres.sessions.connection import pinned
from ppr_assets.postgres.sessions.live_sessions import Connection
from ppr_assets.postgres.sessions.pooler import no_other_database
from ppr_assets.rules.wording import few
from ppr_assets.settings import DatabaseSettings

TO_BE_MADE = (
    "a role that may has to make it first (CREATE DATABASE … OWNER …), to be filled in place then; "
    "or ALTER ROLE … CREATEDB lets this one make it."
)
"""What to do where the target is missing, and the role may not make it."""

IN_PLACE_INSTEAD = (
    "--in-place replaces the tables in one transaction instead, during which nobody can read them."
)


class Target(Struct, frozen=True):
    """``bytes`` on the server's disk, None where the role may not look. ``settings`` lead to the
    very server that was asked."""

    settings: DatabaseSettings
    exists: bool
    bytes: int | None


def look_at(settings: DatabaseSettings) -> Target:
    """Ask the server; changes nothing. Raises :class:`DatabaseUnreachable`."""
    with connect_beside(settings) as connection:
        return look_from(connection, pinned(settings, connection))


def look_from(connection: Connection, settings: DatabaseSettings) -> Target:
    """The same in a session that is there."""
    query = (
        "SELECT CASE WHEN pg_catalog.has_database_privilege(oid, 'CONNECT') "
        "THEN pg_catalog.pg_database_size(oid) END FROM pg_catalog.pg_database WHERE datname = %s"
    )
    row = connection.execute(query, [settings.dbname]).fetchone()
    return Target(settings, row is not None, row[0] if row else None)


def require_creator(session: Maintenance, *, instead: str = IN_PLACE_INSTEAD) -> None:
    """Raise :class:`PreconditionFailed` where the role cannot put a new database in place."""
    if not session.is_beside() and session.settings.pooled:
        raise no_other_database(session.settings, hint=f"; {instead}")
    if not session.is_beside():
        raise PreconditionFailed(
            f"role {session.settings.user} may enter neither database postgres nor template1, and "
            "one of them is needed to put another in place",
            hint=f"GRANT CONNECT ON DATABASE postgres lets it be done aside; {instead}",
        )
    if not session.may_create():
        raise PreconditionFailed(
            f"role {session.settings.user} may not create databases",
            hint=f"ALTER ROLE … CREATEDB lets it be done aside; {instead}"
            if session.exists(session.settings.dbname)
            else TO_BE_MADE,
        )


def require_owner(session: Maintenance) -> None:
    """Raise :class:`PreconditionFailed` for a database of others: only its owner may rename it, and
    what is made like it belongs to that role too."""
    name, role = session.settings.dbname, session.settings.user
    if owner := session.foreign_owner(name):
        raise PreconditionFailed(
            f"database {name} belongs to role {owner}, role {role} cannot replace it",
            hint=f"restore as {owner}, or GRANT {owner} TO {role}; nothing was changed.",
        )


def require_unused(session: Maintenance, name: str) -> None:
    """Raise :class:`Busy` naming who is in the database ``name``, and stays."""
    live: Sequence[object] = session.staying(name)
    if live:
        raise Busy(
            f"busy: database {name} is in use: {few(live, 5, between='; ')}",
            hint="end them, or have them ended at the swap with --disconnect; nothing was changed.",
        )
