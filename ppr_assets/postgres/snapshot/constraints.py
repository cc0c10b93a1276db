"""What PostgreSQL will hold a table's rows to when they are loaded, as its catalogs have it.

What is added without a look at the rows that are there (NOT VALID, NOT ENFORCED) is left out: a
restore does not look at them either.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal, LiteralString

from msgspec import Struct

from ppr_assets.postgres.sessions.live_sessions import Connection
from ppr_assets.postgres.snapshot.planned_functions import calling_others
from ppr_assets.rules.naming import table_key

Kind = Literal["check", "domain", "not null", "partition", "unique", "exclusion", "index"]


class TableColumn(Struct, frozen=True):
    """``type``: what it is below its domains, as the server writes it. ``computed``: the expression
    of a generated column, which ``reads`` others, by name."""

    name: str
    type: str
    computed: str = ""
    reads: tuple[str, ...] = ()


class Constraint(Struct, frozen=True):
    """``columns`` are all that it reads, by name. ``condition``: what has to hold of each row, or
    of ``VALUE`` in a ``domain``; of an index, what the rows are like that it has. An index's
    ``keys`` are expressions, whose ``operators`` say what excludes each other; with
    ``distinct_nulls`` no two NULLs are the same."""

    kind: Kind
    name: str
    condition: str
    columns: tuple[str, ...]
    keys: Sequence[str] = ()
    operators: Sequence[str] = ()
    distinct_nulls: bool = True
    domain: str = ""


class TableConstraints(Struct, frozen=True):
    """``calling_others``: a plan of the table would call somebody else's functions."""

    schema: str
    name: str
    columns: Mapping[str, TableColumn]
    constraints: Sequence[Constraint]
    calling_others: bool


_TABLES: LiteralString = """
SELECT r.oid::bigint, n.nspname::pg_catalog.text, r.relname::pg_catalog.text
FROM pg_catalog.pg_class r JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace
WHERE r.relkind = 'r' AND r.relpersistence <> 't' ORDER BY n.nspname, r.relname
"""

# What calls functions of a role that is neither a superuser nor ours, by whatever it depends on;
# a domain calls what its checks call, and a generated column what it is computed by. Role 10 is the
# superuser that the server was made by: said as a number, the planner knows how few are left, and
# does not take memory for a million.
_OF_OTHERS: LiteralString = """
WITH RECURSIVE others AS (
  SELECT 'pg_catalog.pg_proc'::pg_catalog.regclass::pg_catalog.oid AS classid, p.oid AS objid,
    0 AS objsubid
  FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_roles r ON r.oid = p.proowner
  WHERE p.proowner <> 10 AND NOT r.rolsuper AND r.rolname <> current_user
  UNION
  SELECT next.classid, next.objid, next.objsubid FROM others o CROSS JOIN LATERAL (
    SELECT d.classid, d.objid, d.objsubid FROM pg_catalog.pg_depend d
    WHERE d.refclassid = o.classid AND d.refobjid = o.objid AND o.objsubid IN (0, d.refobjsubid)
    UNION ALL
    SELECT 'pg_catalog.pg_type'::pg_catalog.regclass, c.contypid, 0
    FROM pg_catalog.pg_constraint c
    WHERE o.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND c.oid = o.objid
      AND c.contypid <> 0
    UNION ALL
    SELECT 'pg_catalog.pg_class'::pg_catalog.regclass, e.adrelid, e.adnum
    FROM pg_catalog.pg_attrdef e JOIN pg_catalog.pg_attribute a
      ON a.attrelid = e.adrelid AND a.attnum = e.adnum AND a.attgenerated <> ''
    WHERE o.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND e.oid = o.objid
  ) next
)
SELECT objid::bigint, objsubid FROM others WHERE classid IN (
  'pg_catalog.pg_class'::pg_catalog.regclass, 'pg_catalog.pg_constraint'::pg_catalog.regclass)
"""

_COLUMNS: LiteralString = """
WITH RECURSIVE base AS (
  SELECT attrelid, attnum, atttypid AS type, atttypmod AS modifier FROM pg_catalog.pg_attribute
  WHERE attrelid = ANY(%(tables)s::pg_catalog.oid[]) AND attnum > 0 AND NOT attisdropped
  UNION ALL
  SELECT b.attrelid, b.attnum, t.typbasetype,
    CASE WHEN b.modifier >= 0 THEN b.modifier ELSE t.typtypmod END
  FROM base b JOIN pg_catalog.pg_type t ON t.oid = b.type WHERE t.typtype = 'd'
)
SELECT a.attrelid::bigint, a.attnum::int, a.attname::pg_catalog.text,
  pg_catalog.format_type(b.type, b.modifier),
  coalesce(CASE WHEN a.attgenerated <> '' THEN pg_catalog.pg_get_expr(e.adbin, e.adrelid) END, ''),
  ARRAY(SELECT DISTINCT d.refobjsubid FROM pg_catalog.pg_depend d
    WHERE a.attgenerated <> '' AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
    AND d.refobjid = a.attrelid AND d.refobjsubid NOT IN (0, a.attnum)
    AND (d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND d.objid = e.oid
      OR d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = a.attrelid
      AND d.objsubid = a.attnum))
FROM base b
JOIN pg_catalog.pg_type t ON t.oid = b.type AND t.typtype <> 'd'
JOIN pg_catalog.pg_attribute a ON a.attrelid = b.attrelid AND a.attnum = b.attnum
LEFT JOIN pg_catalog.pg_attrdef e ON e.adrelid = a.attrelid AND e.adnum = a.attnum
ORDER BY a.attrelid, a.attnum
"""

_CHECKS: LiteralString = """
SELECT conrelid::bigint, ARRAY[oid::bigint], conkey::int[], 'check', conname::pg_catalog.text,
  pg_catalog.pg_get_expr(conbin, conrelid)
FROM pg_catalog.pg_constraint
WHERE contype = 'c' AND convalidated AND conrelid = ANY(%(tables)s::pg_catalog.oid[])
ORDER BY conrelid, conname
"""

_NOT_NULL: LiteralString = """
SELECT attrelid::bigint, ARRAY[]::bigint[], ARRAY[attnum]::int[], 'not null',
  attname::pg_catalog.text, pg_catalog.format('%%I IS NOT NULL', attname)
FROM pg_catalog.pg_attribute
WHERE attgenerated <> '' AND attnotnull AND NOT attisdropped
  AND attrelid = ANY(%(tables)s::pg_catalog.oid[])
"""

_DOMAINS: LiteralString = """
WITH RECURSIVE base AS (
  SELECT attrelid, attnum, atttypid AS type FROM pg_catalog.pg_attribute
  WHERE attrelid = ANY(%(tables)s::pg_catalog.oid[]) AND attnum > 0 AND NOT attisdropped
  UNION ALL
  SELECT b.attrelid, b.attnum, t.typbasetype
  FROM base b JOIN pg_catalog.pg_type t ON t.oid = b.type WHERE t.typtype = 'd'
)
SELECT b.attrelid::bigint, ARRAY[c.oid::bigint], ARRAY[b.attnum]::int[], 'domain',
  c.conname::pg_catalog.text, pg_catalog.pg_get_expr(c.conbin, 0), ARRAY[]::pg_catalog.text[],
  ARRAY[]::pg_catalog.text[], true, pg_catalog.format_type(b.type, NULL)
FROM base b JOIN pg_catalog.pg_constraint c ON c.contypid = b.type
WHERE c.contype = 'c' AND c.convalidated
ORDER BY b.attrelid, b.attnum, c.conname
"""

_PARTITIONS: LiteralString = """
SELECT r.oid::bigint, ARRAY[]::bigint[],
  ARRAY(SELECT DISTINCT a.attnum FROM pg_catalog.pg_partition_ancestors(r.oid) p
    JOIN pg_catalog.pg_partitioned_table k ON k.partrelid = p.relid
    JOIN pg_catalog.pg_attribute above ON above.attrelid = p.relid AND (
      above.attnum = ANY(k.partattrs) OR EXISTS (SELECT FROM pg_catalog.pg_depend d
        WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = p.relid
        AND d.objsubid = above.attnum AND d.deptype = 'i' AND d.refclassid = d.classid
        AND d.refobjid = p.relid AND d.refobjsubid = 0))
    JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid AND a.attname = above.attname)::int[],
  'partition', '', pg_catalog.pg_get_partition_constraintdef(r.oid)
FROM pg_catalog.pg_class r
WHERE r.relispartition AND r.oid = ANY(%(tables)s::pg_catalog.oid[])
  AND pg_catalog.pg_get_partition_constraintdef(r.oid) IS NOT NULL
"""

# Those that pg_dump writes and that hold rows to something, or compute something of them.
_INDEXES: LiteralString = """
SELECT i.indrelid::bigint,
  ARRAY(SELECT i.indexrelid::bigint UNION SELECT c.oid::bigint FROM pg_catalog.pg_constraint c
    WHERE c.conindid = i.indexrelid AND c.conrelid = i.indrelid),
  ARRAY(SELECT k.number FROM pg_catalog.unnest(i.indkey) WITH ORDINALITY AS k (number, place)
    WHERE k.place <= i.indnkeyatts AND k.number > 0
    UNION
    SELECT d.refobjsubid FROM pg_catalog.pg_depend d
    WHERE (i.indexprs IS NOT NULL OR i.indpred IS NOT NULL)
    AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = i.indexrelid
    AND d.refclassid = d.classid AND d.refobjid = i.indrelid AND d.refobjsubid > 0)::int[],
  CASE WHEN i.indisexclusion THEN 'exclusion' WHEN i.indisunique THEN 'unique' ELSE 'index' END,
  x.relname::pg_catalog.text, coalesce(pg_catalog.pg_get_expr(i.indpred, i.indrelid), 'true'),
  ARRAY(SELECT pg_catalog.format(CASE WHEN co.oid IS NULL THEN '(%%s)' ELSE '(%%s) COLLATE %%I.%%I'
      END, pg_catalog.pg_get_indexdef(i.indexrelid, k.place, false), n.nspname, co.collname)
    FROM pg_catalog.generate_series(1, i.indnkeyatts::int) AS k (place)
    LEFT JOIN pg_catalog.pg_collation co ON co.oid = i.indcollation[k.place - 1]
    LEFT JOIN pg_catalog.pg_namespace n ON n.oid = co.collnamespace
    ORDER BY k.place),
  ARRAY(SELECT pg_catalog.format('OPERATOR(%%I.%%s)', n.nspname, o.oprname)
    FROM pg_catalog.pg_constraint c
    CROSS JOIN pg_catalog.unnest(c.conexclop) WITH ORDINALITY AS e (operator, place)
    JOIN pg_catalog.pg_operator o ON o.oid = e.operator
    JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
    WHERE c.contype = 'x' AND c.conrelid = i.indrelid AND c.conindid = i.indexrelid
    ORDER BY e.place),
  coalesce(NOT (pg_catalog.to_jsonb(i) ->> 'indnullsnotdistinct')::pg_catalog.bool, true)
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
WHERE i.indrelid = ANY(%(tables)s::pg_catalog.oid[]) AND i.indisvalid AND i.indisready
  AND (i.indisunique OR i.indisexclusion OR i.indexprs IS NOT NULL OR i.indpred IS NOT NULL)
ORDER BY i.indrelid, x.relname
"""


def read_constraints(
    connection: Connection, keys: Collection[str]
) -> Mapping[str, TableConstraints]:
    """Of the tables with these ``keys``, in the snapshot of the open transaction, but for what
    calls functions of others."""
    tables = {
        oid: (schema, name)
        for oid, schema, name in connection.execute(_TABLES)
        if table_key(schema, name) in keys
    }
    asked = {"tables": [*tables]}
    names: defaultdict[int, dict[int, str]] = defaultdict(dict)
    columns: defaultdict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for oid, number, name, *facts in connection.execute(_COLUMNS, asked):
        names[oid][number] = name
        columns[oid].append((name, *facts))
    others = {(oid, place) for oid, place in connection.execute(_OF_OTHERS)}
    constraints: defaultdict[int, list[Constraint]] = defaultdict(list)
    for query in (_CHECKS, _NOT_NULL, _DOMAINS, _PARTITIONS, _INDEXES):
        for oid, sources, numbers, kind, name, condition, *rest in connection.execute(query, asked):
            uses = {(oid, 0), *((one, 0) for one in sources), *((oid, one) for one in numbers)}
            if not others & uses:
                read = tuple(names[oid][number] for number in numbers)
                constraints[oid].append(Constraint(kind, name, condition, read, *rest))
    unplanned = calling_others(connection)
    return {
        table_key(*tables[oid]): TableConstraints(
            *tables[oid],
            _columns(columns[oid], names[oid]),
            constraints[oid],
            calling_others=oid in unplanned,
        )
        for oid in tables
    }


def _columns(
    found: Sequence[tuple[Any, ...]], names: Mapping[int, str]
) -> Mapping[str, TableColumn]:
    return {
        name: TableColumn(name, type_, computed, tuple(names[number] for number in reads))
        for name, type_, computed, reads in found
    }
