"""The tables that a dump makes: columns with their types, keys and comments, as pg_dump writes
them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from ppr_assets.plain_sql.parsing.keys import ForeignKey, primary_key, read_foreign_key
from ppr_assets.plain_sql.parsing.pieces import (
    NAME,
    QUALIFIED,
    TABLE,
    key_of,
    listed,
    unquoted,
)
from ppr_assets.plain_sql.parsing.table_text import made_table
from ppr_assets.rules.naming import table_key

READ_KINDS = frozenset(
    {"TABLE", "CONSTRAINT", "FK CONSTRAINT", "TABLE ATTACH", "COMMENT", "DOMAIN"}
)
"""Kinds of entries that tell of tables."""

_TYPE = re.compile(
    rb'(?P<type>(?:"(?:[^"]|"")*"|[^"])*?)'
    rb"(?: COLLATE| DEFAULT| NOT NULL| GENERATED| CONSTRAINT| STORAGE| COMPRESSION| OPTIONS|\Z)"
)
_ATTACH = re.compile(rb"ALTER TABLE (?:ONLY )?" + TABLE + rb" ATTACH PARTITION " + TABLE + rb" ")
_DOMAIN = re.compile(rb"CREATE DOMAIN (?P<name>" + QUALIFIED + rb") AS (?P<rest>[^;]*)")
_CREATED = re.compile(rb"CREATE (?:UNLOGGED )?TABLE " + TABLE)
_INHERITS = re.compile(
    rb"^\)\s*INHERITS \((" + QUALIFIED + rb"(?:, " + QUALIFIED + rb")*)\)", re.MULTILINE
)
_COMMENT = re.compile(
    rb"COMMENT ON (?P<what>TABLE|COLUMN) " + TABLE + rb"(?:\.(?P<column>" + NAME + rb"))? IS "
    rb"'(?P<text>(?:[^']|'')*)';",
    re.DOTALL,
)


class Column(Struct, frozen=True):
    """``type`` as pg_dump writes it, empty where it is not known; ``comment`` is empty without
    one. ``below``: of a domain, the type that it is made of."""

    name: str
    type: str = ""
    comment: str = ""
    below: str = ""

    @property
    def values(self) -> str:
        """The type of its values."""
        return self.below or self.type


class TableDefinition(Struct):
    """A table of a dump. ``primary_key`` is empty where it has none; ``partitions`` are the keys of
    the tables whose rows it shows beside its own, also those that inherit from it; ``inherits`` the
    keys of the tables that it inherits from itself."""

    schema: str
    name: str
    columns: dict[str, Column] = field(default_factory=dict)
    comment: str = ""
    primary_key: tuple[str, ...] = ()
    foreign_keys: list[ForeignKey] = field(default_factory=list)
    partitions: list[str] = field(default_factory=list)
    inherits: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        return table_key(self.schema, self.name)


def table_definitions(
    statements: Iterable[tuple[str, bytes]],
) -> dict[str, TableDefinition]:
    """By table key, out of the SQL of entries of :data:`READ_KINDS`, each with its kind, in the
    order of the dump."""
    found: dict[str, TableDefinition] = {}
    domains: dict[str, str] = {}
    for kind, text in statements:
        if kind == "DOMAIN":
            domains |= _domain(domains, text)
        elif kind == "TABLE":
            _made(found, text)
        elif kind == "COMMENT":
            _commented(found, text)
        elif kind == "TABLE ATTACH":
            _attached(found, text)
        elif (key := primary_key(text)) is not None:
            if key[0] in found:
                found[key[0]].primary_key = key[1]
        elif (foreign := read_foreign_key(text)) and (table := found.get(foreign.table)):
            table.foreign_keys.append(foreign)
    for table in found.values():
        table.columns = {
            name: replace(one, below=domains.get(one.type, ""))
            for name, one in table.columns.items()
        }
    return found


def _domain(known: Mapping[str, str], text: bytes) -> Mapping[str, str]:
    """Its name, with the type below it, and below those that are ``known``."""
    one = _DOMAIN.search(text)
    if one is None:
        return {}
    below = column_type(b" ".join(one["rest"].split()))
    return {one["name"].decode("utf-8", "replace"): known.get(below, below)}


def parents_told(statement: bytes) -> tuple[str, tuple[str, ...]] | None:
    """The key of a table, and of those whose partition it is or that it inherits from, if the
    statement says that."""
    if one := _ATTACH.match(statement):
        return key_of(*one.group(3, 4)), (_key(one),)
    told, one = _INHERITS.search(statement), _CREATED.match(statement)
    return (_key(one), _parents(told)) if told and one else None


def column_type(definition: bytes) -> str:
    """The type at the beginning of a column's definition."""
    found = _TYPE.match(definition)
    return found["type"].decode("utf-8", "replace").strip() if found else ""


def _made(found: dict[str, TableDefinition], text: bytes) -> None:
    made = made_table(text)
    if made is None:
        return
    schema, name, items = made
    columns = {
        item.name: Column(item.name, column_type(item.definition))
        for item in items
        if not item.constraint
    }
    table = TableDefinition(schema, name, columns)
    if told := _INHERITS.search(text):
        table.inherits = _parents(told)
    for parent in table.inherits:
        if parent in found:
            found[parent].partitions.append(table.key)
            table.columns = found[parent].columns | table.columns
    found[table.key] = table


def _parents(told: re.Match[bytes]) -> tuple[str, ...]:
    names = listed(told[1])
    return tuple(map(table_key, names[::2], names[1::2]))


def _attached(found: Mapping[str, TableDefinition], text: bytes) -> None:
    if (one := _ATTACH.search(text)) and (parent := found.get(_key(one))):
        parent.partitions.append(key_of(*one.group(3, 4)))


def _commented(found: Mapping[str, TableDefinition], text: bytes) -> None:
    one = _COMMENT.match(text)
    table = found.get(key_of(*one.group(2, 3))) if one else None
    if one is None or table is None:
        return
    told = one["text"].replace(b"''", b"'").decode("utf-8", "replace")
    column = unquoted(one["column"]) if one["column"] else ""
    if one["what"] == b"TABLE":
        table.comment = told
    elif column in table.columns:
        table.columns[column] = Column(column, table.columns[column].type, told)


def _key(found: re.Match[bytes]) -> str:
    return key_of(*found.group(1, 2))
