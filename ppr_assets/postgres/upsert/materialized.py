"""Materialized views, made anew once the tables below them are full."""

from __future__ import annotations

from typing import LiteralString

import psycopg
from psycopg import Connection, sql

# One is made after those that it reads. What an extension brought is that one's business.
_VIEWS: LiteralString = """
SELECT n.nspname, c.relname FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'm' AND NOT EXISTS (
  SELECT FROM pg_catalog.pg_depend d
  WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
    AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY c.oid
"""


def refresh(connection: Connection) -> list[str]:
    """Refresh all of them in an autocommit session; in words, which are as before and why."""
    stale = []
    for schema, name in connection.execute(_VIEWS).fetchall():
        statement = sql.SQL("REFRESH MATERIALIZED VIEW {}").format(sql.Identifier(schema, name))
        try:
            connection.execute(statement)
        except psycopg.Error as error:
            if connection.closed:
                raise
            said = error.diag.message_primary
            stale.append(f"materialized view {schema}.{name} could not be made anew: {said}")
    return stale
