"""Sessions with the server."""

from __future__ import annotations

from typing import Any

import psycopg

from ppr_assets.errors import DatabaseUnreachable
from ppr_assets.settings import DatabaseSettings

APPLICATION_NAME = "ppr_assets"
ENCODING = "UTF8"
"""What sessions and dumps are in, whatever the database's own encoding is, so that a name reads the
same in both, and a dump can be restored into a database of another encoding."""
_CONNECT_TIMEOUT = 15
"""Seconds; a server that is up answers in far less, a firewall that drops packets never does."""


def connect(settings: DatabaseSettings, **options: Any) -> psycopg.Connection[tuple[Any, ...]]:
    """Open a session. ``options`` go to :func:`psycopg.connect`.

    Raises :class:`DatabaseUnreachable` with the server's own words, which hold no password.
    """
    try:
        return psycopg.connect(**parameters(settings), **options)
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
    }
    return {name: value for name, value in given.items() if value is not None}


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


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())
