"""The keys of tables: those that a statement of pg_dump's makes, read from its first words, and
those that tell rows apart.

Only what is recognised for certain counts: pg_dump qualifies every name, and anything else is
left to run in its place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ppr_assets.plain_sql.parsing.pieces import NAME, NAMES, TABLE, key_of, listed

_INDEX = re.compile(rb"\s*CREATE (?:UNIQUE )?INDEX " + NAME + rb" ON (?:ONLY )?" + TABLE + b" ")
_ADD = TABLE + rb"\s+ADD CONSTRAINT " + NAME
_ALTER = rb"\s*ALTER TABLE (?:ONLY )?" + _ADD
_KEY = re.compile(_ALTER + rb" (?:PRIMARY KEY|UNIQUE|EXCLUDE) ")
_PRIMARY_KEY = re.compile(rb"ALTER TABLE ONLY " + _ADD + rb" PRIMARY KEY \((" + NAMES + rb")\)")
_FOREIGN_KEY = re.compile(
    _ALTER + rb" FOREIGN KEY \((" + NAMES + rb")\) "
    rb"REFERENCES " + TABLE + rb"\((" + NAMES + rb")\)"
)


class Key(NamedTuple):
    """A statement that makes an index, or a constraint with one, on ``table`` (a table key)."""

    table: str
    alters: bool
    """Whether it alters the table, so that nobody else may be at work on it."""


class ForeignKey(NamedTuple):
    """``columns`` of ``table`` hold what the columns ``there`` of the table ``to`` hold."""

    table: str
    columns: tuple[str, ...]
    to: str
    there: tuple[str, ...]


def read_key(text: bytes) -> Key | None:
    if found := _INDEX.match(text):
        return Key(key_of(*found.group(1, 2)), b"\nALTER " in text)
    if found := _KEY.match(text):
        return Key(key_of(*found.group(1, 2)), True)
    return None


def read_foreign_key(text: bytes) -> ForeignKey | None:
    found = _FOREIGN_KEY.match(text)
    if found is None:
        return None
    return ForeignKey(
        key_of(*found.group(1, 2)), listed(found[3]), key_of(*found.group(4, 5)), listed(found[6])
    )


def primary_key(statement: bytes) -> tuple[str, tuple[str, ...]] | None:
    """The table's key and its columns, if the statement adds a primary key."""
    found = _PRIMARY_KEY.match(statement)
    return (key_of(*found.group(1, 2)), listed(found[3])) if found else None


def key_reader(columns: Sequence[str], key: tuple[str, ...]) -> Callable[[bytes], bytes]:
    """A function from a row of these columns to its key; the first column where ``key`` is not
    among them."""
    places = [columns.index(name) for name in key if name in columns]
    if len(places) < len(key) or not places:
        places = [0]
    if places == [0]:
        return lambda row: row.rstrip(b"\n").partition(b"\t")[0]

    def read(row: bytes) -> bytes:
        values = row.rstrip(b"\n").split(b"\t")
        return b"\t".join(values[place] for place in places)

    return read
