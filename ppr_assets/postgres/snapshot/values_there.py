"""How many values stand in columns of a table: what a dump without them would take away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import LiteralString

from ppr_assets.plain_sql.parsing.pieces import quoted
from ppr_assets.postgres.sessions.session import Connection
from ppr_assets.rules.naming import key_names

_COLUMNS: LiteralString = """
SELECT a.attname FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relname = %s AND c.relkind = 'r'
  AND a.attnum > 0 AND NOT a.attisdropped
"""


def count_values(
    connection: Connection, table: str, columns: Mapping[str, str | None]
) -> Mapping[str, int]:
    """By column of ``table``, a table key, those of ``columns`` that are there: how many rows have
    a value in it other than the text given (None: any value). None for what is not a table.

    Raises psycopg's errors for a table that cannot be read.
    """
    schema, name = key_names(table)
    there = {column for (column,) in connection.execute(_COLUMNS, [schema, name])}
    wanted = [column for column in columns if column in there]
    if not wanted:
        return {}
    counts = b", ".join(_count(column, columns[column]) for column in wanted)
    query = b"SELECT " + counts + b" FROM ONLY " + _escaped(quoted(schema, name))
    row = connection.execute(query, [text for one in wanted if (text := columns[one]) is not None])
    return dict(zip(wanted, row.fetchone() or (), strict=True))


def _count(column: str, text: str | None) -> bytes:
    value = _escaped(quoted(column))
    if text is None:
        return b"pg_catalog.count(" + value + b")"
    return b"pg_catalog.count(*) FILTER (WHERE " + value + b"::pg_catalog.text <> %s)"


def _escaped(name: bytes) -> bytes:
    return name.replace(b"%", b"%%")
