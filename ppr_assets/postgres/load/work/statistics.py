"""What follows from the rows of a database just filled: statistics for the server's planner, and
materialized views.

Autovacuum makes statistics in time, but never those of partitioned tables. Tables with rows on a
foreign server go without: that server would be asked, and it may not be there.
"""

from __future__ import annotations

from typing import LiteralString

import psycopg
from psycopg import sql

from ppr_assets.postgres.load.work.scheduler import Work
from ppr_assets.postgres.sessions.session import Connection, LoadingSession, failed

_NAMES: LiteralString = """
WITH RECURSIVE elsewhere AS (
  SELECT oid FROM pg_catalog.pg_class WHERE relkind = 'f'
  UNION SELECT i.inhparent FROM pg_catalog.pg_inherits i JOIN elsewhere e ON i.inhrelid = e.oid
)
SELECT pg_catalog.format('%%I.%%I', n.nspname, c.relname), c.relkind = 'p'
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE pg_catalog.strpos(%s, c.relkind::pg_catalog.text) > 0
  AND c.oid NOT IN (SELECT oid FROM elsewhere)
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
ORDER BY 1
"""

_ONLY_SINCE = 180000
"""Versions before analyze the partitions of a partitioned table with it, again and again."""

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


def analyze(connection: Connection, kinds: str = "rpm") -> None:
    """Tables (``r``), partitioned tables (``p``) and materialized views (``m``) of the database.

    Raises :class:`RestoreFailed`.
    """
    one_by_one = connection.info.server_version >= _ONLY_SINCE
    what = "statistics"
    try:
        for name, partitioned in connection.execute(_NAMES, [kinds]).fetchall():
            what = f"statistics of {name}"
            only = b"ONLY " if partitioned and one_by_one else b""
            connection.execute(b"ANALYZE " + only + name.encode("utf-8", "surrogateescape"))
    except psycopg.Error as error:
        raise failed(what, error) from error


def analyze_table(name: bytes, key: str) -> Work:
    def work(session: LoadingSession) -> None:
        with session.as_dumped():  # of an index on an expression, it calls the functions
            session.execute(b"ANALYZE " + name, f"statistics of {key}")

    return work


def analyze_made(session: LoadingSession) -> None:
    """Partitioned tables and materialized views, all of them."""
    with session.as_dumped():
        analyze(session.connection, "pm")


def refresh(connection: Connection) -> list[str]:
    """Make materialized views anew, in an autocommit session; in words, which are as before and
    why."""
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
