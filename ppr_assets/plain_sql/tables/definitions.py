"""The tables that a dump makes: columns with their types, keys and comments, as pg_dump writes
them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from ppr_assets.plain_sql.parsing.pieces import NAME, NAMES, unquoted
from ppr_assets.plain_sql.parsing.row_keys import primary_key
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
_OF_TABLE = rb"(?P<schema>" + NAME + rb")\.(?P<table>" + NAME + rb")"
_FOREIGN_KEY = re.compile(
    rb"ALTER TABLE (?:ONLY )?" + _OF_TABLE + rb"\s+ADD CONSTRAINT " + NAME + rb" FOREIGN KEY "
    rb"\((?P<columns>" + NAMES + rb")\) REFERENCES "
    rb"(?P<to_schema>" + NAME + rb")\.(?P<to>" + NAME + rb")\((?P<there>" + NAMES + rb")\)"
)
_ATTACH = re.compile(
    rb"ALTER TABLE (?:ONLY )?" + _OF_TABLE + rb" ATTACH PARTITION "
    rb"(?P<part_schema>" + NAME + rb")\.(?P<part>" + NAME + rb") "
)
_DOMAIN = re.compile(rb"CREATE DOMAIN (?P<name>" + NAME + rb"\." + NAME + rb") AS (?P<rest>[^;]*)")
_CREATED = re.compile(rb"CREATE (?:UNLOGGED )?TABLE " + _OF_TABLE)
_INHERITS = re.compile(
    rb"^\)\s*INHERITS \((?P<parents>"
    + NAME
    + rb"\."
    + NAME
    + rb"(?:, "
    + NAME
    + rb"\."
    + NAME
    + rb")*)\)",
    re.MULTILINE,
)
_COMMENT = re.compile(
    rb"COMMENT ON (?P<what>TABLE|COLUMN) " + _OF_TABLE + rb"(?:\.(?P<column>" + NAME + rb"))? IS "
    rb"'(?P<text>(?:[^']|'')*)';",
    re.DOTALL,
)
_ONE_NAME = re.compile(NAME)


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


class ForeignKey(Struct, frozen=True):
    """``columns`` hold what the columns ``there`` of the table ``to`` (a table key) hold."""

    columns: tuple[str, ...]
    to: str
    there: tuple[str, ...]


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
        elif (one := _FOREIGN_KEY.match(text)) and (table := found.get(_key(one))):
            to = table_key(unquoted(one["to_schema"]), unquoted(one["to"]))
            table.foreign_keys.append(ForeignKey(_list(one["columns"]), to, _list(one["there"])))
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
        part = table_key(unquoted(one["part_schema"]), unquoted(one["part"]))
        return part, (_key(one),)
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
    names = _list(told["parents"])
    return tuple(map(table_key, names[::2], names[1::2]))


def _attached(found: Mapping[str, TableDefinition], text: bytes) -> None:
    if (one := _ATTACH.search(text)) and (parent := found.get(_key(one))):
        part = table_key(unquoted(one["part_schema"]), unquoted(one["part"]))
        parent.partitions.append(part)


def _commented(found: Mapping[str, TableDefinition], text: bytes) -> None:
    one = _COMMENT.match(text)
    table = found.get(_key(one)) if one else None
    if one is None or table is None:
        return
    told = one["text"].replace(b"''", b"'").decode("utf-8", "replace")
    column = unquoted(one["column"]) if one["column"] else ""
    if one["what"] == b"TABLE":
        table.comment = told
    elif column in table.columns:
        table.columns[column] = Column(column, table.columns[column].type, told)


def _key(found: re.Match[bytes]) -> str:
    return table_key(unquoted(found["schema"]), unquoted(found["table"]))


def _list(names: bytes) -> tuple[str, ...]:
    return tuple(map(unquoted, _ONE_NAME.findall(names)))
