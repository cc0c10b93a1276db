from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import asdict, replace

from ppr_assets.rules.mark import Mark
from ppr_assets.rules.policy import GatePolicy, records_needed
from ppr_assets.rules.profile.columns import ColumnProfile, Points, Profile, TableProfile
from ppr_assets.rules.profile.guard import (
    crowded_points,
    emptied_columns,
    hollow_tables,
    judge_profile,
    let_pass,
)
from ppr_assets.rules.profile.movements import EarlierNight

POLICY = GatePolicy(100, Decimal("0.9"), core_share=Decimal("0.1"), point_share=Decimal("0.25"))


def _services(rows: int, described: int, empty: int = 0) -> Profile:
    column = ColumnProfile(described + empty, empty, described, 40, 1)
    return {"service": TableProfile(rows, {"description": column})}


def _texts(profile: Profile, nights: Sequence[EarlierNight]) -> list[str]:
    return [found.text for found in emptied_columns(profile, nights, POLICY)]


def test_the_night_with_one_location_is_refused() -> None:
    counts = {"organization": 1219, "location": 1, "service": 30}
    for mark in (None, Mark(641), Mark(641, {"location": 1, "service": 30})):
        found = hollow_tables(counts, mark, POLICY)
        assert [one.text for one in found] == [
            "location has 1 records, at least 122 needed "
            "beside 1219 organizations (SQL_DUMP_MIN_CORE_SHARE)",
            "service has 30 records, at least 122 needed "
            "beside 1219 organizations (SQL_DUMP_MIN_CORE_SHARE)",
        ]
        assert [one.name for one in found] == ["location", "service"]


@pytest.mark.parametrize(
    ("counts", "mark", "policy"),
    [
        ({"organization": 1219, "location": 122, "service": 122}, None, POLICY),
        ({"organization": 99}, None, POLICY),  # the floor's
        ({}, None, POLICY),
        # the ratchet's: a mark that was lowered on purpose, and one that was not
        ({"organization": 1219}, Mark(1219, {"location": 100, "service": 100}), POLICY),
        ({"organization": 1219}, None, replace(POLICY, core_share=Decimal(0))),
        (
            {"organization": 1219},
            None,
            replace(POLICY, tables=("organization",)),
        ),
    ],
)
def test_what_is_not_hollow_or_another_rules_passes(
    counts: dict[str, int], mark: Mark | None, policy: GatePolicy
) -> None:
    assert hollow_tables(counts, mark, policy) == []


def test_a_column_that_loses_its_values_is_refused() -> None:
    nights = [EarlierNight(_services(1000, 970), "pantry_pirate_radio_2026-11-20_03-00-00.sql")]
    assert _texts(_services(1000, 872), nights) == [
        "service.description has 872 values, at least 873 needed "
        "(it had 970 in pantry_pirate_radio_2026-11-20_03-00-00.sql; "
        "SQL_DUMP_RATCHET_PERCENTAGE)"
    ]
    assert _texts(_services(1000, 873), nights) == []


def test_an_empty_text_is_no_value() -> None:
    assert _texts(_services(1000, 0, empty=1000), [EarlierNight(_services(1000, 970))])


def test_a_column_that_is_dropped_has_lost_them_all() -> None:
    dropped = {"service": TableProfile(1000, {"id": ColumnProfile(1000)})}
    assert _texts(dropped, [EarlierNight(_services(1000, 970))]) == [
        "service.description has 0 values, at least 873 needed "
        "(it had 970 before; SQL_DUMP_RATCHET_PERCENTAGE)"
    ]


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (_services(1000, 499), _services(1000, 0)),  # in less than half of the rows
        (_services(99, 99), _services(99, 0)),  # a tenth of a handful is noise
        ({"phone": _services(1000, 1000)["service"]}, {}),  # no core table
        (_services(1000, 1000), _services(3000, 1000)),  # new rows without values lose none
        (_services(10_000, 9_000), _services(500, 450)),  # the mark was lowered
        (_services(1000, 900), _services(0, 0)),  # the ratchet's
    ],
)
def test_other_losses_are_not_refused(before: Profile, now: Profile) -> None:
    assert _texts(now, [EarlierNight(before)]) == []


def test_a_column_is_held_to_the_best_night_and_cannot_fade_away() -> None:
    nights: list[EarlierNight] = []
    described = 1000
    while not _texts(_services(1000, described), nights):
        nights.append(EarlierNight(_services(1000, described)))
        described -= 20
    assert described == 880


def test_what_a_human_let_pass_is_the_new_normal() -> None:
    before, let = EarlierNight(_services(1000, 970)), _services(1000, 600)
    for name in ("service", "service.description"):
        nights = [before, EarlierNight(let, accepted=frozenset({name}))]
        assert _texts(let, nights) == []
        assert _texts(_services(1000, 539), nights)
    assert _texts(
        let, [before, EarlierNight(let, accepted=frozenset({"service.name", "location"}))]
    )


def test_what_is_withheld_on_purpose_is_not_missed() -> None:
    nights, withheld = [EarlierNight(_services(1000, 970))], _services(1000, 0)
    for name in ("service", "service.description"):
        assert emptied_columns(withheld, nights, POLICY, {name}) == []
    assert emptied_columns(withheld, nights, POLICY, {"location", "service.name"})


def test_what_a_human_let_pass_is_read_back_from_a_verdict() -> None:
    (emptied,) = emptied_columns(_services(1000, 0), [EarlierNight(_services(1000, 970))], POLICY)
    (hollow,) = hollow_tables({"organization": 1219, "service": 500}, None, POLICY)
    findings = [asdict(emptied), asdict(hollow), {"rule": "floor", "table": "organization"}]
    verdict = {"status": "overridden", "findings": findings}
    assert let_pass(verdict) == {"service.description", "location", "organization"}
    assert let_pass({**verdict, "status": "refused"}) == frozenset()
    damaged_ones: tuple[object, ...] = (None, [None, {"table": 1}, {"table": "a", "column": 3}], {})
    for damaged in damaged_ones:
        assert let_pass({"status": "overridden", "findings": damaged}) == frozenset()


def test_most_places_on_one_point_are_refused() -> None:
    profile = {"location": TableProfile(1000, points=Points(980, 246))}
    assert [found.text for found in crowded_points(profile, POLICY)] == [
        "location has 246 of 980 places on one point, at most 245 allowed "
        "(SQL_DUMP_MAX_POINT_SHARE)"
    ]
    assert crowded_points({"location": TableProfile(1000, points=Points(980, 245))}, POLICY) == []
    assert crowded_points({"location": TableProfile(99, points=Points(99, 99))}, POLICY) == []
    assert crowded_points({"location_source": profile["location"]}, POLICY) == []
    anywhere = replace(POLICY, point_share=Decimal(1))
    assert crowded_points({"location": TableProfile(9, points=Points(980, 980))}, anywhere) == []


TABLES = st.builds(
    lambda rows, share, points: TableProfile(
        rows, {"name": ColumnProfile(int(rows * share))}, Points(rows, min(points, rows))
    ),
    st.integers(0, 1000),
    st.floats(0, 1),
    st.integers(0, 400),
)
PROFILES = st.dictionaries(st.sampled_from(["organization", "location", "service"]), TABLES)


@given(PROFILES, st.lists(st.builds(EarlierNight, PROFILES), max_size=4))
def test_a_profile_is_refused_for_what_it_lacks_and_nothing_else(
    profile: Profile, nights: list[EarlierNight]
) -> None:
    for found in judge_profile(profile, nights, POLICY):
        if found.rule == "point":
            assert found.have > found.need
        else:
            assert found.have < found.need
        if found.rule == "column":
            assert found.need <= records_needed(found.mark, POLICY.percentage)
            assert found.mark in {
                night.profile[found.table].columns["name"].filled
                for night in nights
                if found.table in night.profile
            }
    accepted = EarlierNight(profile, accepted=frozenset({"organization", "location", "service"}))
    assert emptied_columns(profile, [*nights, accepted], POLICY) == []


@given(PROFILES, st.lists(st.builds(EarlierNight, PROFILES), max_size=3))
def test_a_night_that_has_everything_that_there_ever_was_is_not_refused(
    profile: Profile, nights: list[EarlierNight]
) -> None:
    best = [night.profile for night in nights]
    grown = {
        table: TableProfile(
            max([now.rows, *(one[table].rows for one in best if table in one)]),
            {
                "name": ColumnProfile(
                    max(
                        found.columns["name"].filled
                        for found in [now, *(one[table] for one in best if table in one)]
                    )
                )
            },
        )
        for table, now in profile.items()
    }
    refused = {one.table for one in emptied_columns(grown, nights, POLICY)}
    assert refused.isdisjoint(profile)


@pytest.mark.parametrize("share", ["-0.1", "1.1", "NaN", "Infinity"])
def test_a_share_that_guards_nothing_is_refused(share: str) -> None:
    with pytest.raises(ValueError, match="must be from 0 to 1"):
        replace(POLICY, core_share=Decimal(share))
    with pytest.raises(ValueError, match="must be from 0 to 1"):
        replace(POLICY, point_share=Decimal(share))


def test_a_finding_can_be_written_into_a_manifest() -> None:
    (found, _) = hollow_tables({"organization": 1219}, None, POLICY)
    assert asdict(found) == {
        "rule": "hollow", "table": "location", "have": 0, "need": 122, "mark": 1219,
        "column": "", "dump": "",
    }  # fmt: skip
