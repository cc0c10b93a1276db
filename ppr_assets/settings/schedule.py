"""When to run: cron fields and time zones, judged without a scheduler.

Dagster would refuse these too, but only where it loads the code location, and without naming the
variable; and this layer does not know Dagster.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from ppr_assets.settings.kinds import UnusableValueError, must_be
from ppr_assets.settings.variable import variable

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_CRON_FIELDS: tuple[tuple[int, int, tuple[str, ...]], ...] = (
    (0, 59, ()),
    (0, 23, ()),
    (1, 31, ()),
    (1, 12, _MONTHS),
    (0, 7, _WEEKDAYS),
)
_LONGEST_MONTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@must_be("five cron fields: minute, hour, day, month, weekday")
def cron(text: str) -> str:
    """Five cron fields, each in its range, that come some day, and that Dagster reads as cron does.

    Dagster takes some that make every later tick fail (30 February), and others that it reads in
    its own way: those are refused here, where the variable can be named.
    """
    fields = text.lower().split()
    if len(fields) != len(_CRON_FIELDS):
        raise UnusableValueError
    values = [_values(field, *bounds) for field, bounds in zip(fields, _CRON_FIELDS, strict=True)]
    _, _, days, months, _ = values
    if not any(day <= _LONGEST_MONTHS[month - 1] for day in days for month in months):
        # not even where a day of the week is given as well: Dagster asks for both to be possible
        raise UnusableValueError("no month that it names has such a day, so it would never come.")
    _, _, day, _, weekday = fields
    if "*" not in (day, weekday) and (day.startswith("*") or weekday.startswith("*")):
        raise UnusableValueError(
            "cron takes a day that suits both fields, Dagster one that suits either. Leave one of "
            "the two a plain `*`."
        )
    return text


def _values(field: str, least: int, most: int, words: tuple[str, ...]) -> set[int]:
    """What a field stands for: ``*``, values and ranges that rise, with steps, in a list.

    Schedulers disagree about others, about steps that lead beyond the end, and about a ``*``
    among other things.
    """
    found: set[int] = set()
    for item in field.split(","):
        if item.startswith("*") and item != field:
            raise UnusableValueError("write a `*` alone, it stands for everything.")
        span, slash, step = item.partition("/")
        first, last = _ends(span, least, most, words)
        to_the_end = bool(slash) and first == last
        if slash and not _is_number(step, 1, most if to_the_end else last):
            raise UnusableValueError
        if to_the_end:
            last = most
            if words is _WEEKDAYS or first + int(step) > last:
                raise UnusableValueError(f"write the range that is meant: `{first}-{most}/{step}`.")
        found.update(range(first, last + 1, int(step or 1)))
    return found


def _ends(text: str, least: int, most: int, words: tuple[str, ...]) -> tuple[int, int]:
    if text == "*":
        return least, most
    ends = [str(least + words.index(end)) if end in words else end for end in text.split("-")]
    if len(ends) > 2 or not all(_is_number(end, least, most) for end in ends):
        raise UnusableValueError
    if len(ends) == 2 and int(ends[0]) >= int(ends[1]):
        raise UnusableValueError
    return int(ends[0]), int(ends[-1])


def _is_number(text: str, least: int, most: int) -> bool:
    return re.fullmatch(r"[0-9]{1,2}", text) is not None and least <= int(text) <= most


@must_be("a time zone such as `UTC` or `America/New_York`")
def timezone(text: str) -> str:
    try:
        return ZoneInfo(text).key
    except (KeyError, ValueError, OSError) as error:
        raise UnusableValueError from error


@dataclass(frozen=True)
class ScheduleSettings:
    cron: str = variable("SQL_DUMP_CRON", "0 2 * * *", cron, "when the nightly run starts")
    timezone: str = variable(
        "SQL_DUMP_TIMEZONE",
        "UTC",
        timezone,
        "the time zone of SQL_DUMP_CRON; names of dumps are in UTC always",
    )


def next_run(settings: ScheduleSettings, after: datetime) -> datetime:
    """When a night is due next, in UTC. Whether anything starts it then is not known here."""
    from cronsim import CronSim

    local = after.astimezone(ZoneInfo(settings.timezone))
    return next(CronSim(settings.cron.upper(), local)).astimezone(UTC)


def last_due(settings: ScheduleSettings, before: datetime) -> datetime:
    """When a night was due last, in UTC."""
    from cronsim import CronSim

    local = before.astimezone(ZoneInfo(settings.timezone))
    return next(CronSim(settings.cron.upper(), local, reverse=True)).astimezone(UTC)
