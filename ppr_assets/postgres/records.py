"""Whether a database holds records: what a restore at a container's start must not replace."""

from __future__ import annotations

from collections.abc import Collection
from typing import LiteralString

import psycopg
from psycopg import sql

from ppr_assets.errors import Busy, PreconditionFailed
from ppr_assets.postgres.connection import connect
from ppr_assets.settings import DatabaseSettings

# Partitions are tables of their own here. What an extension brought is not the user's.
_TABLES: LiteralString = """
SELECT n.nspname, c.relname FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
  AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_depend d
    WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
      AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY n.nspname, c.relname
"""

_PATIENCE = "15s"


def table_with_records(settings: DatabaseSettings, core: Collection[str] = ()) -> str | None:
    """A table with rows in it; None where there is none.

    Where one of the ``core`` tables exists in schema public, only those count: migrations leave
    rows in tables of their own. Raises :class:`DatabaseUnreachable`, :class:`PreconditionFailed`
    for a table that may not be read (whole: a policy that hides rows is no emptiness), and
    :class:`Busy` for one that is locked and stays so.
    """
    with connect(settings, autocommit=True) as connection:
        connection.execute("SET row_security = off")
        connection.execute(sql.SQL("SET lock_timeout = {}").format(sql.Literal(_PATIENCE)))
        tables = connection.execute(_TABLES).fetchall()
        cores = [(schema, name) for schema, name in tables if schema == "public" and name in core]
        for schema, name in cores or tables:
            query = sql.SQL("SELECT EXISTS (SELECT FROM ONLY {})")
            try:
                row = connection.execute(query.format(sql.Identifier(schema, name))).fetchone()
            except psycopg.errors.InsufficientPrivilege as error:
                raise PreconditionFailed(
                    f"nobody knows whether database {settings.dbname} holds records: "
                    f"{error.diag.message_primary}",
                    hint=f"let role {settings.user} read it, or restore on purpose with "
                    "`ppr-assets restore`.",
                ) from error
            except psycopg.errors.LockNotAvailable as error:
                raise Busy(
                    f"busy: table {name} of database {settings.dbname} is locked by another "
                    f"session for {_PATIENCE}",
                    hint="is a migration running? Run again when it is done.",
                ) from error
            if row and row[0]:
                return str(name)
    return None
