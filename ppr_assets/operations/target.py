"""The database that a restore is about to replace: what it is now, and whether it may be one."""

from __future__ import annotations

from dataclasses import dataclass

from psycopg.conninfo import conninfo_to_dict

from ppr_assets.errors import SettingsError
from ppr_assets.postgres.databases import connect_beside
from ppr_assets.postgres.databases.sessions import Connection
from ppr_assets.settings import DatabaseSettings, Secret

_SERVERS_OWN = frozenset({"postgres", "template0", "template1"})


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


def require_ordinary(name: str) -> None:
    """Raise :class:`SettingsError` for a database that the server itself or its tools need."""
    if name in _SERVERS_OWN:
        raise SettingsError(
            f"database {name} belongs to the server itself, so nothing is restored there",
            hint="set POSTGRES_DB, or give another name with --into; it need not exist.",
        )


def require_not_storage(target: DatabaseSettings, storage: Secret | None) -> None:
    """Raise :class:`SettingsError` if ``target`` is the database at the URL ``storage``, in which
    Dagster keeps its runs: a restore would replace the history that it is itself told in."""
    if not storage:
        return
    scheme, _, rest = storage.reveal().partition("://")
    found = conninfo_to_dict(f"{scheme.partition('+')[0]}://{rest}")
    where = (str(found.get("host", "")), str(found.get("port", "5432")))
    if found.get("dbname") == target.dbname and where == (target.host, str(target.port)):
        raise SettingsError(
            f"database {target.dbname} is the one that Dagster keeps its runs in, by "
            "DAGSTER_POSTGRES_URL, so no dump is restored there",
            hint="set POSTGRES_DB to the database of the records, or give a name with --into.",
        )
