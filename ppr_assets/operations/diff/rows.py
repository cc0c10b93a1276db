"""The rows of one table in two dumps, by key."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from ppr_assets.operations.diff.opened import OpenedDump, split_rows
from ppr_assets.operations.diff.records import Row, TableDiff
from ppr_assets.plain_sql.parsing.row_keys import key_reader
from ppr_assets.plain_sql.parsing.sorted_rows import SortedRows
from ppr_assets.rules.comparison import differing_rows

_DIGEST = 16
_SAME_KEY = 1000


def table_diff(table: str, one: OpenedDump, other: OpenedDump) -> TableDiff:
    here, there = one.blocks.get(table), other.blocks.get(table)
    sides = {"before": one.columns(table), "after": other.columns(table)}
    some = sides["after"] or sides["before"]
    key = other.keys.get(table) or one.keys.get(table) or tuple(some[:1])
    readers = {side: key_reader(columns, key) for side, columns in sides.items()}
    found = TableDiff(table, here.rows if here else None, there.rows if there else None, key)
    with SortedRows(one.spill_folder) as by_key:
        for side, row in differing_rows(one.rows(table), other.rows(table)):
            digest = hashlib.blake2b(readers[side](row), digest_size=_DIGEST).hexdigest()
            by_key.add(f"{digest}{side[0]}".encode() + row)
        rows = (row for block in by_key.blocks() for row in split_rows(block))
        for before, after in _pairs(rows):
            found.count(
                _values(sides["before"], before) if before is not None else None,
                _values(sides["after"], after) if after is not None else None,
            )
    found.examples.sort(key=lambda example: (example.before is not None, example.after is not None))
    return found


def _pairs(rows: Iterator[bytes]) -> Iterator[tuple[bytes | None, bytes | None]]:
    """Rows with the same key, one from each side; alone what has none on the other side.

    Those from after (``a``) stand above those from before (``b``), where both have the key. If
    thousands share one, it is not a key, and to hold them all for pairs would take memory.
    """
    size = 2 * _DIGEST
    waiting: list[bytes] = []
    key = b""
    for line in rows:
        if line[:size] != key:
            yield from ((None, row) for row in waiting)
            key, waiting = line[:size], []
        row = line[size + 1 :]
        if line[size : size + 1] == b"b":
            yield row, (waiting.pop() if waiting else None)
        elif len(waiting) < _SAME_KEY:
            waiting.append(row)
        else:
            yield None, row
    yield from ((None, row) for row in waiting)


def _values(columns: list[str], row: bytes) -> Row:
    values = row.rstrip(b"\n").decode("utf-8", "replace").split("\t")
    return {
        column: None if value == "\\N" else value
        for column, value in zip(columns, values, strict=False)
    }
