"""The tables of a living database, as far as a patch has to know them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, LiteralString

from msgspec import Struct

from ppr_assets.postgres.sessions.session import Connection
from ppr_assets.rules.naming import table_key
from ppr_assets.rules.patch.changes import PatchColumn, PatchReference, PatchTable
from ppr_assets.rules.patch.text import Trigger

_TABLES: LiteralString = """
SELECT c.oid::pg_catalog.int8, n.nspname, c.relname,
  pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname),
  c.relkind = 'p', c.relispartition
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
  AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
"""

# Texts in a collation in which different ones may be equal are compared by their bytes as well. Of
# a domain it is the type below, which takes what a check that is not valid yet would refuse.
_COLUMNS: LiteralString = """
SELECT a.attrelid::pg_catalog.int8, a.attnum, a.attname, pg_catalog.quote_ident(a.attname),
  pg_catalog.format_type(b.oid, CASE t.typtype WHEN 'd' THEN t.typtypmod ELSE a.atttypmod END),
  a.attgenerated <> '', a.attidentity <> '',
  coalesce(l.collisdeterministic, true) AND (b.typtype = 'e' OR
    b.typnamespace = 'pg_catalog'::pg_catalog.regnamespace AND b.typname IN (
      'bool', 'int2', 'int4', 'int8', 'float4', 'float8', 'numeric', 'text', 'varchar', 'bpchar',
      'uuid', 'date', 'time', 'timestamp', 'timestamptz', 'bytea', 'jsonb')),
  NOT (a.attnotnull OR t.typnotnull), pg_catalog.format_type(t.oid, a.atttypmod)
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
JOIN pg_catalog.pg_type b ON b.oid = CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END
LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation
WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attrelid::pg_catalog.int8 = ANY(%s)
ORDER BY a.attrelid, a.attnum
"""

_UNIQUE: LiteralString = """
SELECT i.indrelid::pg_catalog.int8, c.relname, i.indisprimary,
  (i.indkey::pg_catalog.int2[])[0:i.indnkeyatts - 1], NOT EXISTS (
    SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = i.indrelid
      AND a.attnum = ANY((i.indkey::pg_catalog.int2[])[0:i.indnkeyatts - 1])
      AND NOT a.attnotnull)
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
WHERE i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL
  AND i.indexprs IS NULL AND i.indrelid::pg_catalog.int8 = ANY(%s)
ORDER BY NOT i.indisprimary, c.relname
"""

# One that asks for a period of time (PostgreSQL 18) is not of equal values: the server looks at it.
# One that is not valid yet holds for new rows; one that is not enforced (18) for none.
_REFERENCES: LiteralString = """
SELECT conname, conrelid::pg_catalog.int8, conkey, confrelid::pg_catalog.int8, confkey,
  condeferrable
FROM pg_catalog.pg_constraint c WHERE contype = 'f' AND conparentid = 0
  AND coalesce(pg_catalog.to_jsonb(c) ->> 'conperiod', 'false') = 'false'
  AND coalesce(pg_catalog.to_jsonb(c) ->> 'conenforced', 'true') = 'true'
ORDER BY conrelid, conname
"""

_TRIGGERS: LiteralString = """
SELECT c.relname, t.tgname,
  pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname),
  pg_catalog.quote_ident(t.tgname), t.tgenabled = 'A'
FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE NOT t.tgisinternal AND t.tgenabled IN ('O', 'A')
  AND pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) = ANY(%s)
ORDER BY 1, 2
"""


class LivingTables(Struct, frozen=True):
    """``tables`` by table key, without partitions, whose rows are their parent's; also those whose
    rows nothing tells apart (an empty ``known_by``). ``partitions``: by their key, that of the
    table whose rows they have."""

    tables: Mapping[str, PatchTable]
    references: Sequence[PatchReference]
    partitions: frozenset[str]


def living_tables(connection: Connection) -> LivingTables:
    """Raises psycopg's errors."""
    found = {row[0]: row[1:] for row in connection.execute(_TABLES).fetchall()}
    own = [oid for oid, (*_, partition) in found.items() if not partition]
    columns, unique = (
        _grouped(connection.execute(statement, [own])) for statement in (_COLUMNS, _UNIQUE)
    )
    tables, places = {}, {}
    for oid in own:
        schema, name, quoted, partitioned, _ = found[oid]
        known = [one for one in columns[oid] if not one[4]]
        at = places[oid] = {one[0]: place for place, one in enumerate(known)}
        keys = [
            (index, tuple(at[number] for number in numbers), whole)
            for index, _, numbers, whole in unique[oid]
            if all(number in at for number in numbers)
        ]
        index, known_by = next(((index, key) for index, key, whole in keys if whole), ("", ()))
        tables[oid] = PatchTable(
            table_key(schema, name),
            quoted,
            tuple(PatchColumn(*one[1:4], *one[6:]) for one in known),
            known_by,
            index,
            tuple(key for _, key, _ in keys),
            partitioned,
            any(one[5] for one in known),
        )
    return LivingTables(
        {table.key: table for table in tables.values()},
        [*_references(connection, tables, places)],
        frozenset(table_key(*one[:2]) for one in found.values() if one[-1]),
    )


def user_triggers(connection: Connection, tables: Iterable[PatchTable]) -> list[Trigger]:
    """Those that somebody has made for these tables and that run."""
    names = [table.quoted for table in tables]
    return [Trigger(*row) for row in connection.execute(_TRIGGERS, [names])]


def _references(
    connection: Connection,
    tables: Mapping[int, PatchTable],
    places: Mapping[int, Mapping[int, int]],
) -> Iterable[PatchReference]:
    for name, child, columns, parent, there, deferrable in connection.execute(_REFERENCES):
        if child not in tables or parent not in tables:
            continue
        if not {*columns} <= {*places[child]} or not {*there} <= {*places[parent]}:
            continue
        yield PatchReference(
            name,
            tables[child].key,
            tuple(places[child][one] for one in columns),
            tables[parent].key,
            tuple(places[parent][one] for one in there),
            deferrable,
        )


def _grouped(rows: Iterable[Sequence[Any]]) -> Mapping[int, list[Sequence[Any]]]:
    found: defaultdict[int, list[Sequence[Any]]] = defaultdict(list)
    for row in rows:
        found[row[0]].append(row[1:])
    return found
