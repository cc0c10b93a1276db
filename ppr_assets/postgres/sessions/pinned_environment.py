"""What pg_dump gets in its environment, so that it works as our own sessions do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import LiteralString

import psycopg

from ppr_assets.errors import PreconditionFailed
from ppr_assets.postgres.sessions.connection import (
    Session,
    connect,
    opened,
    pinned,
    pinned_settings,
)
from ppr_assets.postgres.sessions.libpq import APPLICATION_NAME, client_environment
from ppr_assets.postgres.sessions.pooler import refused_options
from ppr_assets.settings import DatabaseSettings

_MONEY: LiteralString = """
SELECT EXISTS (
  SELECT FROM pg_catalog.pg_attribute WHERE NOT attisdropped AND attrelid >= 16384
  AND atttypid IN ('pg_catalog.money'::pg_catalog.regtype, 'pg_catalog.money[]'::pg_catalog.regtype)
) OR EXISTS (
  SELECT FROM pg_catalog.pg_type
  WHERE typbasetype IN
    ('pg_catalog.money'::pg_catalog.regtype, 'pg_catalog.money[]'::pg_catalog.regtype)
)
"""


def pinned_environment(settings: DatabaseSettings) -> dict[str, str]:
    """:func:`client_environment` for pg_dump, which shall work as our own sessions do.

    The options that this may take are given only where something is set otherwise, as poolers
    refuse them; the search path is emptied by pg_dump itself, first of all. Raises
    :class:`DatabaseUnreachable`, and :class:`PreconditionFailed` where a pooler refuses what is
    needed, or a session does not keep its name.
    """
    with connect(settings, autocommit=True) as session:
        return environment_beside(session, settings)


def environment_beside(session: Session, settings: DatabaseSettings) -> dict[str, str]:
    """The same, asked in a session that is open with the database of ``settings``."""
    _require_name(session, settings)
    wanted = pinned_settings(session.info.server_version)
    del wanted["search_path"]
    other = _set_otherwise(session, wanted)
    given = [session.info.options] if session.info.options else []
    own = pinned(settings, session)
    options = [f"-c {name}={wanted[name]}".replace("read ", "read\\ ") for name in other]
    every = " ".join([*given, *options])
    if session.pooled and other and not _takes(own, every, wanted):
        if needed := [name for name in other if name != "lc_monetary" or _has_money(session)]:
            raise refused_options(settings, needed)
        every = ""
    return client_environment(own) | ({"PGOPTIONS": every} if every else {})


def _require_name(session: Session, settings: DatabaseSettings) -> None:
    """Raise :class:`PreconditionFailed` where sessions go by another name than they gave: whoever
    looks out for those who wait for pg_dump would not find it."""
    row = session.execute("SELECT pg_catalog.current_setting('application_name')").fetchone()
    if not (row and row[0].startswith(APPLICATION_NAME)):
        raise PreconditionFailed(
            f"a session with {settings.describe()} does not keep its application_name, by which "
            "pg_dump is found on the server to let others go first",
            hint="does a pooler or a trigger on login set it? PPR_DIRECT_HOST and PPR_DIRECT_PORT "
            "name the server itself; a trigger can leave out this role.",
        )


def _takes(settings: DatabaseSettings, options: str, wanted: Mapping[str, str]) -> bool:
    """Whether a pooler passes these on. Some refuse them, others take and forget them."""
    try:
        with opened(settings, {"options": options}) as session:
            return not _set_otherwise(session, wanted)
    except psycopg.OperationalError:
        return False


def _set_otherwise(session: Session, wanted: Mapping[str, str]) -> list[str]:
    """Which of them a session begins with another value of."""
    query = "SELECT name, reset_val FROM pg_catalog.pg_settings WHERE name = ANY(%s) ORDER BY 1"
    rows = session.execute(query, [list(wanted)])
    return [name for name, value in rows if value != wanted[name]]


def _has_money(session: Session) -> bool:
    """Whether the database has columns or domains of the type that lc_monetary is for."""
    row = session.execute(_MONEY).fetchone()
    return bool(row and row[0])
