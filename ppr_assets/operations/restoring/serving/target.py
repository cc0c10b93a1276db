"""The database that a restore is about to replace: what it is now, and whether it may be one."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from psycopg.conninfo import conninfo_to_dict

from ppr_assets.errors import Busy, PreconditionFailed, SettingsError
from ppr_assets.postgres.databases.beside import connect_beside
from ppr_assets.postgres.databases.maintenance import Maintenance
from ppr_assets.postgres.databases.names import LONGEST
from ppr_assets.postgres.sessions.connection import pinned
from ppr_assets.postgres.sessions.live_sessions import Connection
from ppr_assets.postgres.sessions.pooler import no_other_database
from ppr_assets.rules.wording import few
from ppr_assets.settings import DatabaseSettings, Secret

TO_BE_MADE = (
    "a role that may has to make it first (CREATE DATABASE … OWNER …), to be filled in place then; "
    "or ALTER ROLE … CREATEDB lets this one make it."
)
"""What to do where the target is missing, and the role may not make it."""

IN_PLACE_INSTEAD = (
    "--in-place replaces the tables in one transaction instead, during which nobody can read them."
)

_SERVERS_OWN = frozenset({"postgres", "template0", "template1"})


@dataclass(frozen=True)
class Target:
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


def require_ordinary(name: str) -> None:
    """Raise :class:`SettingsError` for a database that the server itself or its tools need, and for
    a name that the server would cut: it is then the name of another database."""
    size = len(name.encode())
    if size > LONGEST:
        raise SettingsError(
            f"the name of database {name} has {size} bytes, at most {LONGEST} needed: the server "
            "would cut it and take another database",
            hint="set a shorter POSTGRES_DB (TESTING=true adds `_test` to it), or give a shorter "
            "name with --into.",
        )
    if name in _SERVERS_OWN:
        raise SettingsError(
            f"database {name} belongs to the server itself, so nothing is restored there",
            hint="set POSTGRES_DB, or give another name with --into; it need not exist.",
        )


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


def require_not_storage(target: DatabaseSettings, storage: Secret | None) -> None:
    """Raise :class:`SettingsError` if ``target`` is the database at the URL ``storage``, in which
    Dagster keeps its runs: a restore would replace the history that it is itself told in."""
    if storage and _is_at(target, storage):
        raise SettingsError(
            f"database {target.dbname} is the one that Dagster keeps its runs in, by "
            "DAGSTER_POSTGRES_URL, so no dump is restored there",
            hint="set POSTGRES_DB to the database of the records, or give a name with --into.",
        )


def require_apart(dumped: DatabaseSettings, storage: Secret | None) -> None:
    """Raise :class:`SettingsError` if the database to dump is the one at the URL ``storage``: its
    runs and logs would be published, and no night would find it unchanged."""
    if storage and _is_at(dumped, storage):
        raise SettingsError(
            f"database {dumped.dbname} is the one that Dagster keeps its runs in, by "
            "DAGSTER_POSTGRES_URL, so it is not dumped: runs and logs would be published",
            hint="give Dagster a database of its own (`CREATE DATABASE dagster`), and name that in "
            "DAGSTER_POSTGRES_URL.",
        )


def _is_at(database: DatabaseSettings, url: Secret) -> bool:
    scheme, _, rest = url.reveal().partition("://")
    found = conninfo_to_dict(f"{scheme.partition('+')[0]}://{rest}")
    same_name = (found.get("dbname") or found.get("user")) == database.dbname
    port = str(found.get("port") or 5432)
    hosts = str(found.get("hostaddr") or found.get("host") or "").split(",")
    ours = [(database.host, database.port), database.named or (database.host, database.port)]
    return same_name and any(
        port == str(our_port) and _same_machine(host, our_host)
        for host in hosts
        for our_host, our_port in ours
    )


def _same_machine(host: str, other: str) -> bool:
    """Whether two names of hosts have an address in common. One that nobody knows has none, so it
    is the same as itself only."""
    return host == other or not _addresses(host).isdisjoint(_addresses(other))


def _addresses(host: str) -> frozenset[str]:
    """A folder, and no name at all, is a socket of this machine, as all its loopback addresses."""
    here = "localhost" if not host or host.startswith(("/", "@")) else host
    try:
        found = {str(address[4][0]) for address in socket.getaddrinfo(here, None)}
    except OSError:
        return frozenset()
    local = any(ip_address(address.partition("%")[0]).is_loopback for address in found)
    return frozenset(found | {"localhost"} if local else found)
