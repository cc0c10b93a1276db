"""When to run: cron fields and time zones, judged without a scheduler.

Dagster would refuse these too, but only where it loads the code location, and without naming the
variable; and this layer does not know Dagster.
"""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo

from ppr_assets.variables.kinds import UnusableValueError

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_CRON_FIELDS: tuple[tuple[int, int, tuple[str, ...]], ...] = (
    (0, 59, ()),
    (0, 23, ()),
    (1, 31, ()),
    (1, 12, _MONTHS),
    (0, 7, _WEEKDAYS),
)


def cron(text: str) -> str:
    """Five cron fields, each in its range; a day that no month has is left to the scheduler."""
    fields = text.lower().split()
    if len(fields) != len(_CRON_FIELDS):
        raise UnusableValueError
    for field, (least, most, words) in zip(fields, _CRON_FIELDS, strict=True):
        for item in field.split(","):
            span, slash, step = item.partition("/")
            last = _last_of_span(span, least, most, words)
            if slash and not _is_number(step, 1, last):
                raise UnusableValueError
    return text


def _last_of_span(text: str, least: int, most: int, words: tuple[str, ...]) -> int:
    """The end of ``*``, of a value (with a step it goes on to the end) or of a range that rises:
    schedulers disagree about the meaning of others, and of a step that leads beyond the end."""
    if text == "*":
        return most
    ends = [str(least + words.index(end)) if end in words else end for end in text.split("-")]
    if len(ends) > 2 or not all(_is_number(end, least, most) for end in ends):
        raise UnusableValueError
    if len(ends) == 2 and int(ends[0]) >= int(ends[1]):
        raise UnusableValueError
    return int(ends[1]) if len(ends) == 2 else most


def _is_number(text: str, least: int, most: int) -> bool:
    return re.fullmatch(r"[0-9]{1,2}", text) is not None and least <= int(text) <= most


def timezone(text: str) -> str:
    try:
        return ZoneInfo(text).key
    except (KeyError, ValueError, OSError) as error:
        raise UnusableValueError from error
