"""What of the database is computed from tables, directly or through views.

The server says which relations a view reads. What a function reads, nobody knows before it runs: a
view, or a generated column, that calls one counts as reading everything, unless it is an
extension's and immutable. So do the server's own functions that run a query given as text, and its
catalogs, whose statistics hold values. Of a table of which only columns are withheld, who reads
others of its columns may be compared, unless it takes rows as a whole.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import LiteralString

from ppr_assets.postgres.sessions.computing import Connection
from ppr_assets.rules.naming import table_key

_NAMES: LiteralString = """
SELECT c.oid::bigint, n.nspname::pg_catalog.text, c.relname::pg_catalog.text,
  a.attname::pg_catalog.text, a.attnum::pg_catalog.int4, a.attgenerated <> ''
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_attribute a
  ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p', 'm', 'f')
"""

# A parent's rows are those of its children; below 16384 is what the server itself was made with.
_READING: LiteralString = r"""
WITH RECURSIVE rule AS (
  SELECT oid, ev_class AS relation, ev_action::pg_catalog.text AS action
  FROM pg_catalog.pg_rewrite WHERE oid >= 16384
), computing AS (
  SELECT 'pg_catalog.pg_rewrite'::pg_catalog.regclass AS class, oid, 0 AS part, relation FROM rule
  UNION ALL
  SELECT 'pg_catalog.pg_attrdef'::pg_catalog.regclass, d.oid, 0, d.adrelid
  FROM pg_catalog.pg_attrdef d JOIN pg_catalog.pg_attribute a
    ON a.attrelid = d.adrelid AND a.attnum = d.adnum AND a.attgenerated <> ''
  UNION ALL
  SELECT 'pg_catalog.pg_class'::pg_catalog.regclass, attrelid, attnum, attrelid
  FROM pg_catalog.pg_attribute WHERE attgenerated <> ''
), used AS (
  SELECT c.relation, d.refclassid, d.refobjid, d.refobjsubid AS part
  FROM computing c JOIN pg_catalog.pg_depend d
    ON d.classid = c.class AND d.objid = c.oid AND d.objsubid = c.part
), unforeseen AS (
  SELECT u.relation FROM used u JOIN pg_catalog.pg_proc p
    ON u.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND p.oid = u.refobjid
  WHERE p.provolatile <> 'i' OR NOT EXISTS (
    SELECT FROM pg_catalog.pg_depend e WHERE e.deptype = 'e' AND e.objid = p.oid
      AND e.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass)
  UNION
  SELECT u.relation FROM used u JOIN pg_catalog.pg_operator o
    ON u.refclassid = 'pg_catalog.pg_operator'::pg_catalog.regclass AND o.oid = u.refobjid
  WHERE NOT EXISTS (
    SELECT FROM pg_catalog.pg_depend e WHERE e.deptype = 'e' AND e.objid = o.oid
      AND e.classid = 'pg_catalog.pg_operator'::pg_catalog.regclass)
  UNION
  SELECT r.relation FROM rule r, pg_catalog.regexp_matches(r.action, ':relid (\d+)', 'g') AS m
  WHERE m[1]::pg_catalog.int8 BETWEEN 1 AND 16383
  UNION
  SELECT r.relation FROM rule r, pg_catalog.regexp_matches(r.action, ':funcid (\d+)', 'g') AS m
  JOIN pg_catalog.pg_proc p ON p.oid = m[1]::pg_catalog.oid
  WHERE p.oid < 16384
    AND p.proname ~ '^((query|cursor|table|schema|database)_to_xml|lo_|loread|ts_stat|ts_rewrite)'
), step AS (
  SELECT refobjid AS source, part, relation FROM used
  WHERE refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
  UNION
  SELECT u.refobjid, -1, u.relation FROM used u JOIN rule r ON r.relation = u.relation
  WHERE u.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND r.action ~ ':varattno 0 '
  UNION
  SELECT inhrelid, -1, inhparent FROM pg_catalog.pg_inherits
), reached AS (
  SELECT t.oid, t.part FROM ROWS FROM (
    pg_catalog.unnest(%s::pg_catalog.oid[]), pg_catalog.unnest(%s::pg_catalog.int4[])
  ) AS t(oid, part)
  UNION
  SELECT relation, 0 FROM unforeseen
  UNION
  SELECT s.relation, 0 FROM reached r JOIN step s
    ON s.source = r.oid AND (r.part = 0 OR s.part = -1 OR s.part = r.part)
)
SELECT DISTINCT oid::bigint FROM reached
"""


def computed_from(connection: Connection, withheld: Mapping[str, Collection[str]]) -> Sequence[int]:
    """The tables ``withheld``, and the views and tables (by oid) that hold what may have been
    computed from them; in the open transaction. ``withheld``: by table key, the columns of which
    nothing is published, none for the whole table."""
    if not withheld:
        return ()
    tables, parts = [], []
    for oid, schema, name, column, number, computed in connection.execute(_NAMES):
        columns = withheld.get(table_key(schema, name))
        if columns is None:
            continue
        if not columns:
            tables.append(oid)
            parts.append(0)
        elif column in columns or computed:
            tables.append(oid)
            parts.append(number)
    return [oid for (oid,) in connection.execute(_READING, [tables, parts])]
