"""One record through dumps that differ a little. Of a dump that has all SQL as the one before, and
rows between the same places, only the rows of the record's table are looked at.

Nothing is taken for granted: what cannot be told from what was copied is read from the beginning.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from ppr_assets.errors import DumpDamaged
from ppr_assets.plain_sql.parsing.grammar import pieces
from ppr_assets.plain_sql.parsing.pieces import CopyRows
from ppr_assets.plain_sql.tables.one_record import (
    FoundRecord,
    Seen,
    SoughtRecord,
    ancestors,
    look,
    row_in,
)

_HEAD = b" FROM stdin;\n"
_END = b"\n\\.\n"
_RESTRICT = re.compile(rb"^\\restrict (\w+)\n", re.MULTILINE)
_CHUNK = 128 * 1024

Ranges = Sequence[tuple[int, int]]
"""Bytes from and to, in order."""

Copies = Sequence[tuple[int, int, int]]
"""What a dump has of the one before: from where on, from where on there, how many bytes."""


class Followed(Struct, frozen=True):
    """``rows`` of each COPY, ``sql`` is what stands around them but for the key of ``\\restrict``,
    and ``seen`` what that says of the table. ``place`` is where the record stands."""

    found: FoundRecord
    rows: Ranges
    sql: bytes
    seen: Seen
    place: tuple[int, int] | None


def read_record(data: bytearray, sought: SoughtRecord) -> Followed:
    """Raises :class:`DumpDamaged`."""
    rows = []
    for piece in pieces(_chunks(data)):
        if isinstance(piece, CopyRows):
            start = piece.start + len(piece.statement)
            rows.append((start, start + sum(map(len, piece.rows))))
    sql = _around(data, rows)
    return _found(data, rows, _without_key(sql), look([sql], sought), sought)


def follow_record(
    before: Followed, data: bytearray, copies: Copies, sought: SoughtRecord
) -> Followed:
    """The same where ``before`` is known. Raises :class:`DumpDamaged`."""
    rows = _moved(before, data, copies)
    if rows is None:
        return read_record(data, sought)
    sql = _around(data, rows)
    same = _without_key(sql)
    if same == before.sql and before.seen.key and before.seen.block is not None:
        return _followed(before, data, copies, rows, sought)
    try:
        seen = look([sql], sought)
    except DumpDamaged:  # in other words: what is wrong stands elsewhere in the whole dump
        return read_record(data, sought)
    if seen.blocks != len(rows) or sql.count(_HEAD + _END[1:]) != len(rows):
        return read_record(data, sought)  # rows are in what was taken for SQL
    return _found(data, rows, same, seen, sought)


def _found(data: bytearray, rows: Ranges, sql: bytes, seen: Seen, sought: SoughtRecord) -> Followed:
    parents = ancestors(seen, sought.table)
    if seen.block is None:
        return Followed(FoundRecord(None, seen.key, False, parents), rows, sql, seen, None)
    start, end = rows[seen.block]
    seen = replace(seen, used=seen.key or seen.used)
    row, *place = row_in(data, start, end, seen, sought) or (None,)
    there = (place[0], place[1]) if place else None
    return Followed(FoundRecord(row, seen.key, True, parents), rows, sql, seen, there)


def _followed(
    before: Followed, data: bytearray, copies: Copies, rows: Ranges, sought: SoughtRecord
) -> Followed:
    """By a primary key, so that there is no more than one: where it stood, if that was copied, or
    among the rows that were not."""
    assert before.seen.block is not None
    was, now = before.rows[before.seen.block], rows[before.seen.block]
    if before.place is not None:
        begins, ends = before.place
        for target, source, length in copies:
            at = target - source + begins
            if source < begins and ends < source + length and now[0] <= at < now[1]:
                return replace(before, rows=rows, place=(at, at + ends - begins))
    for start, end in _changed(data, copies, was, now):
        if found := row_in(data, start, end, before.seen, sought):
            row, *place = found
            record = replace(before.found, row=row)
            return replace(before, found=record, rows=rows, place=(place[0], place[1]))
    return replace(before, found=replace(before.found, row=None), rows=rows, place=None)


def _changed(
    data: bytearray, copies: Copies, was: tuple[int, int], now: tuple[int, int]
) -> Iterator[tuple[int, int]]:
    """Whole rows of a table that are not whole in one copy of its rows."""
    done, end = now
    for target, source, length in copies:
        first, last = max(source, was[0]), min(source + length, was[1])
        begins, ends = target + first - source, target + last - source
        if first >= last or not now[0] <= begins <= ends <= now[1]:
            continue
        if begins > now[0] or first > was[0]:  # the row that it begins in may be another there
            yield data.rfind(b"\n", now[0], done) + 1 or now[0], data.find(b"\n", begins) + 1
        done = ends
    if done < end:
        yield data.rfind(b"\n", now[0], done) + 1 or now[0], end


def _moved(before: Followed, data: bytearray, copies: Copies) -> Ranges | None:
    """Where the rows are now; None where what begins and ends them was not copied once and in its
    order, or something else ends rows."""
    if before.sql.count(_END) != len(before.rows):  # one is in a text
        return None
    starts, ends = ([*some] for some in zip(*before.rows, strict=True)) if before.rows else ([], [])
    begun: list[tuple[int, int]] = []
    ended: list[tuple[int, int]] = []
    after = 0
    for target, source, length in copies:
        if data.find(_END, max(after - 3, 0), target + 3) >= 0:
            return None
        after = target + length
        low, high = bisect_left(starts, source + len(_HEAD)), bisect_right(starts, source + length)
        begun += [(one, starts[one] + target - source) for one in range(low, high)]
        low, high = bisect_left(ends, source + 1), bisect_right(ends, source + length - 3)
        ended += [(one, ends[one] + target - source) for one in range(low, high)]
    if data.find(_END, max(after - 3, 0)) >= 0:
        return None
    places = [place for both in zip(begun, ended, strict=False) for place in both]
    expected = [one for number in range(len(starts)) for one in (number, number)]
    if len(begun) != len(ended) or [one for one, _ in places] != expected:
        return None
    flat = [at for _, at in places]
    return [*zip(flat[::2], flat[1::2], strict=True)] if flat == sorted(flat) else None


def _around(data: bytearray, rows: Ranges) -> bytes:
    edges = [0, *(at for both in rows for at in both), len(data)]
    return b"".join(data[start:end] for start, end in zip(edges[::2], edges[1::2], strict=True))


def _without_key(sql: bytes) -> bytes:
    """As both commands have it; another one at the end stays."""
    found = _RESTRICT.search(sql)
    return sql.replace(b"restrict " + found[1] + b"\n", b"restrict\n") if found else sql


def _chunks(data: bytearray) -> Iterator[bytes]:
    return (bytes(data[at : at + _CHUNK]) for at in range(0, len(data), _CHUNK))
