from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from ppr_assets.rules.profile.columns import ColumnProfile, Points, Profile, TableProfile
from ppr_assets.rules.profile.movements import EarlierNight, largest, movements, warnings


def _profile(
    rows: int = 1000,
    empty: float = 0.03,
    together: int = 2,
    scrapers: Mapping[str, int] = {"plentiful": 400, "vivery_api": 600},
    **described: int,
) -> Profile:
    filled = round(rows * (1 - empty))
    column = {"distinct": filled, "longest": 88, "common": 1} | described
    return {
        "service": TableProfile(
            rows,
            {"description": ColumnProfile(filled, **column), "scraper_id": ColumnProfile(rows)},
            Points(rows, together),
            {"scraper_id": scrapers},
        )
    }


NIGHTS = [EarlierNight(_profile())] * 58


def _said(profile: Profile, nights: list[EarlierNight] = NIGHTS) -> list[str]:
    return warnings(movements(profile, nights))


def test_a_night_like_the_others_is_worth_no_word() -> None:
    assert movements(_profile(), NIGHTS) == []


def test_each_number_is_named_in_words() -> None:
    for night, said in (
        (_profile(empty=0.41, distinct=970), "service.description: 41 % empty, 3 % for 58 nights"),
        (_profile(rows=800), "service: 800 rows, 1,000 for 58 nights"),
        (_profile(together=123), "service: 12 % of places on one point, 0.2 % for 58 nights"),
        (_profile(longest=40), "service.description: longest 40, 88 for 58 nights"),
        (_profile(distinct=1), "service.description: 1 distinct, 970 for 58 nights"),
        (
            _profile(common=970),
            "service.description: 100 % on one value or day, 0.1 % for 58 nights",
        ),
        (
            _profile(scrapers={"vivery_api": 600}),
            "service with scraper_id plentiful: 0 rows, 400 for 58 nights",
        ),
        ({}, "service: 0 rows, 1,000 for 58 nights"),
    ):
        assert _said(night) == [said]


def test_hundreds_of_places_on_one_point_are_named() -> None:
    large = TableProfile(12_000, points=Points(12_000, 20), sampled=1024)
    nights = [EarlierNight({"location": large})] * 60
    now = TableProfile(12_000, points=Points(12_000, 300), sampled=1024)
    assert _said({"location": now}, nights) == [
        "location: 2 % of places on one point, 0.2 % for 60 nights"
    ]
    small = [EarlierNight({"location": TableProfile(100, points=Points(100, 1))})] * 60
    assert _said({"location": TableProfile(100, points=Points(100, 4))}, small) == []


def test_of_a_table_that_is_empty_only_that_is_said() -> None:
    table = _profile()["service"]
    empty = TableProfile(0, dict.fromkeys(table.columns, ColumnProfile()), Points(0, 0))
    assert _said({"service": empty}) == ["service: 0 rows, 1,000 for 58 nights"]


def test_growth_and_what_fills_up_are_no_warning() -> None:
    better = _profile(
        rows=3000, empty=0.0, longest=300, scrapers={"plentiful": 1000, "vivery_api": 2000, "x": 9}
    )
    assert _said(better) == []
    assert len(movements(better, NIGHTS)) > 3


def test_without_nights_before_there_is_nothing_to_say() -> None:
    assert movements(_profile(), []) == []


def test_one_night_is_enough_for_what_nobody_wants() -> None:
    assert _said(_profile(empty=0.41, distinct=970), NIGHTS[:1]) == [
        "service.description: 41 % empty, 3 % for 1 night"
    ]
    assert _said(_profile(empty=0.1), NIGHTS[:1]) == []


def test_a_jump_that_stays_is_the_new_normal_after_three_nights() -> None:
    nights, jumped = list(NIGHTS), _profile(empty=0.41, distinct=970)
    named = []
    for _ in range(60):
        named.append(len(_said(jumped, nights)))
        nights.append(EarlierNight(jumped))
    assert named == [1, 1, 1] + [0] * 57


def test_a_jump_that_was_accepted_is_normal_at_once() -> None:
    jumped = _profile(rows=700, empty=0.41, distinct=970, longest=20)
    of_column = [
        "service.description: longest 20, 88 for 58 nights",
        "service.description: 41 % empty, 3 % for 58 nights",
    ]
    of_table = "service: 700 rows, 1,000 for 58 nights"
    assert sorted(_said(jumped)) == sorted([*of_column, of_table])
    for accepted, named in (
        ({"service"}, []),
        ({"service.description"}, ["service: 700 rows"]),
        (
            {"location", "service.name"},
            ["service.description: ", "service.description: ", "service: "],
        ),
    ):
        nights = [*NIGHTS, EarlierNight(jumped, accepted=frozenset(accepted))]
        for said, begins in zip(sorted(_said(jumped, nights)), named, strict=True):
            assert said.startswith(begins)


def test_after_an_accepted_jump_the_next_one_is_named() -> None:
    nights = [*NIGHTS, EarlierNight(_profile(rows=700), accepted=frozenset({"service"}))]
    assert _said(_profile(rows=200), nights) == ["service: 200 rows, 700 for 1 night"]


def test_what_is_withheld_on_purpose_is_worth_no_word() -> None:
    hidden = _profile(empty=1.0)
    assert warnings(movements(hidden, NIGHTS, {"service.description"})) == []
    assert warnings(movements({}, NIGHTS, {"service"})) == []
    assert warnings(movements(hidden, NIGHTS, {"service.name"})) != []


def test_of_nights_from_before_there_were_profiles_the_rows_are_known() -> None:
    nights = [EarlierNight({"service": TableProfile(1000)})] * 58
    assert _said(_profile(rows=1010), nights) == []
    assert _said(_profile(rows=700), nights) == ["service: 700 rows, 1,000 for 58 nights"]
    mixed = [*nights, EarlierNight(_profile())]
    assert _said(_profile(empty=0.41, distinct=970), mixed) == [
        "service.description: 41 % empty, 3 % for 1 night"
    ]


def test_a_table_that_is_new_or_long_gone_is_worth_no_word() -> None:
    assert _said({**_profile(), "unit": TableProfile(5)}) == []
    assert _said({}, [*NIGHTS, EarlierNight({})]) == []


def test_a_column_that_parted_the_rows_and_is_dropped_is_the_schemas() -> None:
    table = _profile()["service"]
    dropped = TableProfile(1000, {"description": table.columns["description"]}, table.points)
    assert _said({"service": dropped}) == []


def test_names_that_need_it_are_quoted() -> None:
    wide = TableProfile(100, {"Fee Due": ColumnProfile(100)})
    said = _said(
        {"a": TableProfile(100, {"Fee Due": ColumnProfile(0)})}, [EarlierNight({"a": wide})] * 9
    )
    assert said == ['a."Fee Due": 100 % empty, 0 % for 9 nights']


def test_the_largest_movements_are_one_for_each_table_those_that_warn_first() -> None:
    before: Profile = {**_profile(), **{name: TableProfile(1000) for name in "abcde"}}
    now = {
        "a": TableProfile(1010),
        "b": TableProfile(3000),
        "c": TableProfile(850),
        "d": TableProfile(1000),
        "e": TableProfile(1002),
    }
    found = movements({**now, **_profile(empty=0.41, longest=10)}, [EarlierNight(before)] * 20)
    assert largest(found) == [
        "service.description: 41 % empty, 3 % for 20 nights",
        "c: 850 rows, 1,000 for 20 nights",
        "b: 3,000 rows, 1,000 for 20 nights",
    ]


PROFILES = st.builds(
    _profile,
    st.integers(0, 2000),
    st.floats(0, 1),
    st.integers(0, 2000),
    st.dictionaries(st.sampled_from(["a", "b", "c"]), st.integers(0, 500)),
)


@given(PROFILES, st.lists(st.builds(EarlierNight, PROFILES), max_size=8))
def test_any_nights_can_be_told_and_come_out_in_order(
    profile: Profile, nights: list[EarlierNight]
) -> None:
    found = movements(profile, nights)
    assert [abs(one.score) for one in found] == sorted((abs(x.score) for x in found), reverse=True)
    assert warnings(found) == [str(one) for one in found if one.score > 1]
    assert len(largest(found)) <= 3
    assert found == movements(profile, nights)


def test_a_small_scraper_that_is_gone_is_named_and_half_of_one_from_some_rows_on() -> None:
    for usual, now, named in ((5, 0, True), (5, 2, False), (4, 0, False), (16, 8, True)):
        nights = [EarlierNight(_profile(scrapers={"vivery_api": usual, "plentiful": 600}))] * 58
        said = _said(_profile(scrapers={"vivery_api": now, "plentiful": 600}), nights)
        told = f"service with scraper_id vivery_api: {now} rows, {usual} for 58 nights"
        assert said == [told] * named
