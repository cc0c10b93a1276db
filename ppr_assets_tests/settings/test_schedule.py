from __future__ import annotations

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ppr_assets.settings import schedule
from ppr_assets.settings.kinds import UnusableValueError


@st.composite
def fields(draw: st.DrawFn, least: int, most: int, *words: str) -> str:
    """One field, mostly usable; sometimes a value beyond its range or a step of zero."""
    value = st.integers(max(least - 1, 0), most + 1).map(str) | st.sampled_from(words or ("*",))
    spans = st.tuples(value, value).map("-".join) | value | st.just("*")
    items = st.tuples(spans, st.just("") | st.integers(0, 70).map("/{}".format)).map("".join)
    return ",".join(draw(st.lists(items, min_size=1, max_size=3)))


CRONS = st.tuples(
    fields(0, 59),
    fields(0, 23),
    st.just("*") | st.integers(0, 29).map(str),
    fields(1, 12, "jan", "DEC"),
    fields(0, 7, "mon", "SUN"),
).map(" ".join)


def _as_cron_reads(cron: str, since: datetime) -> list[datetime]:
    """What cron(8) says of the next years: both day fields count together where one begins with
    ``*``, else either of them does."""
    minutes, hours, days, months, weekdays = (
        _meant(field, least, most)
        for field, least, most in zip(
            cron.split(), (0, 0, 1, 1, 0), (59, 23, 31, 12, 7), strict=True
        )
    )
    _, _, day, _, weekday = cron.split()
    together = all if day.startswith("*") or weekday.startswith("*") else any
    return [
        moment.replace(hour=hour, minute=minute)
        for number in range(366 * 5)
        if (moment := since + timedelta(days=number)).month in months
        if together(
            [moment.day in days, moment.isoweekday() in weekdays | {7 + d for d in weekdays}]
        )
        for hour in sorted(hours)
        for minute in sorted(minutes)
    ]


def _meant(field: str, least: int, most: int) -> set[int]:
    found: set[int] = set()
    for item in field.lower().replace("jan", "1").replace("dec", "12").split(","):
        span, _, step = item.replace("mon", "1").replace("sun", "0").partition("/")
        first, _, last = span.replace("*", f"{least}-{most}").partition("-")
        end = int(last or (most if step else first))
        found |= set(range(int(first), end + 1, int(step or 1)))
    return found


def _as_dagster_reads(cron: str, since: datetime, until: datetime) -> list[datetime]:
    """The days of a partition begin when a schedule comes."""
    days = dg.TimeWindowPartitionsDefinition(
        since, "%Y-%m-%dT%H:%M%z", cron_schedule=cron, timezone="UTC", end_offset=1
    )
    return [*map(datetime.fromisoformat, days.get_partition_keys(current_time=until))]


def _dagster_accepts(cron: str, timezone: str = "UTC") -> bool:
    try:
        dg.ScheduleDefinition(
            name="nightly", job_name="dump", cron_schedule=cron, execution_timezone=timezone
        )
    except dg.DagsterInvalidDefinitionError:
        return False
    return True


@pytest.mark.parametrize(
    "text",
    ["0 2 * * *", "*/15 * * * *", "0 2 1,15 * MON-FRI", "30 22-23 * jan-mar 0", "5/10 * * * 7"],
)
def test_a_usable_cron_is_taken_as_given_and_suits_dagster(text: str) -> None:
    assert schedule.cron(text) == text
    assert _dagster_accepts(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@daily",
        "0 2 * *",
        "0 0 2 * * *",
        "60 2 * * *",
        "0 24 * * *",
        "0 2 0 * *",
        "0 2 32 * *",
        "0 2 * 13 *",
        "0 2 * * 8",
        "*/0 * * * *",
        "0 2 * * funday",
        "0 2 * mon *",
        "a b c d e",
        "0 2 * * *; rm",
        "0, 2 * * *",
        "0 22-2 * * *",
        "0 5-5 * * *",
        "0 1-2-3 * * *",
        "0 2 * * fri-mon",
        "*/90 * * * *",
        "0-1/2 * * * *",
        "0 ٢ * * *",
        "-1 2 * * *",
        "0 2 * 12/6 *",
        "0 2 31/2 2 *",
        "0 2 * * 1/2",
        "0 2 1,* * mon",
    ],
)
def test_an_unusable_cron_is_refused(text: str) -> None:
    with pytest.raises(UnusableValueError):
        schedule.cron(text)


@pytest.mark.parametrize(
    "text", ["0 2 30 2 *", "0 2 31 2,4,6,9,11 *", "0 2 30-31 feb *", "0 2 30 2 mon", "0 2 31 4 0-7"]
)
def test_a_schedule_that_never_comes_is_refused_and_says_so(text: str) -> None:
    with pytest.raises(UnusableValueError, match="would never come"):
        schedule.cron(text)


@pytest.mark.parametrize("text", ["0 2 29 2 *", "0 2 29-31 2 *", "0 2 31 * *", "0 2 31 1-4 *"])
def test_a_schedule_that_comes_seldom_is_taken(text: str) -> None:
    assert schedule.cron(text) == text


@pytest.mark.parametrize("text", ["0 2 */2 * mon", "0 2 15 * */2", "0 2 */2 * */2"])
def test_days_that_dagster_reads_in_another_way_than_cron_are_refused(text: str) -> None:
    with pytest.raises(UnusableValueError, match="Leave one of the two a plain"):
        schedule.cron(text)


@pytest.mark.slow
@given(CRONS)
def test_what_is_accepted_comes_when_cron_says_in_dagster(text: str) -> None:
    try:
        schedule.cron(text)
    except UnusableValueError:
        return
    assert _dagster_accepts(text)
    since = datetime(2026, 1, 1, tzinfo=UTC)
    expected = _as_cron_reads(text, since)[:4]
    assert expected
    assert _as_dagster_reads(text, since, until=expected[-1]) == expected


@pytest.mark.parametrize("text", ["UTC", "America/New_York", "Etc/GMT+5"])
def test_a_time_zone_is_taken_as_given_and_suits_dagster(text: str) -> None:
    assert schedule.timezone(text) == text
    assert _dagster_accepts("0 2 * * *", text)


@pytest.mark.parametrize(
    "text", ["", "Mars/Olympus", "America", "/etc/localtime", "../UTC", "+02:00"]
)
def test_an_unknown_time_zone_is_refused(text: str) -> None:
    with pytest.raises(UnusableValueError):
        schedule.timezone(text)


@given(st.text())
def test_no_text_breaks_a_time_zone(text: str) -> None:
    try:
        schedule.timezone(text)
    except UnusableValueError:
        return
