"""The columns of the HSDS tables in the database that is there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping

from psycopg import Connection

from ppr_assets.rules.replay.rows.fitting import Column

_COLUMNS = """
SELECT class.relname, attribute.attname,
    CASE base.typtype WHEN 'e' THEN 'enum' ELSE base.typname END,
    attribute.attnotnull OR type.typnotnull,
    attribute.atthasdef OR attribute.attidentity <> '',
    CASE WHEN base.typname IN ('varchar', 'bpchar') AND modifier.typmod > 4
        THEN modifier.typmod - 4 END,
    ARRAY(SELECT enumlabel::pg_catalog.text FROM pg_catalog.pg_enum
        WHERE enumtypid = base.oid)
FROM pg_catalog.pg_attribute AS attribute
JOIN pg_catalog.pg_class AS class ON class.oid = attribute.attrelid
JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = class.relnamespace
JOIN pg_catalog.pg_type AS type ON type.oid = attribute.atttypid
JOIN pg_catalog.pg_type AS base ON base.oid = CASE type.typtype
    WHEN 'd' THEN type.typbasetype ELSE type.oid END
CROSS JOIN LATERAL (SELECT CASE type.typtype
    WHEN 'd' THEN type.typtypmod ELSE attribute.atttypmod END) AS modifier (typmod)
WHERE namespace.nspname = 'public' AND class.relkind IN ('r', 'p') AND class.relname = ANY (%s)
    AND attribute.attnum > 0 AND NOT attribute.attisdropped AND attribute.attgenerated = ''
ORDER BY class.relname, attribute.attnum
"""


def read_columns(
    connection: Connection, tables: Collection[str]
) -> Mapping[str, Mapping[str, Column]]:
    """By table and column, of those of ``tables`` that there are."""
    found: defaultdict[str, dict[str, Column]] = defaultdict(dict)
    for table, name, kind, required, defaulted, length, labels in connection.execute(
        _COLUMNS, [list(tables)]
    ):
        found[table][name] = Column(name, kind, required, defaulted, length, frozenset(labels))
    return found
