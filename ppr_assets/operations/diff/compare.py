"""Two dumps side by side: the rows of each table, by key, and the objects."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator
from difflib import get_close_matches
from typing import Literal

from msgspec import Struct

from ppr_assets.errors import SettingsError
from ppr_assets.operations.diff.alike import other_ids
from ppr_assets.operations.diff.opened import OpenedDump, split_rows
from ppr_assets.operations.diff.records import (
    EXAMPLES,
    DumpDiff,
    SchemaDiff,
    TableDiff,
    WithheldDiff,
    row_values,
)
from ppr_assets.operations.sources.wanted import FoundDump
from ppr_assets.plain_sql.parsing.keys import key_reader
from ppr_assets.plain_sql.parsing.sorted_rows import SortedRows
from ppr_assets.progress import stage

_DIGEST = 16
_SAME_KEY = 1000

Side = Literal["before", "after"]


class Focus(Struct, frozen=True):
    """The ``tables`` that are compared, all where there are none, and how many ``examples`` of each
    kind of change are shown."""

    tables: Collection[str] = ()
    examples: int = EXAMPLES


EVERYTHING = Focus()


def diff(before: FoundDump, after: FoundDump, focus: Focus = EVERYTHING) -> DumpDiff:
    """Compare two dumps. Raises :class:`DumpDamaged` when one is not whole, or not what its
    manifest says: a comparison would name the damage as a change; and :class:`SettingsError` for a
    table that neither of them has."""
    one, other = OpenedDump(before), OpenedDump(after)
    withheld = (*withheld_otherwise(one, other),)
    whole = {each.what.table for each in withheld if not each.what.column}
    tables, same = [], 0
    names = _tables(one, other, focus, whole)
    alike = {table for table in names if _alike(table, one, other)}
    held = sum(each.rows_bytes(table) for each in (one, other) for table in {*names} - alike)
    with stage("comparing rows", held):
        for table in names:
            unseen = {each.what.column for each in withheld if each.what.table == table}
            found = (
                None if table in alike else _table_diff(table, one, other, unseen, focus.examples)
            )
            if found is None or (unseen and not found):
                same += 1
            else:
                tables.append(found)
    return DumpDiff(
        before=before.name,
        after=after.name,
        tables=tuple(tables),
        same=same,
        schema=tuple(_schema(one, other)),
        server_versions=(one.layout.server_version, other.layout.server_version),
        withheld=withheld,
        other_ids=tuple(other_ids(one, other, tables)),
    )


def _tables(
    one: OpenedDump, other: OpenedDump, focus: Focus, withheld: Collection[str]
) -> list[str]:
    there = one.blocks.keys() | other.blocks.keys()
    for table in focus.tables:
        if table not in there:
            near = get_close_matches(table, there, 1)
            raise SettingsError(
                f"neither {one.name} nor {other.name} has rows of a table {table}",
                hint=f"did you mean {near[0]}?" if near else "`--stat` names those that differ.",
            )
    return sorted({*(focus.tables or there)} - {*withheld})


def _alike(table: str, one: OpenedDump, other: OpenedDump) -> bool:
    here, there = one.blocks.get(table), other.blocks.get(table)
    return bool(here and there and (here.rows, here.sha256) == (there.rows, there.sha256))


def _schema(one: OpenedDump, other: OpenedDump) -> Iterator[SchemaDiff]:
    for name in sorted(one.objects.keys() | other.objects.keys()):
        here, there = one.objects.get(name), other.objects.get(name)
        if here != there:
            how = "added" if here is None else "removed" if there is None else "changed"
            yield SchemaDiff(how, *name)


def _table_diff(
    table: str, one: OpenedDump, other: OpenedDump, unseen: Collection[str], most: int
) -> TableDiff:
    here, there = one.blocks.get(table), other.blocks.get(table)
    sides = {"before": one.columns(table), "after": other.columns(table)}
    seen = [name for name in sides["after"] or sides["before"] if name not in unseen]
    key = other.keys.get(table) or one.keys.get(table) or tuple(seen[:1])
    readers = {side: key_reader(columns, key) for side, columns in sides.items()}
    rows = (here.rows if here else None, there.rows if there else None)
    found = TableDiff(table, *rows, key, most=most)
    with SortedRows(one.spill_folder) as by_key:
        for side, row in differing_rows(one.rows(table, unseen), other.rows(table, unseen)):
            digest = hashlib.blake2b(readers[side](row), digest_size=_DIGEST).hexdigest()
            by_key.add(f"{digest}{side[0]}".encode() + row)
        sorted_rows = (row for block in by_key.blocks() for row in split_rows(block))
        for before, after in _pairs(sorted_rows):
            found.count(
                row_values(sides["before"], before) if before is not None else None,
                row_values(sides["after"], after) if after is not None else None,
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


def differing_rows(before: Iterable[bytes], after: Iterable[bytes]) -> Iterator[tuple[Side, bytes]]:
    """The rows that only one side has, in their order, in the memory of one row of each; both sides
    are sorted by their bytes.

    A row that one side has more often than the other comes as often as it is left over.
    """
    ours, theirs = iter(before), iter(after)
    here, there = next(ours, None), next(theirs, None)
    while here is not None or there is not None:
        if here == there:
            here, there = next(ours, None), next(theirs, None)
        elif there is None or (here is not None and here < there):
            assert here is not None  # at least one of them is a row
            yield "before", here
            here = next(ours, None)
        else:
            yield "after", there
            there = next(theirs, None)


def withheld_otherwise(one: OpenedDump, other: OpenedDump) -> Iterator[WithheldDiff]:
    """What one of two dumps withholds and the other does not: told once, as the decision that it
    is. Rows that differ in nothing else have not changed.

    By table and column; of a table without its rows, no columns. A dump without a manifest does
    not tell what it withholds, so that nothing is said of either.
    """
    if one.withheld is None or other.withheld is None:
        return
    for place in sorted(one.withheld.keys() | other.withheld.keys()):
        then, now = one.withheld.get(place), other.withheld.get(place)
        if then is None and now is not None and _published(one, *place):
            yield WithheldDiff("withheld since", now)
        elif now is None and then is not None and _published(other, *place):
            yield WithheldDiff("withheld no longer", then)
        elif now and then and (now.rule, now.text) != (then.rule, then.text):
            yield WithheldDiff("withheld otherwise", now)


def _published(dump: OpenedDump, table: str, column: str) -> bool:
    """Whether the dump has it: what is new is not withheld *since*."""
    return column in dump.columns(table) if column else table in dump.blocks
