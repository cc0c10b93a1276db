"""What in the database holds rows, with what of it a publication policy has to know."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, LiteralString

from ppr_assets.postgres.sessions.live_sessions import Connection
from ppr_assets.rules.naming import key_names, table_key
from ppr_assets.rules.publication.policy import LARGE_OBJECTS
from ppr_assets.rules.publication.relations import Reference, Relation, RelationColumn

# As pg_dump has it: of an extension's tables only those that it marked as configuration.
_RELATIONS: LiteralString = """
SELECT c.oid::bigint, n.nspname::pg_catalog.text, c.relname::pg_catalog.text,
  CASE c.relkind WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table' ELSE 'table' END
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_depend d
  ON d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e'
WHERE c.relkind IN ('r', 'p', 'm', 'f') AND c.relpersistence <> 't'
  AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
  AND (d.objid IS NULL OR EXISTS (
    SELECT FROM pg_catalog.pg_extension e WHERE e.oid = d.refobjid AND c.oid = ANY(e.extconfig)))
ORDER BY n.nspname, c.relname
"""

# A domain over a domain adds to what that forbids. A modifier of 12 is a length of 8.
_COLUMNS: LiteralString = """
WITH RECURSIVE base AS (
  SELECT oid, false AS forbids_null FROM pg_catalog.pg_type WHERE typtype <> 'd'
  UNION ALL
  SELECT d.oid, d.typnotnull OR b.forbids_null
  FROM pg_catalog.pg_type d JOIN base b ON b.oid = d.typbasetype WHERE d.typtype = 'd'
)
SELECT a.attrelid::bigint, a.attname::pg_catalog.text,
  NOT (b.forbids_null OR a.attnotnull AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_constraint c WHERE c.conrelid = a.attrelid AND c.contype = 'n'
    AND c.conkey = ARRAY[a.attnum] AND NOT c.convalidated)),
  a.attgenerated <> '',
  t.typcategory = 'S' AND t.typtype = 'b' AND t.typlen = -1 AND a.atttypmod NOT BETWEEN 0 AND 11
    AND a.atttypid <> 'pg_catalog.bpchar'::pg_catalog.regtype
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = a.attrelid
      AND (i.indisunique OR i.indisexclusion) AND a.attnum = ANY(i.indkey))
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint c WHERE c.conrelid = a.attrelid
      AND c.contype = 'f' AND a.attnum = ANY(c.conkey))
FROM pg_catalog.pg_attribute a JOIN base b ON b.oid = a.atttypid
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE a.attrelid = ANY(%s::pg_catalog.oid[]) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum
"""

_PARENTS: LiteralString = """
SELECT inhrelid::bigint, inhparent::bigint FROM pg_catalog.pg_inherits
ORDER BY inhrelid, inhseqno
"""

# Of a partition by the name that somebody gave to the constraint above.
_REFERENCES: LiteralString = """
SELECT c.conrelid::bigint, coalesce(above.conname, c.conname)::pg_catalog.text,
  c.confrelid::bigint, c.confmatchtype = 'f',
  ARRAY(SELECT a.attname::pg_catalog.text
    FROM pg_catalog.unnest(c.conkey) WITH ORDINALITY AS k (number, place)
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.number
    ORDER BY k.place),
  ARRAY(SELECT a.attname::pg_catalog.text
    FROM pg_catalog.unnest(c.confkey) WITH ORDINALITY AS k (number, place)
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.number
    ORDER BY k.place)
FROM pg_catalog.pg_constraint c
LEFT JOIN pg_catalog.pg_constraint above ON above.oid = c.conparentid
WHERE c.contype = 'f' AND c.convalidated ORDER BY c.conrelid, c.conname
"""

_PRIMARY_KEYS: LiteralString = """
SELECT conrelid::bigint,
  ARRAY(SELECT a.attname::pg_catalog.text
    FROM pg_catalog.unnest(conkey) WITH ORDINALITY AS k (number, place)
    JOIN pg_catalog.pg_attribute a ON a.attrelid = conrelid AND a.attnum = k.number
    ORDER BY k.place)
FROM pg_catalog.pg_constraint WHERE contype = 'p'
"""

# The columns that one belongs to, and those whose default, or that of their domain, reads it.
_SEQUENCES: LiteralString = """
WITH counting AS (
  SELECT d.objid AS sequence, d.refobjid AS relation, d.refobjsubid AS number
  FROM pg_catalog.pg_depend d
  WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.deptype IN ('a', 'i')
    AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
  UNION
  SELECT d.refobjid, f.adrelid, f.adnum
  FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_attrdef f ON f.oid = d.objid
  WHERE d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass
    AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
  UNION
  SELECT d.refobjid, a.attrelid, a.attnum
  FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_attribute a ON a.atttypid = d.objid
  WHERE d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass
    AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
)
SELECT u.relation::bigint, n.nspname::pg_catalog.text, c.relname::pg_catalog.text,
  a.attname::pg_catalog.text
FROM counting u
JOIN pg_catalog.pg_class c ON c.oid = u.sequence AND c.relkind = 'S'
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = u.relation AND a.attnum = u.number
WHERE NOT a.attisdropped ORDER BY n.nspname, c.relname, a.attname
"""

# Of partitions of a list but the default one. Reads no bounds: a server may wait for a lock there.
_LISTED: LiteralString = """
SELECT c.oid::bigint, a.attname::pg_catalog.text
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_inherits i ON i.inhrelid = c.oid
JOIN pg_catalog.pg_partitioned_table k ON k.partrelid = i.inhparent AND k.partstrat = 'l'
JOIN pg_catalog.pg_attribute a ON a.attrelid = k.partrelid AND a.attnum = ANY(k.partattrs)
WHERE c.oid <> k.partdefid
"""

_WITHOUT_ROWS: LiteralString = """
SELECT CASE c.relkind WHEN 'v' THEN 'view' WHEN 'S' THEN 'sequence' ELSE 'composite type' END
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relname = %s AND c.relkind IN ('v', 'S', 'c')
"""

_LARGE_OBJECTS: LiteralString = "SELECT EXISTS (SELECT FROM pg_catalog.pg_largeobject_metadata)"


def read_relations(connection: Connection) -> Sequence[Relation]:
    """What the snapshot of the open transaction holds; plans no query on any table of a user."""
    found = {
        oid: (table_key(schema, name), kind)
        for oid, schema, name, kind in connection.execute(_RELATIONS)
    }
    columns: defaultdict[int, list[RelationColumn]] = defaultdict(list)
    for oid, *facts in connection.execute(_COLUMNS, [list(found)]):
        columns[oid].append(RelationColumn(*facts))
    parents: defaultdict[int, list[str]] = defaultdict(list)
    for child, parent in connection.execute(_PARENTS):
        if parent in found:
            parents[child].append(found[parent][0])
    references: defaultdict[int, list[Reference]] = defaultdict(list)
    for oid, name, target, full, ours, theirs in connection.execute(_REFERENCES):
        if target in found:
            leads = Reference(name, tuple(ours), found[target][0], tuple(theirs), full=full)
            references[oid].append(leads)
    keys = {oid: tuple(names) for oid, names in connection.execute(_PRIMARY_KEYS)}
    sequences: defaultdict[int, list[tuple[str, str]]] = defaultdict(list)
    for oid, schema, name, column in connection.execute(_SEQUENCES):
        sequences[oid].append((table_key(schema, name), column))
    listed: defaultdict[int, list[str]] = defaultdict(list)
    for oid, column in connection.execute(_LISTED):
        listed[oid].append(column)
    relations = [
        Relation(
            key,
            kind,
            tuple(columns[oid]),
            tuple(parents[oid]),
            tuple(references[oid]),
            keys.get(oid, ()),
            tuple(sequences[oid]),
            tuple(listed[oid]),
        )
        for oid, (key, kind) in found.items()
    ]
    return [*relations, *_large_objects(connection)]


def holds_no_rows(connection: Connection, key: str) -> str:
    """What it is that ``key`` names and no policy has to know of, in a word; else empty."""
    row: tuple[str] | None
    try:
        row = connection.execute(_WITHOUT_ROWS, key_names(key)).fetchone()
    except ValueError:  # it is no name, or (a UnicodeEncodeError) no text
        return ""
    return row[0] if row else ""


def _large_objects(connection: Connection) -> Sequence[Relation]:
    row: tuple[Any, ...] | None = connection.execute(_LARGE_OBJECTS).fetchone()
    return [Relation(LARGE_OBJECTS, "large objects")] if row and row[0] else []
