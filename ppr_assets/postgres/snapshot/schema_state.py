"""What DDL has changed while pg_dump worked.

pg_dump reads the catalog through its snapshot, and asks the server to put definitions into words,
which it does from the catalog of now. So an index that was dropped before pg_dump locked its table
is in the dump by name, and without its statement. And TRUNCATE, or an ALTER that rewrites a table,
take rows from a snapshot that saw them: the table has another file then.
"""

from __future__ import annotations

from collections.abc import Set
from typing import LiteralString

from ppr_assets.postgres.sessions.live_sessions import Connection
from ppr_assets.rules.naming import table_key

State = Set[tuple[str, str, str, str]]

# Not what comes and goes by itself: temporary tables, files of indexes and materialized views.
_STATE: LiteralString = """
WITH n AS (
  SELECT oid, nspname FROM pg_catalog.pg_namespace
  WHERE nspname <> 'information_schema' AND nspname !~ '^pg_'
)
SELECT CASE WHEN c.relkind IN ('r', 'p') THEN 'table' ELSE 'relation' END, n.nspname, c.relname,
  pg_catalog.concat_ws(' ', c.oid, c.relkind, CASE WHEN c.relkind = 'r' THEN c.relfilenode END, (
    SELECT pg_catalog.string_agg(a.xmin::pg_catalog.text, ' ' ORDER BY a.attnum)
    FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0))
FROM pg_catalog.pg_class c JOIN n ON n.oid = c.relnamespace
UNION ALL
SELECT 'index', n.nspname, c.relname, pg_catalog.concat_ws(' ', i.indexrelid, i.xmin)
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
  JOIN n ON n.oid = c.relnamespace
UNION ALL
SELECT 'constraint', n.nspname, c.conname, pg_catalog.concat_ws(' ', c.oid, c.xmin)
FROM pg_catalog.pg_constraint c JOIN n ON n.oid = c.connamespace
UNION ALL
SELECT 'trigger', n.nspname, t.tgname, pg_catalog.concat_ws(' ', t.oid, t.xmin)
FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
  JOIN n ON n.oid = c.relnamespace
UNION ALL
SELECT 'function', n.nspname, p.proname, pg_catalog.concat_ws(' ', p.oid, p.xmin)
FROM pg_catalog.pg_proc p JOIN n ON n.oid = p.pronamespace
UNION ALL
SELECT 'type', n.nspname, t.typname, pg_catalog.concat_ws(' ', t.oid, t.xmin)
FROM pg_catalog.pg_type t JOIN n ON n.oid = t.typnamespace WHERE t.typtype IN ('d', 'e')
UNION ALL
SELECT 'statistics', n.nspname, s.stxname, pg_catalog.concat_ws(' ', s.oid, s.xmin)
FROM pg_catalog.pg_statistic_ext s JOIN n ON n.oid = s.stxnamespace
"""


def schema_state(connection: Connection) -> State:
    """As the snapshot of this session sees it."""
    return set(connection.execute(_STATE))


def change(then: State, now: State) -> str:
    """Something that was there and is not as it was, in words; empty where all is.

    What is new does not count: a snapshot from before does not see it.
    """
    order = {"table": 0, "index": 1}
    gone = sorted(then - now, key=lambda one: (order.get(one[0], 2), one))
    if not gone:
        return ""
    kind, schema, name, _ = gone[0]
    return f"{kind} {table_key(schema, name)} was altered, emptied or dropped meanwhile"
