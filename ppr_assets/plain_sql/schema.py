"""The schema that a dump makes, to be held to another dump's: names, each with a digest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from msgspec.structs import replace

from ppr_assets.plain_sql.parsing.entries import CopyBlock, Entry, EntryCollector
from ppr_assets.plain_sql.parsing.grammar import pieces
from ppr_assets.plain_sql.parsing.pieces import CopyRows, Line
from ppr_assets.plain_sql.parsing.table_text import TableItem, made_table
from ppr_assets.rules.naming import quote_identifier, table_key
from ppr_assets.rules.profile.schema import Schema

_LEFT_OUT = frozenset(
    {
        *("TABLE DATA", "SEQUENCE SET", "STATISTICS DATA", "MATERIALIZED VIEW DATA"),
        *("BLOB", "BLOBS", "BLOB METADATA", "COMMENT"),
    }
)
"""Kinds of entries that are no part of the schema, or only describe it."""
_OF_A_TABLE = frozenset({"CONSTRAINT", "FK CONSTRAINT", "CHECK CONSTRAINT", "TRIGGER", "RULE"})
"""Kinds whose entries are named by their table and their own name."""
_LARGE_OBJECT = b"SELECT pg_catalog.lo"
_DIGITS = 6
"""Of a digest: enough for one definition to be told from the next."""


class SchemaReader:
    """Takes the pieces of a dump in their order, and keeps what is not rows."""

    def __init__(self) -> None:
        self._entries = EntryCollector()
        self._text = bytearray()

    def line(self, line: Line) -> None:
        at = len(self._text)
        self._entries.line(Line(at, line.text, line.begins, line.ends, line.between, line.quoted))
        if not line.text.startswith(_LARGE_OBJECT):  # which may be of any size
            self._text += line.text

    def copy(self, copy: CopyRows) -> None:
        at = len(self._text)
        block = CopyBlock(copy.key, b"", (), at, at, 0, "")
        self._entries.copy(replace(copy, start=at), block)

    def finished(self) -> Schema:
        tables: dict[str, dict[str, str]] = {}
        objects: dict[str, str] = {}
        for entry in self._entries.finished():
            if entry.kind in _LEFT_OUT:
                continue
            text = bytes(self._text[entry.start : entry.end])
            if entry.kind == "TABLE":
                key, items = _table(entry, text)
                columns = tables.setdefault(key, {})
                for item in items:
                    # the same for all columns of a type, which packs well
                    definition = _digest(item.definition)
                    if item.constraint:
                        objects[f"constraint {quote_identifier(item.name)} of {key}"] = definition
                    else:
                        columns[item.name] = definition
            else:
                name = _named(entry)
                objects[name] = _digest(objects.get(name, "").encode() + text)
        return Schema(tables, objects)


def schema_of(chunks: Iterable[bytes]) -> Schema:
    """Of what pg_dump writes of a database without its rows."""
    reader = SchemaReader()
    for piece in pieces(chunks):
        if isinstance(piece, Line):
            reader.line(piece)
    return reader.finished()


def _table(entry: Entry, text: bytes) -> tuple[str, list[TableItem]]:
    """Its key, and what stands between the brackets of CREATE TABLE. The comment above has its name
    without newlines."""
    found = made_table(text)
    if found is None:  # a partition, or one OF a type
        return table_key(entry.schema, entry.name), []
    schema, name, items = found
    return table_key(schema, name), items


def _named(entry: Entry) -> str:
    kind = entry.kind.lower()
    schema = "public" if entry.schema == "-" else entry.schema
    if entry.kind in _OF_A_TABLE and entry.name.count(" ") == 1:
        table, name = entry.name.split(" ")
        kind = "constraint" if kind.endswith("constraint") else kind
        return f"{kind} {quote_identifier(name)} of {table_key(schema, table)}"
    return f"{kind} {entry.name}" if schema == "public" else f"{kind} {schema}.{entry.name}"


def _digest(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()[:_DIGITS]
