"""Where, as whom and how we connect, as libpq gets it: our own sessions, pg_dump and psql alike.

Nothing else decides: libpq's own variables are taken out of the environment.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ppr_assets.settings import DatabaseSettings

APPLICATION_NAME = "ppr_assets"
ENCODING = "UTF8"
"""What sessions and dumps are in, whatever the database's own encoding is, so that a name reads the
same in both, and a dump can be restored into a database of another encoding."""
CONNECT_TIMEOUT = 15
"""Seconds; a server that is up answers in far less, a firewall that drops packets never does."""

_NOWHERE = Path(os.devnull, "none")
"""A file that cannot be: the password is given, so none is looked for in ``~/.pgpass``."""


_ALIVE = {
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
"""When the other end counts as gone: nothing heard for a minute, in seconds and milliseconds."""


def parameters(settings: DatabaseSettings) -> dict[str, Any]:
    """Keyword arguments for libpq; the password is among them, so never log this."""
    return _given(settings) | _ALIVE


def alive_options() -> list[str]:
    """The same for the command line of pg_dump or psql: libpq knows no variables for these."""
    return ["--dbname", " ".join(f"{name}={value}" for name, value in _ALIVE.items())]


def _given(settings: DatabaseSettings) -> dict[str, Any]:
    given = {
        "host": settings.host,
        "hostaddr": settings.hostaddr,
        "port": settings.port,
        "user": settings.user,
        "dbname": settings.dbname,
        "password": settings.require_password().reveal() or None,
        "passfile": str(_NOWHERE),
        "sslmode": settings.sslmode,
        "sslrootcert": settings.sslrootcert,
        "sslcert": settings.sslcert,
        "sslkey": settings.sslkey,
        "application_name": APPLICATION_NAME,
        "client_encoding": ENCODING,
        "connect_timeout": CONNECT_TIMEOUT,
    }
    return {name: value for name, value in given.items() if value is not None}


_VARIABLES = {
    "dbname": "PGDATABASE",
    "application_name": "PGAPPNAME",
    "client_encoding": "PGCLIENTENCODING",
    "connect_timeout": "PGCONNECT_TIMEOUT",
}
"""Parameters whose variable is not PG and their own name."""


def client_environment(settings: DatabaseSettings) -> dict[str, str]:
    """Variables that tell pg_dump or psql where to go; the password stays out of argv this way."""
    given = {
        _VARIABLES.get(name, f"PG{name.upper()}"): str(value)
        for name, value in _given(settings).items()
    }
    return given | {"PGTZ": "UTC"}  # elsewhere the same moments are written in other bytes
