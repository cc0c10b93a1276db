"""Which databases a restore may have as its target, and a dump as its source, by what they are
called; no server is asked."""

from __future__ import annotations

import socket
from ipaddress import ip_address

from ppr_assets.errors import SettingsError
from ppr_assets.postgres.databases.names import LONGEST
from ppr_assets.settings import DatabaseSettings, Secret

_SERVERS_OWN = frozenset({"postgres", "template0", "template1"})


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
    from psycopg.conninfo import conninfo_to_dict

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
