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
        values = "|".join([*words, r"[0-9]{1,2}"])
        item = rf"(?:\*|(?:{values})(?:-(?:{values}))?)(?:/0*[1-9][0-9]?)?"
        if not re.fullmatch(rf"{item}(?:,{item})*", field):
            raise UnusableValueError
        numbers = re.findall(r"(?<![/0-9])[0-9]+", field)
        if not all(least <= int(number) <= most for number in numbers):
            raise UnusableValueError
    return text


def timezone(text: str) -> str:
    try:
        return ZoneInfo(text).key
    except (KeyError, ValueError, OSError) as error:
        raise UnusableValueError from error
