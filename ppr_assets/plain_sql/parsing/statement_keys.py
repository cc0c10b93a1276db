"""What a statement of pg_dump's is about, read from its first words.

Only what is recognised for certain counts: pg_dump qualifies every name, and anything else is
left to run in its place.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ppr_assets.plain_sql.parsing.pieces import NAME, NAMES, TABLE, unquoted
from ppr_assets.rules.naming import table_key

_COPY = re.compile(rb"COPY (" + NAME + rb"\." + NAME + rb") .*", re.DOTALL)
_INDEX = re.compile(rb"\s*CREATE (?:UNIQUE )?INDEX " + NAME + rb" ON (?:ONLY )?" + TABLE + b" ")
_ADD = rb"\s+ADD CONSTRAINT " + NAME
_KEY = re.compile(
    rb"\s*ALTER TABLE (?:ONLY )?" + TABLE + _ADD + rb" (?:PRIMARY KEY|UNIQUE|EXCLUDE) "
)
_COLUMNS = rb"\(" + NAMES + rb"\)"
_FOREIGN_KEY = re.compile(
    rb"\s*ALTER TABLE ONLY " + TABLE + _ADD
    + rb" FOREIGN KEY " + _COLUMNS + rb" REFERENCES " + TABLE + rb"\("
)  # fmt: skip


class Key(NamedTuple):
    """A statement that makes an index, or a constraint with one, on ``table`` (a table key)."""

    table: str
    alters: bool
    """Whether it alters the table, so that nobody else may be at work on it."""


def read_key(text: bytes) -> Key | None:
    if found := _INDEX.match(text):
        return Key(_key_of(*found.group(1, 2)), b"\nALTER " in text)
    if found := _KEY.match(text):
        return Key(_key_of(*found.group(1, 2)), True)
    return None


def read_foreign_key(text: bytes) -> frozenset[str] | None:
    """The keys of the two tables, which may be one."""
    found = _FOREIGN_KEY.match(text)
    if found is None:
        return None
    return frozenset({_key_of(*found.group(1, 2)), _key_of(*found.group(3, 4))})


def table_of_copy(statement: bytes) -> bytes:
    """The table's name in a COPY statement, qualified and quoted as it stands there."""
    return _COPY.sub(rb"\1", statement)


def _key_of(schema: bytes, name: bytes) -> str:
    return table_key(unquoted(schema), unquoted(name))
