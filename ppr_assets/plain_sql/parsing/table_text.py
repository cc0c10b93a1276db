"""The statement that makes a table: pg_dump writes each column, and each constraint of the table's
own, on lines of their own."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from ppr_assets.plain_sql.parsing.pieces import NAME, TABLE, unquoted

_TABLE = re.compile(
    rb"CREATE (?:UNLOGGED |FOREIGN )?TABLE " + TABLE + rb"[^\n]* \(\n(.*?)\n\)",
    re.DOTALL,
)
_ITEM = re.compile(
    rb"    (?:CONSTRAINT (?P<constraint>" + NAME + rb")|(?P<column>" + NAME + rb")) "
)
_QUOTE = re.compile(rb"['\"]")
_QUOTED = re.compile(rb"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"")


class TableItem(Struct, frozen=True):
    """A column or, with ``constraint``, a constraint; ``definition`` is what follows its name.
    ``start`` to ``end`` is all of it in the text, without the comma behind it."""

    constraint: bool
    name: str
    definition: bytes
    start: int
    end: int


def made_table(text: bytes) -> tuple[str, str, list[TableItem]] | None:
    """The schema, the name and the items of a CREATE TABLE; None for a partition, or one OF a
    type."""
    found = _TABLE.search(text)
    if found is None:
        return None
    items = [*_items(found[3].split(b"\n"), found.start(3))]
    return unquoted(found[1]), unquoted(found[2]), items


def _items(lines: list[bytes], start: int) -> Iterator[TableItem]:
    """A line that begins neither a column nor a constraint goes on with the one before."""
    items: list[bytes] = []
    for line in _whole_lines(lines):
        if _ITEM.match(line) or not items:
            items.append(line)
        else:
            items[-1] += b"\n" + line
    for item in items:
        if found := _ITEM.match(item):
            constraint = found["constraint"]
            name = unquoted(constraint or found["column"])
            text = item.rstrip(b",")
            end = start + len(text)
            yield TableItem(constraint is not None, name, text[found.end() :], start, end)
        start += len(item) + 1


def _whole_lines(lines: list[bytes]) -> Iterator[bytes]:
    """A newline within a name or a text ends no line."""
    begun: list[bytes] = []
    for line in lines:
        begun.append(line)
        together = b"\n".join(begun)
        if not _QUOTE.search(_QUOTED.sub(b"", together)):
            yield together
            begun = []
