"""What a plain-SQL dump is made of: lines of SQL, psql's ``\\restrict``, and tables' rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct

from ppr_assets.rules.naming import QUOTED_NAME, table_key

NAME = rb"(?:" + QUOTED_NAME.encode() + rb'|[^\s".(),;]+)'
"""An identifier as pg_dump writes it; its groups are none."""
NAMES = NAME + rb"(?:, " + NAME + rb")*"
QUALIFIED = NAME + rb"\." + NAME
"""Schema and name; its groups are none."""
TABLE = rb"(" + NAME + rb")\.(" + NAME + rb")"
"""The same, a group each."""
_COPY = re.compile(
    rb"COPY " + TABLE + rb" "
    rb"(?:\((" + NAMES + rb")\))? ?FROM stdin;\n"
)
_ONE_NAME = re.compile(NAME)
ENCODING = re.compile(rb"SET client_encoding = '([^']*)';")


class Line(Struct, frozen=True):
    """A line of SQL. ``begins``: a statement begins with it; ``ends``: one ends with it;
    ``between``: it is a comment or blank, and no statement is open; ``quoted``: it begins inside a
    text or a comment."""

    start: int
    text: bytes
    begins: bool = False
    ends: bool = False
    between: bool = False
    quoted: bool = False


class Restrict(Struct, frozen=True):
    """``\\restrict``, or its partner. ``key_start`` is an index into ``text``."""

    start: int
    text: bytes
    key: str
    key_start: int


class CopyRows(Struct, frozen=True):
    """A COPY statement for these ``columns``, and its rows in chunks of whole rows, to be read
    before going on."""

    start: int
    statement: bytes
    schema: str
    name: str
    columns: Sequence[str]
    rows: Iterator[bytes]

    @property
    def key(self) -> str:
        return table_key(self.schema, self.name)


Piece = Line | Restrict | CopyRows


def copy_rows(
    start: int, statement: bytes, rows: Callable[[str], Iterator[bytes]]
) -> CopyRows | None:
    """Read a COPY statement as pg_dump writes it; None if it is none of those. ``rows`` gives the
    rows that follow, by the table's key."""
    found = _COPY.fullmatch(statement)
    if found is None:
        return None
    schema, name = unquoted(found.group(1)), unquoted(found.group(2))
    columns = listed(found.group(3) or b"")
    return CopyRows(start, statement, schema, name, columns, rows(table_key(schema, name)))


def listed(names: bytes) -> tuple[str, ...]:
    """Identifiers with commas, or dots, between them."""
    return tuple(map(unquoted, _ONE_NAME.findall(names)))


def key_of(schema: bytes, name: bytes) -> str:
    """The key of the table with this schema and name."""
    return table_key(unquoted(schema), unquoted(name))


def unquoted(name: bytes) -> str:
    """An identifier as the catalog has it."""
    if name.startswith(b'"'):
        name = name[1:-1].replace(b'""', b'"')
    return name.decode("utf-8", "surrogateescape")


def quoted(*names: str) -> bytes:
    """The opposite, with its schema; whatever bytes the catalog has."""
    parts = (name.encode("utf-8", "surrogateescape").replace(b'"', b'""') for name in names)
    return b".".join(b'"' + part + b'"' for part in parts)


def shown(text: bytes) -> str:
    """The beginning of ``text`` for a message."""
    return repr(text[:80].decode("utf-8", "replace").rstrip("\n"))
