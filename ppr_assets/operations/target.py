"""The database that a restore is about to replace, as it is now."""

from __future__ import annotations

from dataclasses import dataclass

from ppr_assets.postgres.databases import connect_beside
from ppr_assets.postgres.databases.sessions import Connection
from ppr_assets.settings import DatabaseSettings


@dataclass(frozen=True)
class Target:
    """``bytes`` on the server's disk, None where the role may not look."""

    name: str
    exists: bool
    bytes: int | None


def look_at(settings: DatabaseSettings) -> Target:
    """Ask the server; changes nothing. Raises :class:`DatabaseUnreachable`."""
    with connect_beside(settings) as connection:
        return look_from(connection, settings.dbname)


def look_from(connection: Connection, name: str) -> Target:
    """The same in a session that is there."""
    query = (
        "SELECT CASE WHEN has_database_privilege(oid, 'CONNECT') THEN pg_database_size(oid) END "
        "FROM pg_catalog.pg_database WHERE datname = %s"
    )
    row = connection.execute(query, [name]).fetchone()
    return Target(name, row is not None, row[0] if row else None)
