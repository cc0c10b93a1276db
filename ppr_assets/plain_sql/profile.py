"""The profile of a table, taken from its sorted rows on their way into a dump.

Taking every value apart would cost a third of a dump. So the columns of large tables are judged by
a sample: one row out of each stretch of the rows in the order of their bytes, which is the same
however PostgreSQL wrote them. How many rows have a value is counted in all rows of the core tables,
and rows by scraper and state in every table that has them. What is done, is done for a column at
once, by what Python does in C.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from typing import Any

from ppr_assets.rules.policy import CORE_TABLES
from ppr_assets.rules.profile.columns import ColumnProfile, Points, TableProfile

SAMPLE = 1024
"""Rows of a table that are looked at."""
SAMPLE_BYTES = 8 * 1024 * 1024
"""About as many bytes of them, where rows are long."""
GROUPED_BY = ("scraper_id", "state_province")
"""Columns whose values part a table into what may be lost as a whole."""
GROUPS = 200
"""The largest of them that are kept."""

_TOO_MANY_GROUPS = 5_000
_GROUP_NAME = re.compile(rb"[^\x00-\x1f\\\x7f]{1,60}")
_PAIRS = (("latitude", "longitude"), ("lat", "lon"), ("lat", "lng"), ("lat", "long"))
_GOLDEN = (5**0.5 - 1) / 2
_NULL = b"\\N"
_MOMENT = re.compile(rb"\d{4}-\d\d-\d\d \d\d:\d\d")
_DAY = len("2025-08-01")
_ESCAPED = re.compile(rb"\\.", re.DOTALL)
_AT_ONCE = 4096


class TableProfiler:
    """Takes the rows of a table in the order of their bytes, without their newlines.

    ``rows`` and ``size`` (in bytes) are those of the whole table, known when its rows are sorted.
    """

    def __init__(self, key: str, columns: Sequence[str], *, rows: int, size: int) -> None:
        self._columns = columns
        self._rows = rows
        wanted = min(rows, SAMPLE, max(1, rows * SAMPLE_BYTES // max(size, 1)))
        self._places = range(rows) if wanted == rows else _places(rows, wanted)
        self._seen = 0
        self._sample: list[bytes] = []
        self._nulls = Counter[int]() if key in CORE_TABLES and wanted < rows else None
        self._empty = Counter[int]()
        self._groups = {
            columns.index(name): Counter[bytes]() for name in GROUPED_BY if name in columns
        }

    def add(self, rows: Sequence[bytes]) -> None:
        """Take the next rows."""
        start, self._seen = self._seen, self._seen + len(rows)
        places = self._places[
            bisect_left(self._places, start) : bisect_left(self._places, self._seen)
        ]
        self._sample += [rows[place - start] for place in places]
        if self._nulls is not None:
            for start in range(0, len(rows), _AT_ONCE):
                self._count(self._nulls, rows[start : start + _AT_ONCE])
        for column, found in self._groups.items():
            if len(found) <= _TOO_MANY_GROUPS:
                found.update([row.split(b"\t", column + 1)[column] for row in rows])

    def finished(self) -> TableProfile:
        looked_at = len(self._sample)
        columns = dict.fromkeys(self._columns, ColumnProfile())
        kept: dict[str, list[bytes]] = {}
        pair = next((pair for pair in _PAIRS if {*pair} <= {*self._columns}), ())
        if looked_at:
            flat = b"\t".join(self._sample).split(b"\t")
            for column, name in enumerate(self._columns):
                values = flat[column :: len(self._columns)]
                columns[name] = self._column(column, values)
                if name in pair:
                    kept[name] = values
        return TableProfile(
            rows=self._rows,
            columns=columns,
            points=self._points(*(kept.get(name, []) for name in pair)) if pair else None,
            groups={
                self._columns[column]: groups
                for column, found in self._groups.items()
                if (groups := _largest(found))
            },
            sampled=looked_at if looked_at < self._rows else None,
        )

    def _count(self, nulls: Counter[int], rows: Sequence[bytes]) -> None:
        together = b"\t" + b"\t".join(rows) + b"\t"
        flat = together[1:-1].split(b"\t")
        any_empty = b"\t\t" in together
        for column in range(width := len(self._columns)):
            values = flat[column::width]
            nulls[column] += values.count(_NULL)
            if any_empty:
                self._empty[column] += values.count(b"")

    def _column(self, column: int, values: list[bytes]) -> ColumnProfile:
        counted = Counter(values)
        nulls, empty = counted.pop(_NULL, 0), counted.pop(b"", 0)
        filled = len(values) - nulls - empty
        if self._nulls is None:
            not_null, all_empty = self._projected(len(values) - nulls), self._projected(empty)
        else:
            not_null, all_empty = self._rows - self._nulls[column], self._empty[column]
        if not filled:
            return ColumnProfile(not_null, all_empty)
        days = counted
        if _MOMENT.match(next(iter(counted))):
            days = Counter([value[:_DAY] for value in values if value not in (_NULL, b"")])
        all_filled = not_null - all_empty
        return ColumnProfile(
            not_null=not_null,
            empty=all_empty,
            distinct=_distinct(counted, filled, all_filled),
            longest=_longest(counted),
            common=_together(days, filled, all_filled),
        )

    def _points(self, latitudes: list[bytes], longitudes: list[bytes]) -> Points:
        found = Counter(zip(latitudes, longitudes, strict=True))
        for point in [one for one in found if _NULL in one]:
            del found[point]
        seen = found.total()
        located = self._projected(seen)
        return Points(located, _together(found, seen, located))

    def _projected(self, count: int) -> int:
        return round(count * self._rows / len(self._sample)) if self._sample else 0


def _places(rows: int, wanted: int) -> list[int]:
    """One in each of so many stretches. Where in it, goes by the golden ratio: always at its
    beginning would meet every second row, where every second one is of another kind."""
    stretch = rows // wanted
    return [
        number * rows // wanted + int(number * _GOLDEN % 1 * stretch) for number in range(wanted)
    ]


def _together(counted: Counter[Any], seen: int, of: int) -> int:
    """Of ``of`` rows, those with the most common value, when ``seen`` of them have these. What one
    row alone has, it has for itself."""
    most = max(counted.values(), default=0)
    return round(most * of / seen) if most > 1 else most


def _distinct(counted: Counter[bytes], seen: int, of: int) -> int:
    """How many different values ``of`` rows have, when ``seen`` of them have these.

    The estimate of Haas and Stokes that PostgreSQL's ANALYZE makes from its own sample.
    """
    different = len(counted)
    if seen == of:
        return different
    once = list(counted.values()).count(1)
    estimate = seen * different / (seen - once + once * seen / of)
    return min(of, max(different, round(estimate)))


def _longest(counted: Counter[bytes]) -> int:
    """In characters. Where there are escapes or letters of more than a byte, they are undone."""
    together = b"\t".join(counted)
    if together.isascii() and b"\\" not in together:
        return max(map(len, counted))
    text = _ESCAPED.sub(b"x", together).decode("utf-8", "replace")
    return max(map(len, text.split("\t")))


def _largest(found: Counter[bytes]) -> dict[str, int]:
    """The largest groups by name; none where a column has so many values that it parts nothing."""
    if len(found) > _TOO_MANY_GROUPS:
        return {}
    named = [(-rows, name) for name, rows in found.items() if _GROUP_NAME.fullmatch(name)]
    kept = sorted((name, -rows) for rows, name in sorted(named)[:GROUPS])
    return {name.decode("utf-8", "replace"): rows for name, rows in kept}
