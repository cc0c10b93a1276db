"""Times, dates, weekdays and frequencies as they really come, in the schema's own words."""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache

WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "last": -1}
_CLOCK = re.compile(
    r"(\d{1,2})(?::(\d{2}))?(?::(\d{2})(?:\.\d+)?)? *([ap])?\.?(?:m\.?)?", re.IGNORECASE
)
_MOMENT = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2})?)\S*)?")
_DAY = re.compile(
    r"(?:([+-]?\d)(?:st|nd|rd|th(?=[ _-]))?|(first|second|third|fourth|fifth|last))?[ _-]*([a-z]+)"
)
_TO = re.compile(r" *(?:[-\u2013\u2014]|\b(?:to|until|through|thru)\b) *")
_FREQUENCIES = {
    "WEEKLY": ("WEEKLY", None),
    "EVERYWEEK": ("WEEKLY", None),
    "MONTHLY": ("MONTHLY", None),
    "BIWEEKLY": ("WEEKLY", 2),
    "EVERYOTHERWEEK": ("WEEKLY", 2),
    "FORTNIGHTLY": ("WEEKLY", 2),
    "QUARTERLY": ("MONTHLY", 3),
    "YEARLY": ("MONTHLY", 12),
    "ANNUALLY": ("MONTHLY", 12),
}


@lru_cache(maxsize=4096)
def clock_time(words: str) -> str | None:
    """``HH:MM`` of ``9:00``, ``09:00:00``, ``9 am``, ``noon``; None for what is no time of day."""
    if words.strip().lower() == "noon":
        return "12:00"
    found = _CLOCK.fullmatch(words.strip()[:20])
    if not found or not (found[2] or found[4]):
        return None
    hour, minute = int(found[1]), int(found[2] or 0)
    if found[4]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if found[4].lower() == "p" else 0)
    if minute > 59 or hour > 24 or (hour == 24 and minute):
        return None
    seconds = int(found[3] or 0)
    return f"{hour:02}:{minute:02}" + (f":{seconds:02}" if 0 < seconds < 60 and hour < 24 else "")


@lru_cache(maxsize=4096)
def hours(words: str) -> tuple[str, str] | None:
    """From when to when, of ``9:00 AM - 5:00 PM`` or ``09:00-17:00``. None where one of the two
    leaves open which half of the day it is."""
    ends = _TO.split(words.strip().lower()[:60])
    halves = {end.rstrip(". ")[-1:] in ("m", "a", "p") for end in ends if end != "noon"}
    if len(ends) != 2 or len(halves) > 1:
        return None
    opens, closes = map(clock_time, ends)
    return (opens, closes) if opens and closes else None


def moment(words: str) -> tuple[str, str | None] | None:
    """Date, and time where there is one, of ``2025-08-12`` or ``2025-08-12T16:30:00``."""
    found = _MOMENT.fullmatch(words.strip()[:40])
    if not found:
        return None
    try:
        date.fromisoformat(found[1])
    except ValueError:
        return None
    return found[1], clock_time(found[2]) if found[2] else None


@lru_cache(maxsize=4096)
def weekday(words: str) -> str | None:
    """``TU`` of ``Tuesday``, ``tues``, ``TU``; ``3SA`` of ``3rd Saturday``, ``3SAT``."""
    found = _DAY.fullmatch(words.strip().lower()[:30])
    if not found or not 2 <= len(found[3]) <= 10:
        return None
    name = found[3][:3] if found[3] in ("tues", "thurs", "weds") else found[3].rstrip("s")
    matches = [code for code, full in zip(WEEKDAYS, _NAMES, strict=True) if full.startswith(name)]
    if len(matches) != 1:
        return None
    place = int(found[1]) if found[1] else _ORDINALS.get(found[2], 0)
    return (str(place) if place else "") + matches[0]


def _days_from(words: str) -> list[str | None]:
    """Each day of ``Mon-Fri`` or ``Saturday through Monday``; empty for what is no span."""
    ends = [weekday(end) for end in _TO.split(words.strip().lower()[:40])]
    if len(ends) != 2:
        return []
    first, last = ends
    if first not in WEEKDAYS or last not in WEEKDAYS:
        return []
    week = [*WEEKDAYS, *WEEKDAYS][WEEKDAYS.index(first) :]
    return [*week[: week.index(last) + 1]]


def weekdays(words: list[str]) -> str | None:
    """All of them, each once, in the order of the week; None when one is no weekday, nor days from
    one to another such as ``Mon-Fri``."""
    found = [day for word in words for day in (_days_from(word) or [weekday(word)])]
    if not found or None in found:
        return None
    unique = {day for day in found if day}
    return ",".join(sorted(unique, key=lambda day: (WEEKDAYS.index(day[-2:]), day)))


def days_of_month(words: str) -> str | None:
    """``1,15`` as iCalendar writes it; the last day is -1."""
    days = words.replace(" ", "").split(",")
    fits = all(re.fullmatch(r"-?(?:[1-9]|[12]\d|3[01])", day, re.ASCII) for day in days)
    return ",".join(days) if fits else None


def frequency(words: str) -> tuple[str, int | None] | None:
    """What the schema can say of it, with the interval: ``BI_WEEKLY`` is every second week. None
    for what is no rhythm of weeks or months."""
    return _FREQUENCIES.get(re.sub("[^A-Z]", "", words.upper()[:40]))


def date_of_rule(words: str) -> str | None:
    """The day of ``20251231`` or ``20251231T235959Z``, as iCalendar writes it."""
    found = re.fullmatch(r"(\d{4})-?(\d{2})-?(\d{2})(?:T.*)?", words[:40], re.ASCII)
    day = moment("-".join(found.groups())) if found else None
    return day[0] if day else None


def recurrence(rule: str) -> dict[str, str]:
    """The parts of an iCalendar rule: ``FREQ=MONTHLY;BYDAY=3SA``."""
    parts = (part.partition("=") for part in rule.removeprefix("RRULE:")[:500].split(";"))
    return {name.strip().upper(): value.strip() for name, _, value in parts if value.strip()}
