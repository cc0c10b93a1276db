"""Sessions with the server."""

from __future__ import annotations

from typing import Any

import psycopg

from ppr_assets.errors import DatabaseUnreachable
from ppr_assets.postgres.patience import PatientConnection
from ppr_assets.settings import DatabaseSettings

APPLICATION_NAME = "ppr_assets"
ENCODING = "UTF8"
"""What sessions and dumps are in, whatever the database's own encoding is, so that a name reads the
same in both, and a dump can be restored into a database of another encoding."""
_PINNED = {
    "search_path": "",  # first of all: nothing that we say may mean what somebody else has made
    "statement_timeout": "0",
    "lock_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "default_transaction_read_only": "off",
    "default_transaction_isolation": "read committed",
    "bytea_output": "hex",
    "quote_all_identifiers": "off",
    "standard_conforming_strings": "on",
    "array_nulls": "on",
    "transform_null_equals": "off",
}
_PINNED_SINCE = {14: {"idle_session_timeout": "0"}, 17: {"transaction_timeout": "0"}}
"""Settings of a database or a role (``ALTER … SET``) that would end our work early, or make other
bytes of the same data. Set by statement and not when connecting, as poolers refuse the latter."""

_CONNECT_TIMEOUT = 15
"""Seconds; a server that is up answers in far less, a firewall that drops packets never does."""

_ALIVE = {
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
"""When the other end counts as gone: nothing heard for a minute, in seconds and milliseconds."""


def connect(settings: DatabaseSettings, **options: Any) -> PatientConnection:
    """Open a session, in which nothing that a database or a role is set to changes our work.

    Its search path is empty, so that a name without its schema is one of pg_catalog or of nothing.

    ``options`` go to :func:`psycopg.connect`. Raises :class:`DatabaseUnreachable` with the
    server's own words, which hold no password.
    """
    try:
        given = parameters(settings) | options | {"autocommit": True}
        connection = PatientConnection.connect(**given)
        connection.patience_seconds = settings.patience_seconds
        try:
            connection.execute(pinning_statements(connection.info.server_version))
        except BaseException:
            connection.close()
            raise
        connection.autocommit = options.get("autocommit", False)
        return connection
    except psycopg.OperationalError as error:
        raise DatabaseUnreachable(
            f"no session with {settings.describe()}: {_one_line(error)}",
            hint="is the server up, and are POSTGRES_HOST, _PORT, _USER, _DB and _PASSWORD right? "
            "`ppr-assets doctor` looks at each.",
        ) from None


def parameters(settings: DatabaseSettings) -> dict[str, Any]:
    """Keyword arguments for libpq; the password is among them, so never log this."""
    given = {
        "host": settings.host,
        "port": settings.port,
        "user": settings.user,
        "dbname": settings.dbname,
        "password": settings.require_password().reveal() or None,
        "sslmode": settings.sslmode,
        "application_name": APPLICATION_NAME,
        "client_encoding": ENCODING,
        "connect_timeout": _CONNECT_TIMEOUT,
        **_ALIVE,
    }
    return {name: value for name, value in given.items() if value is not None}


def alive_options() -> list[str]:
    """The same for the command line of pg_dump or psql: libpq knows no variables for these."""
    return ["--dbname", " ".join(f"{name}={value}" for name, value in _ALIVE.items())]


def client_environment(settings: DatabaseSettings) -> dict[str, str]:
    """Variables that tell pg_dump or psql where to go; the password stays out of argv this way."""
    given = {
        "PGHOST": settings.host,
        "PGPORT": str(settings.port),
        "PGUSER": settings.user,
        "PGDATABASE": settings.dbname,
        "PGPASSWORD": settings.require_password().reveal() or None,
        "PGSSLMODE": settings.sslmode,
        "PGAPPNAME": APPLICATION_NAME,
        "PGCLIENTENCODING": ENCODING,
        "PGTZ": "UTC",  # a server elsewhere writes the same moments otherwise, and so other bytes
        "PGCONNECT_TIMEOUT": str(_CONNECT_TIMEOUT),
    }
    return {name: value for name, value in given.items() if value is not None}


def pinned_environment(settings: DatabaseSettings) -> dict[str, str]:
    """:func:`client_environment` for pg_dump, which shall work as our own sessions do.

    The options that this may take are given only where something is set otherwise, as poolers
    refuse them; the search path is emptied by pg_dump itself, first of all. Raises
    :class:`DatabaseUnreachable`.
    """
    with connect(settings, autocommit=True) as connection:
        wanted = _pinned(connection.info.server_version)
        del wanted["search_path"]
        rows = connection.execute(
            "SELECT name, reset_val FROM pg_catalog.pg_settings WHERE name = ANY(%s)",
            [list(wanted)],
        )
        other = [name for name, value in rows if value != wanted[name]]
        given = [connection.info.options] if connection.info.options else []
    options = [f"-c {name}={wanted[name]}".replace("read ", "read\\ ") for name in sorted(other)]
    own = {"PGOPTIONS": " ".join([*given, *options])} if other else {}
    return client_environment(settings) | own


def pinning_statements(server_version: int) -> bytes:
    """What each session begins with, also one that psql opens."""
    wanted = _pinned(server_version) | {"DateStyle": "ISO"}  # the only one that the driver reads
    return "".join(f"SET {name} TO '{value}';" for name, value in wanted.items()).encode()


def _pinned(server_version: int) -> dict[str, str]:
    later = [more for since, more in _PINNED_SINCE.items() if server_version >= since * 10000]
    return _PINNED | {name: value for more in later for name, value in more.items()}


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())
