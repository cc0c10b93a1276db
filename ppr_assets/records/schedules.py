"""Schedules in all the forms in which they come: one row for each rhythm and pair of hours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from ppr_assets.records.parts import checked
from ppr_assets.records.reading import Fields, Reading
from ppr_assets.records.spellings import SCHEDULE, TIMES
from ppr_assets.rules.replay.record import Schedule
from ppr_assets.rules.replay.words import times as read

FROM_WKST = "the weekday stood in wkst"
AMBIGUOUS_WKST = "wkst MO is the weekday, or only where the week starts"
EVERY_DAY = "published as DAILY"
_PARTS = {"FREQ", "INTERVAL", "BYDAY", "BYSETPOS", "BYMONTHDAY", "UNTIL", "COUNT"}
"""Of a rule, those that are read."""
MOST_ROWS = 400  # that one schedule may unfold to: more than a year of days


def schedules(reading: Reading, raw: Any, path: str) -> list[Schedule]:
    """The rows of one published schedule; none where it says nothing."""
    fields = reading.told(raw, SCHEDULE, path, alone="description")
    if fields is None:
        return []
    nested = fields.raw("nested")
    if isinstance(nested, dict):
        inner = reading.fields(nested, SCHEDULE, f"{path}.schedule")
        for name, values in inner.values.items():
            fields.values.setdefault(name, values)
    rows = list(_rows(fields, _base(fields)))
    if len(rows) > MOST_ROWS:
        reading.lose("schedule.rows beyond 400")
    told = [_weekday_of_wkst(row) for row in rows[:MOST_ROWS] if _says_something(row)]
    if not told:
        reading.lose("schedule without days and hours")
    return told


def _base(fields: Fields) -> Schedule:
    rule = _rule(fields)
    start, end = _moment(fields, "dtstart"), _moment(fields, "dtend")
    opens_at, closes_at = _hours(fields)
    freq, interval, remark = _rhythm(fields, rule)
    until = _moment(fields, "until")
    last = until[0] if until else None
    if last is None and "UNTIL" in rule:
        last = read.date_of_rule(rule["UNTIL"])
    if end and not last and (not start or end[0] != start[0]):
        last = end[0]
    return Schedule(
        path=fields.path,
        freq=freq,
        wkst=_wkst(fields),
        interval=interval,
        byday=_byday(fields) or _byday_of_rule(fields, rule),
        bymonthday=checked(fields, "bymonthday", _days_of_month)
        or read.days_of_month(rule.get("BYMONTHDAY", "")),
        dtstart=start[0] if start else None,
        until=last,
        count=_whole(fields, "count") or _number(rule.get("COUNT")),
        valid_from=_date(fields, "valid_from"),
        valid_to=_date(fields, "valid_to"),
        opens_at=opens_at or (start[1] if start else None),
        closes_at=closes_at or (end[1] if end else None),
        description=fields.text("description"),
        notes="; ".join(fields.texts("notes")) or None,
        remark=remark,
    )


def _rule(fields: Fields) -> dict[str, str]:
    """The parts of a rule; those that no column takes are counted."""
    rule = read.recurrence(fields.text("rrule") or "")
    for part in sorted(rule.keys() - _PARTS):
        fields.reading.lose(f"schedule.rrule {part[:20]}")
    return rule


def _rhythm(fields: Fields, rule: dict[str, str]) -> tuple[str | None, int | None, str | None]:
    words = fields.text("freq") or rule.get("FREQ")
    interval = _whole(fields, "interval") or _number(rule.get("INTERVAL"))
    if words is None:
        return None, interval, None
    found = read.frequency(words)
    if found:
        return found[0], found[1] or interval, None
    if words.upper() == "DAILY" and interval in (None, 1):
        return "WEEKLY", None, EVERY_DAY
    return None, interval, f"published as {words[:40]}"


def _rows(fields: Fields, base: Schedule) -> Iterator[Schedule]:
    """One row for each element of ``times``, ``days`` and ``date`` that has hours of its own, and
    for each day or span of days."""
    if base.remark == EVERY_DAY:
        base = replace(base, byday=base.byday or ",".join(read.WEEKDAYS))
    timed = [*_in_words(fields, base)]
    timed += [
        row
        for name in ("times", "byday", "date")
        for path, raw in fields.each(name)
        if isinstance(raw, dict)
        for row in _timed(fields.reading, raw, path, base)
    ]
    spans = [row for row in timed if _hours_and_days(row) == _hours_and_days(base)]
    rows = [row for row in timed if row not in spans] or [base]
    if spans:
        rows = [
            replace(row, valid_from=span.valid_from, valid_to=span.valid_to)
            for row in rows
            for span in spans
        ]
    for row in rows:
        yield from _on_its_dates(fields, row)


def _in_words(fields: Fields, base: Schedule) -> Iterator[Schedule]:
    """Hours that are a text: ``09:00-17:00``."""
    for path, raw in fields.each("times"):
        if isinstance(raw, dict):
            continue
        found = read.hours(raw) if isinstance(raw, str) else None
        if found is None:
            fields.reading.lose(f"{fields.kind.name}.times")
        else:
            yield replace(base, path=path, opens_at=found[0], closes_at=found[1])


def _hours_and_days(row: Schedule) -> tuple[str | None, ...]:
    return row.opens_at, row.closes_at, row.byday, row.dtstart


def _on_its_dates(fields: Fields, row: Schedule) -> Iterator[Schedule]:
    told = [words for _, words in fields.each("date") if isinstance(words, str)]
    dates = [day for words in told if (day := read.moment(words))]
    for _ in range(len(told) - len(dates)):
        fields.reading.lose("schedule.date")
    for day in dates:
        yield replace(row, dtstart=day[0], until=day[0], count=1)
    if not dates:
        once = row.remark is not None and row.remark.upper().endswith("ONCE")
        yield replace(row, until=row.until or row.dtstart, count=1) if once and row.dtstart else row


def _timed(reading: Reading, raw: dict[str, Any], path: str, base: Schedule) -> list[Schedule]:
    fields = reading.fields(raw, TIMES, path)
    opens_at, closes_at = _hours(fields)
    row = replace(
        base,
        path=path,
        byday=_byday(fields) or base.byday,
        opens_at=opens_at or base.opens_at,
        closes_at=closes_at or base.closes_at,
        description=fields.text("description") or base.description,
        valid_from=_date(fields, "valid_from") or base.valid_from,
        valid_to=_date(fields, "valid_to") or base.valid_to,
    )
    days = [day for words in fields.texts("date") if (day := read.moment(words))]
    if days:
        row = replace(row, dtstart=days[0][0], until=days[-1][0])
    slots = [*_in_words(fields, row)]
    slots += [
        inner
        for where, slot in fields.each("times")
        if isinstance(slot, dict) and slot is not raw
        for inner in _slot(reading, slot, where, row)
    ]
    return slots or [row]


def _slot(reading: Reading, raw: dict[str, Any], path: str, base: Schedule) -> list[Schedule]:
    fields = reading.fields(raw, TIMES, path)
    opens, closes = _hours(fields)
    return [replace(base, path=path, opens_at=opens, closes_at=closes)] if opens or closes else []


def _weekday_of_wkst(row: Schedule) -> Schedule:
    """A generation of prompts had no ``byday``, so that the weekday was written to ``wkst``."""
    if row.freq != "WEEKLY" or row.byday or row.wkst is None or row.dtstart:
        return row
    if row.wkst == "MO":
        return replace(row, remark=row.remark or AMBIGUOUS_WKST)
    return replace(row, byday=row.wkst, wkst=None, remark=row.remark or FROM_WKST)


def _says_something(row: Schedule) -> bool:
    """A frequency alone, which the prompt asked for, says nothing about when a place is open."""
    return bool(
        row.opens_at or row.closes_at or row.byday or row.bymonthday or row.dtstart
        or row.until or row.valid_from or row.valid_to or row.description or row.notes
        or (row.wkst and row.wkst != "MO")
    )  # fmt: skip


def _byday(fields: Fields) -> str | None:
    words = [
        part
        for text in fields.texts("byday")
        for part in text.replace(";", ",").replace("/", ",").split(",")
        if part.strip()
    ]
    if not words or any(isinstance(raw, dict) for _, raw in fields.each("byday")):
        return None
    found = read.weekdays(words)
    position = fields.text("bysetpos") if "bysetpos" in fields.kind.fields.values() else None
    if found is None:
        fields.reading.lose(f"{fields.kind.name}.byday")
    elif position and "," not in found and len(found) == 2 and position.lstrip("-").isdigit():
        return f"{int(position)}{found}"
    return found


def _byday_of_rule(fields: Fields, rule: dict[str, str]) -> str | None:
    days = rule.get("BYDAY")
    if not days:
        words = "" if rule else fields.text("rrule") or ""
        in_words = read.weekday(words)  # LAST_WEDNESDAY
        if words and in_words is None:
            fields.reading.lose("schedule.rrule")
        return in_words
    found = read.weekdays(days.split(","))
    position = rule.get("BYSETPOS", "")
    if found and len(found) == 2 and position.lstrip("-").isdigit():
        return f"{int(position)}{found}"
    return found


def _wkst(fields: Fields) -> str | None:
    words = fields.text("wkst")
    found = read.weekday(words) if words else None
    if words and (found is None or len(found) != 2):
        fields.reading.lose("schedule.wkst")
        return None
    return found


def _hours(fields: Fields) -> tuple[str | None, str | None]:
    """From when to when; both may stand in ``opens_at``."""
    if "opens_at" in fields.values and "closes_at" not in fields.values:
        both = read.hours(fields.text("opens_at") or "")
        if both:
            return both
    return _clock(fields, "opens_at"), _clock(fields, "closes_at")


def _clock(fields: Fields, name: str) -> str | None:
    """A time of day; the time in a moment, where somebody wrote one."""
    if name not in fields.values:
        return None
    words = fields.text(name)
    if words is None:
        return None
    found = read.clock_time(words)
    if found is None and (whole := read.moment(words)):
        found = whole[1]
    if found is None:
        fields.reading.lose(f"{fields.kind.name}.{name}")
    return found


def _moment(fields: Fields, name: str) -> tuple[str, str | None] | None:
    words = fields.text(name)
    if words is None:
        return None
    found = read.moment(words)
    if found is None:
        fields.reading.lose(f"{fields.kind.name}.{name}")
    return found


def _days_of_month(words: str) -> str | None:
    return read.days_of_month(words.replace(";", ","))


def _date(fields: Fields, name: str) -> str | None:
    found = _moment(fields, name)
    return found[0] if found else None


def _whole(fields: Fields, name: str) -> int | None:
    words = fields.text(name)
    found = _number(words)
    if words and found is None:
        fields.reading.lose(f"{fields.kind.name}.{name}")
    return found


def _number(words: str | None) -> int | None:
    return int(words) if words and words.isascii() and words.isdigit() and len(words) < 5 else None
