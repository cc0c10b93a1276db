"""Which columns tell the rows of a table apart, as the dump itself says."""

from __future__ import annotations

import re
from collections.abc import Callable

from ppr_assets.plain_sql.parsing.pieces import NAME, NAMES, TABLE, unquoted
from ppr_assets.rules.naming import table_key

_PRIMARY_KEY = re.compile(
    rb"ALTER TABLE ONLY " + TABLE + rb"\s+ADD CONSTRAINT " + NAME + rb" "
    rb"PRIMARY KEY \((" + NAMES + rb")\)"
)
_ONE_NAME = re.compile(NAME)


def primary_key(statement: bytes) -> tuple[str, tuple[str, ...]] | None:
    """The table's key and its columns, if the statement adds a primary key."""
    found = _PRIMARY_KEY.match(statement)
    if found is None:
        return None
    schema, name = unquoted(found.group(1)), unquoted(found.group(2))
    return table_key(schema, name), tuple(map(unquoted, _ONE_NAME.findall(found.group(3))))


def key_reader(columns: list[str], key: tuple[str, ...]) -> Callable[[bytes], bytes]:
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
