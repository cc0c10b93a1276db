"""A table that needs something that is not there, made without what needs it: the server itself
says where in the statement that stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import LiteralString

import psycopg

from ppr_assets.plain_sql.parsing.layout import Layout
from ppr_assets.plain_sql.tables.shortened import TablePart, without_part_at
from ppr_assets.postgres.sessions.session import Connection

NAMED: LiteralString = """
pg_catalog.unnest(%s::pg_catalog.bytea[]) AS wanted (name) CROSS JOIN pg_catalog.to_regclass(
  pg_catalog.convert_from(name, pg_catalog.current_setting('client_encoding'))) AS relation
"""
"""Tables by the bytes of their names, which are in the dump's encoding, as the session is."""

_COLUMNS: LiteralString = f"""
SELECT name, pg_catalog.array_agg(a.attname::pg_catalog.text) FROM {NAMED}
JOIN pg_catalog.pg_attribute a ON a.attrelid = relation
WHERE a.attnum > 0 AND NOT a.attisdropped GROUP BY name
"""  # noqa: S608 - put together from constants

Tried = Callable[[bytes], psycopg.Error | None]
"""Runs statements, and says why they were refused."""


def shortened_table(
    text: bytes,
    error: psycopg.Error,
    tried: Tried,
    *,
    encoding: str,
    missing: tuple[type[psycopg.Error], ...],
) -> tuple[bytes, Sequence[tuple[TablePart, psycopg.Error]]] | None:
    """A table's statements as they were taken in the end, and what went, with the reason; None
    where that does not help. The first ``error`` and all others have to be of what is ``missing``.
    """
    parts: list[tuple[TablePart, psycopg.Error]] = []
    refusal: psycopg.Error | None = error
    while refusal is not None:
        position = refusal.diag.statement_position
        if position is None or not isinstance(refusal, missing):
            return None
        before = text.decode(encoding, "surrogateescape")[: int(position) - 1]
        shorter = without_part_at(text, len(before.encode(encoding, "surrogateescape")))
        if shorter is None:
            return None
        text, part = shorter
        parts.append((part, refusal))
        refusal = tried(text)
    return text, parts


def lacking_columns(connection: Connection, layout: Layout) -> Mapping[str, frozenset[str]]:
    """Columns that the dump has values of and the tables made from it have not, by table key; also
    those that a table would inherit."""
    blocks = {block.table: block for block in layout.blocks.values()}
    lacking = {}
    for name, there in connection.execute(_COLUMNS, [[*blocks]]):
        if gone := frozenset(blocks[name].columns).difference(there):
            lacking[blocks[name].key] = gone
    return lacking
