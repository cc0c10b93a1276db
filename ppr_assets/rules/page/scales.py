"""Round numbers and first days of months: where the lines of a picture stand, and what they say."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

_MOST_MONTHS = 8
_MONTHS = (1, 2, 3, 6, 12, 24, 60, 120, 600, 1200)


def rounded_steps(most: int) -> list[int]:
    """From 0 to a round number of at least ``most``, in one to five steps."""
    exponents = range(len(str(most)))
    step = next(
        lead * 10**power
        for power in exponents
        for lead in (1, 2, 5)
        if lead * 10**power * 5 >= most
    )
    return [number * step for number in range(max(1, -(-most // step)) + 1)]


def next_month(moment: datetime) -> datetime:
    """Its first moment; after the last month that there is, the last moment."""
    last = datetime.max.replace(tzinfo=moment.tzinfo)
    if (moment.year, moment.month) == (last.year, last.month):
        return last
    later = moment.replace(day=1, hour=0, minute=0, second=0) + timedelta(days=32)
    return later.replace(day=1)


def month_starts(start: datetime, end: datetime) -> Sequence[tuple[datetime, str]]:
    """A few first days of months from ``start`` to ``end``, with what they are called; none in a
    few weeks."""
    first, last = (one.year * 12 + one.month - 1 for one in (start, end))
    every = next((one for one in _MONTHS if (last - first) // one <= _MOST_MONTHS), _MONTHS[-1])
    months = (number for number in range(first + 1, last + 1) if number % every == 0)
    named = "%Y" if every >= 12 else "%Y-%m"
    found = []
    for number in months:
        day = datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC)
        found.append((day, day.strftime(named)))
    return found
