"""The keep rules over years of nights, and the dumps that no rule may ever take away."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import asdict, replace

from ppr_assets.rules.naming import dump_name
from ppr_assets.rules.retention import Fate, KeepRules, ShelvedDump, fates

pytestmark = pytest.mark.slow

START = datetime(2025, 1, 1, 2, tzinfo=UTC)
DEFAULTS = KeepRules(last=7, daily=7, weekly=4, monthly=12, yearly=0)

LATER = "later than the latest, is a clock wrong?"

counts = st.none() | st.integers(0, 9)
few = st.integers(0, 9)


@st.composite
def keep_rules(draw: st.DrawFn, each: st.SearchStrategy[int | None] = counts) -> KeepRules:
    numbers = [draw(each) for _ in range(5)]
    if not any(number is None or number for number in numbers):
        numbers[draw(st.integers(0, 4))] = 1
    return KeepRules(*numbers)


@st.composite
def shelves(draw: st.DrawFn) -> list[ShelvedDump]:
    """Nights over years, some missing, some twice, by clocks that jump; in any order."""
    moment = START
    dumps: dict[str, ShelvedDump] = {}
    for hours in draw(st.lists(st.sampled_from([0, 1, 24, 24, 24, 30, 168, 800, 9000, -200]))):
        moment += timedelta(hours=hours)
        name = dump_name(moment) + draw(st.sampled_from(["", "", "", ".gz"]))
        dumps[name] = ShelvedDump(
            name,
            moment,
            proven=draw(st.booleans()),
            above_floor=draw(st.booleans()),
            overridden=draw(st.integers(0, 9)) == 0,
            previous=draw(st.none() | st.sampled_from([*dumps, "no such dump"])),
            damage=draw(st.sampled_from(["", "", "", "", "", "", "the manifest is not JSON"])),
        )
    shelf = draw(st.permutations(list(dumps.values())))
    has_latest = draw(st.booleans())
    if shelf and has_latest:
        shelf[0] = replace(shelf[0], latest=True)
    return shelf


def kept(judged: Sequence[Fate]) -> list[ShelvedDump]:
    return [fate.dump for fate in judged if not fate.retires]


def names(dumps: Sequence[ShelvedDump]) -> set[str]:
    return {dump.name for dump in dumps}


def night(number: int, **facts: Any) -> ShelvedDump:
    moment = START + timedelta(days=number)
    return ShelvedDump(dump_name(moment), moment, **facts)


def nights(count: int) -> list[ShelvedDump]:
    """One dump a night, the last of them latest, each proven and above the floor."""
    shelf = [night(number, proven=True, above_floor=True) for number in range(count)]
    shelf[-1] = replace(shelf[-1], latest=True)
    return shelf


def reasons(judged: Sequence[Fate], dump: ShelvedDump) -> tuple[str, ...]:
    return next(fate.kept_by for fate in judged if fate.dump.name == dump.name)


def test_the_defaults_keep_a_week_of_nights_a_month_of_weeks_and_a_year_of_months() -> None:
    days = [dump.moment.date().isoformat() for dump in kept(fates(nights(730), DEFAULTS))]
    assert days == [
        *("2026-12-31", "2026-12-30", "2026-12-29", "2026-12-28", "2026-12-27", "2026-12-26"),
        *("2026-12-25", "2026-12-20", "2026-12-13", "2026-11-30", "2026-10-31", "2026-09-30"),
        *("2026-08-31", "2026-07-31", "2026-06-30", "2026-05-31", "2026-04-30", "2026-03-31"),
        *("2026-02-28", "2026-01-31"),
    ]


def test_every_rule_that_keeps_a_dump_is_told_in_words() -> None:
    judged = fates(nights(400), DEFAULTS)
    assert judged[0].kept_by == (
        "last 1",
        "daily 2026-02-04",
        "weekly 2026-W06",
        "monthly 2026-02",
        "latest",
        "last proven",
        "last above the floor",
    )
    assert judged[2].kept_by == ("last 3", "daily 2026-02-02")
    assert judged[7].kept_by == ()
    assert judged[7].retires
    assert [fate.dump.moment for fate in judged] == sorted(
        (fate.dump.moment for fate in judged), reverse=True
    )


def test_a_young_repository_keeps_its_beginning() -> None:
    assert fates(nights(100), DEFAULTS)[-1].kept_by == ("oldest, monthly",)
    assert fates(nights(400), DEFAULTS)[-1].retires


def test_a_week_belongs_to_the_year_that_has_its_thursday() -> None:
    judged = fates([night(-2), night(363)], KeepRules(0, weekly=2))
    assert [fate.kept_by[0] for fate in judged] == ["weekly 2026-W01", "weekly 2025-W01"]


def test_days_are_those_of_utc_whatever_zone_a_moment_is_given_in() -> None:
    zone = timezone(timedelta(hours=14))
    evening = datetime(2026, 3, 1, 23, 0, tzinfo=UTC)
    shelf = [
        ShelvedDump("before midnight", evening.astimezone(zone)),
        ShelvedDump("after midnight", (evening + timedelta(hours=2)).astimezone(zone)),
    ]
    judged = fates(shelf, KeepRules(0, daily=5, weekly=2))
    assert [fate.kept_by for fate in judged] == [
        ("daily 2026-03-02", "weekly 2026-W10"),
        ("daily 2026-03-01", "weekly 2026-W09"),
    ]


def test_of_dumps_of_the_same_second_the_latest_the_proven_the_plain_one_counts() -> None:
    plain, packed = night(0), replace(night(0), name=night(0).name + ".gz")
    assert kept(fates([plain, packed], KeepRules(1))) == [plain]
    better = replace(packed, proven=True)
    assert kept(fates([plain, better], KeepRules(1))) == [better]
    newest = replace(plain, latest=True)
    assert kept(fates([better, newest], KeepRules(1))) == [newest, better]  # the last proven


def test_dumps_from_the_future_are_kept_and_push_nothing_out() -> None:
    today = nights(30)
    future = [night(10_000 + number, proven=True, above_floor=True) for number in range(20)]
    judged = fates([*today, *future], DEFAULTS)
    assert {reasons(judged, dump) for dump in future} == {(LATER,)}
    assert kept(judged) == [*reversed(future), *kept(fates(today, DEFAULTS))]


def test_a_damaged_manifest_keeps_its_dump_and_takes_nobodys_place() -> None:
    shelf = nights(5)
    shelf[4] = replace(shelf[4], damage="the manifest is not JSON")
    judged = fates(shelf, KeepRules(2))
    assert reasons(judged, shelf[4])[0] == "the manifest is not JSON"
    assert kept(judged) == [shelf[4], shelf[3], shelf[2]]


def test_what_was_good_last_outlives_every_worse_night() -> None:
    worse = [night(number) for number in range(2, 50)]
    shelf = [night(0, proven=True), night(1, above_floor=True), *worse, night(50, latest=True)]
    judged = fates(shelf, KeepRules(1))
    assert reasons(judged, shelf[0]) == ("last proven",)
    assert reasons(judged, shelf[1]) == ("last above the floor",)
    assert len(kept(judged)) == 3


def test_an_overridden_dump_stays_with_the_one_before_it() -> None:
    shelf = nights(100)
    shelf[19] = replace(shelf[19], damage="the manifest is not JSON")
    shelf[20] = replace(shelf[20], overridden=True)
    shelf[50] = replace(shelf[50], overridden=True, previous=shelf[40].name)
    shelf[60] = replace(shelf[60], overridden=True, previous=shelf[60].name)
    judged = fates(shelf, KeepRules(1))
    assert names(kept(judged)) == names(
        [shelf[number] for number in (18, 19, 20, 40, 50, 59, 60, 99)]
    )
    assert reasons(judged, shelf[40]) == ("predecessor of an overridden dump",)
    assert reasons(judged, shelf[50]) == ("overridden",)


def test_a_rule_without_a_limit_keeps_all_that_it_finds() -> None:
    shelf = nights(800)
    assert len(kept(fates(shelf, KeepRules(None)))) == 800
    assert len(kept(fates(shelf, KeepRules(0, yearly=None)))) == 3 + 1  # and the oldest


def test_an_empty_folder_has_no_fates() -> None:
    assert fates([], DEFAULTS) == []


def test_rules_that_keep_nothing_are_none() -> None:
    with pytest.raises(ValueError, match="no rule keeps anything"):
        KeepRules(0)
    with pytest.raises(ValueError, match="fewer than 0"):
        KeepRules(7, daily=-1)


def test_years_of_nights_end_as_if_they_had_been_judged_once() -> None:
    """What a night retires, no later night would have wanted."""
    shelf: list[ShelvedDump] = []
    everything: list[ShelvedDump] = []
    for number in range(900):
        new = night(number, proven=number % 3 > 0, above_floor=True, overridden=number % 97 == 0)
        shelf, everything = ([replace(d, latest=False) for d in s] for s in (shelf, everything))
        shelf.append(replace(new, latest=True))
        everything.append(shelf[-1])
        shelf = kept(fates(shelf, DEFAULTS))
    assert names(shelf) == names(kept(fates(everything, DEFAULTS)))


@given(shelves(), keep_rules())
def test_what_is_kept_once_is_kept_again_for_the_same_reasons(
    shelf: list[ShelvedDump], rules: KeepRules
) -> None:
    first = fates(shelf, rules)
    again = fates(kept(first), rules)
    assert kept(again) == kept(first)
    assert [fate.kept_by for fate in again] == [f.kept_by for f in first if not f.retires]


@given(shelves(), keep_rules(few), keep_rules(few))
def test_rules_that_keep_more_retire_nothing_else(
    shelf: list[ShelvedDump], one: KeepRules, other: KeepRules
) -> None:
    more = KeepRules(
        **{rule: max(count, asdict(other)[rule]) for rule, count in asdict(one).items()}
    )
    assert names(kept(fates(shelf, one))) <= names(kept(fates(shelf, more)))


@given(shelves(), keep_rules(few))
def test_no_more_is_kept_than_the_rules_and_the_exceptions_name(
    shelf: list[ShelvedDump], rules: KeepRules
) -> None:
    judged = fates(shelf, rules)
    strange = sum(1 for dump in shelf if dump.damage or dump.overridden)
    later = sum(1 for fate in judged if fate.kept_by[:1] == (LATER,))
    overridden = sum(1 for dump in shelf if dump.overridden)
    assert len(kept(judged)) <= sum(asdict(rules).values()) + 3 + strange + later + overridden


@given(shelves(), keep_rules())
def test_the_irreplaceable_never_retire(shelf: list[ShelvedDump], rules: KeepRules) -> None:
    stays = names(kept(fates(shelf, rules)))
    by_age = sorted(shelf, key=lambda dump: dump.moment)
    latest = [dump for dump in shelf if dump.latest]
    known = [
        dump
        for dump in by_age
        if not dump.damage and (not latest or dump.moment <= latest[0].moment)
    ]
    assert names(latest) <= stays
    assert names([dump for dump in shelf if dump.damage]) <= stays
    for good in ("proven", "above_floor"):
        having = [dump for dump in known if asdict(dump)[good]]
        newest = [dump for dump in having if dump.moment == having[-1].moment]
        assert not newest or names(newest) & stays
    for place, dump in enumerate(by_age):
        if dump.overridden and not dump.damage:
            older = [one for one in by_age[:place] if one.moment < dump.moment and not one.damage]
            told = names(shelf) & {dump.previous} - {dump.name}
            before = told or {one.name for one in older if one.moment == older[-1].moment}
            assert dump.name in stays
            assert not before or before & stays
    if shelf:
        assert stays


@given(shelves(), keep_rules())
def test_the_order_in_which_a_folder_is_listed_does_not_matter(
    shelf: list[ShelvedDump], rules: KeepRules
) -> None:
    assert fates(shelf, rules) == fates(sorted(shelf, key=lambda dump: dump.name), rules)
