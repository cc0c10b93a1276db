"""Dagster's own storage, looked at before Dagster does: it tries for long and tells little."""

from __future__ import annotations

from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict

from ppr_assets.errors import DatabaseUnreachable, SettingsError
from ppr_assets.settings import Secret

_CONNECT_TIMEOUT = 15


def require_storage(url: Secret) -> None:
    """Raise :class:`DatabaseUnreachable` if DAGSTER_POSTGRES_URL leads to no database, and
    :class:`SettingsError` if it is no URL."""
    conninfo = url.reveal().replace("postgresql+psycopg2://", "postgresql://", 1)
    try:
        conninfo_to_dict(conninfo)
    except psycopg.ProgrammingError:  # its text quotes the URL, and with it the password
        raise SettingsError(
            "DAGSTER_POSTGRES_URL is set to a value not shown here, must be a URL that libpq reads",
            hint="Write what is special in user and password as %XX: a per cent sign is %25.",
        ) from None
    try:
        psycopg.connect(conninfo, connect_timeout=_CONNECT_TIMEOUT).close()
    except psycopg.OperationalError as error:
        raise DatabaseUnreachable(
            f"no session with Dagster's storage: {' '.join(str(error).split())}",
            hint="is the server of DAGSTER_POSTGRES_URL up, and is its database there? Runs and "
            "lineage are kept in it, so nothing is dumped without it.",
        ) from None


def require_home(home: Path) -> None:
    """Raise :class:`SettingsError` if DAGSTER_HOME is no folder."""
    if not home.is_dir():
        raise SettingsError(
            f"DAGSTER_HOME is `{home}`, must be a folder that is there",
            hint="make it and put this project's dagster.yaml into it, or unset the variable.",
        )
