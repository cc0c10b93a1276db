"""Which tellings are one: the rules as a table, and that merging many follows from them."""

from __future__ import annotations

from itertools import combinations, count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ppr_assets.rules.replay.merging.common import common
from ppr_assets.rules.replay.merging.merge import merge
from ppr_assets.rules.replay.merging.same import same_organization, same_place
from ppr_assets.rules.replay.record import Location, Organization, Phone
from ppr_assets.rules.replay.telling import Named, Telling, named
from ppr_assets.rules.replay.words.addresses import Address

_JOBS = count()
HERE = (39.1, -84.5)
NEXT_DOOR = (39.10018, -84.5)  # 20 m
ROUND_THE_CORNER = (39.1003, -84.5)  # 33 m
IN_THE_QUARTER = (39.109, -84.509)
ELSEWHERE = (40.1, -83.5)
DELTA = ("Delta", "OH", "43515")
MAIN = ("12 Main Street", "Oxford", "OH", "45056")


def telling(
    name: str,
    at: tuple[float, float] | None = None,
    address: tuple[str, str, str, str] | None = None,
    **more: Any,
) -> Named:
    """One organization with one location, told by a file of its own."""
    street, *town = address or ("", "", "", "")
    addresses = (Address("$", None, street, None, town[0], None, *town[1:]),) if address else ()
    location = Location("$", name=more.get("place"), coordinates=at, addresses=addresses)
    organization = Organization(
        "$",
        name,
        website=more.get("website"),
        locations=(location,) if at or address else (),
        phones=tuple(Phone("$", number) for number in (more.get("phone"),) if number),
    )
    job = str(next(_JOBS))
    day = more.get("day", "2025-08-08")
    return named(organization, Telling(day, day, more.get("scraper", job), job, job))


ORGANIZATIONS = {
    "one name alone": (telling("First Baptist Church"), telling("First Baptist Church"), None),
    "one name in two towns": (
        telling("First Baptist Church", HERE),
        telling("First Baptist Church", ELSEWHERE),
        None,
    ),
    "one name in the quarter": (
        telling("St. Mary's Church", HERE),
        telling("Saint Marys  CHURCH", IN_THE_QUARTER),
        "same name and locations within 0.01°",
    ),
    "another name next door": (telling("Hope", HERE), telling("Faith", HERE), None),
    "one website": (
        telling("Hope Pantry", HERE, website="https://www.hope.org/"),
        telling("Hope Pantry", ELSEWHERE, website="http://hope.org/index.html"),
        "same name and website hope.org",
    ),
    "one phone": (
        telling("Hope Pantry, Inc.", phone="(513) 555-0199 x4"),
        telling("The Hope Pantry", phone="513.555.0199"),
        "same name and phone 5135550199",
    ),
    "seven digits are no phone": (
        telling("Hope Pantry", phone="555-0199"),
        telling("Hope Pantry", phone="555-0199"),
        None,
    ),
    "facebook is nobody's website": (
        telling("Hope Pantry", website="https://facebook.com"),
        telling("Hope Pantry", website="https://www.facebook.com/"),
        None,
    ),
    "one address without coordinates": (
        telling("Hope Pantry", address=MAIN),
        telling("Hope Pantry", address=("12 Main St.", "OXFORD", "OH", "45056-1234")),
        "same name and the address 12 main st",
    ),
    "two towns on one wrong point": (
        telling("First Baptist Church", HERE, ("1 Oak St", "Milton", "FL", "32570")),
        telling("First Baptist Church", HERE, ("9 Elm St", "Carriere", "MS", "39426")),
        None,
    ),
    "a name that would fit any": (
        telling("Food Pantry", HERE, phone="513-555-0199"),
        telling("Food Pantry", HERE, phone="513-555-0199"),
        None,
    ),
}

PLACES = {
    "one name and point": (telling("A", HERE, place="Hope Hall"), True, "same name within 25 m"),
    "one name next door": (
        telling("A", NEXT_DOOR, place="Hope Hall"),
        False,
        "same name within 25 m",
    ),
    "one name round the corner": (telling("A", ROUND_THE_CORNER, place="Hope Hall"), True, None),
    "another name there": (telling("A", HERE, place="Faith Hall"), True, None),
    "another name at the same street number": (
        telling("B", NEXT_DOOR, MAIN, place="Faith Hall"),
        False,
        "the address 12 main st within 25 m",
    ),
    "another suite": (
        telling("B", HERE, ("12 Main St Suite 4", *MAIN[1:]), place="Faith Hall"),
        False,
        None,
    ),
    "one name, another house": (
        telling("A", HERE, ("88 Main Street", *MAIN[1:]), place="Hope Hall"),
        True,
        None,
    ),
    "no point, same organization": (
        telling("A", None, MAIN),
        True,
        "same organization and the address 12 main st",
    ),
    "no point, another organization": (telling("B", None, MAIN), False, None),
}


@pytest.mark.parametrize("case", ORGANIZATIONS)
def test_organizations_are_one_by_name_and_a_second_agreement(case: str) -> None:
    one, other, reason = ORGANIZATIONS[case]
    assert same_organization(one, other) == same_organization(other, one) == reason
    merged = merge([one, other]).organizations
    assert len(set(merged.records.values())) == (1 if reason else 2)
    assert [decision.reason for decision in merged.decisions] == ([reason] if reason else [])


@pytest.mark.parametrize("case", PLACES)
def test_places_are_one_by_point_and_name_or_street(case: str) -> None:
    other, one_organization, reason = PLACES[case]
    (one,) = telling("A", HERE, MAIN, place="Hope Hall").places
    assert same_place(one, other.places[0], one_organization) == reason


def test_a_point_of_more_than_three_names_counts_as_none() -> None:
    strangers = [telling(name, HERE) for name in ("Hope", "Faith", "Love", "Hope")]
    assert common(strangers).points == {}
    same = telling("Love", HERE)
    strangers += [telling("Grace", HERE), same]
    stacked = merge(strangers)
    assert stacked.common.points == {HERE: 4}
    assert len(set(stacked.locations.records.values())) == len(strangers)
    assert len(set(stacked.organizations.records.values())) == len(strangers)


def test_a_food_banks_own_number_on_every_pantry_says_nothing_of_any() -> None:
    pantries = [
        telling(name, phone="413-555-0179") for name in ("One", "Two", "Three", "Four", "Four")
    ]
    assert merge(pantries).common.phones == {"4135550179": 4}
    assert len(set(merge(pantries).organizations.records.values())) == 5


def test_one_pantry_told_by_three_scrapers_is_one_with_the_oldest_ones_id() -> None:
    told = [
        telling("Hope Pantry", HERE, day="2025-08-09", scraper="freshtrak"),
        telling("HOPE PANTRY INC", NEXT_DOOR, MAIN, day="2025-08-08", scraper="pantries_org"),
        telling("The Hope Pantry", None, MAIN, day="2025-08-10", scraper="a_food_bank"),
        telling("Hope Pantry", ELSEWHERE, day="2025-08-07", scraper="far_away"),
    ]
    whole = merge(told)
    assert set(whole.organizations.records.values()) == {told[1].id, told[3].id}
    assert set(whole.locations.records.values()) == {told[at].places[0].id for at in (1, 3)}
    assert {decision.id for decision in whole.organizations.decisions} == {told[0].id, told[2].id}


def test_a_record_told_again_keeps_its_id_and_is_one() -> None:
    first = telling("Hope", HERE, MAIN, day="2025-08-01", scraper="s")
    again = telling("hope ", ELSEWHERE, MAIN, day="2025-08-02", scraper="s")
    assert first.id == again.id
    assert first.places[0].id == again.places[0].id
    assert telling("Hope", HERE, MAIN, scraper="t").id != first.id


_TELLINGS = st.builds(
    telling,
    st.sampled_from(["Hope", "HOPE inc", "Faith", "Food Pantry"]),
    st.sampled_from([None, HERE, NEXT_DOOR, ROUND_THE_CORNER, IN_THE_QUARTER, ELSEWHERE]),
    st.sampled_from(
        [None, MAIN, ("88 Main St", *MAIN[1:]), ("12 Main St", "Delta", "OH", "43515")]
    ),
    phone=st.sampled_from([None, "513-555-0199"]),
    place=st.sampled_from([None, "Hope Hall", "Pantry"]),
    scraper=st.sampled_from(["s", "t"]),
    day=st.sampled_from(["2025-08-08", "2025-08-09"]),
)


@given(st.lists(_TELLINGS, min_size=2, max_size=8), st.randoms(use_true_random=False))
def test_merging_is_what_follows_from_all_pairs_in_any_order(told: list[Named], dice: Any) -> None:
    whole = merge(told)
    shuffled = list(told)
    dice.shuffle(shuffled)
    assert merge(shuffled) == whole

    organizations = whole.organizations.records
    groups = {one.id: one.id for one in told}
    for one, other in combinations(told, 2):
        if same_organization(one, other, whole.common):
            old, new = groups[one.id], groups[other.id]
            groups = {key: new if group == old else group for key, group in groups.items()}
    for one, other in combinations(told, 2):
        together = organizations[one.id] == organizations[other.id]
        assert together == (groups[one.id] == groups[other.id])

    places = [place for one in told for place in one.places]
    for here, there in combinations(places, 2):
        owner = organizations[here.organization] == organizations[there.organization]
        if same_place(here, there, owner, whole.common):
            assert whole.locations.records[here.id] == whole.locations.records[there.id]


def test_each_that_is_counted_to_another_has_its_one_decision() -> None:
    """Also one that was joined to a newer one before it met the oldest."""
    oldest = telling("Hope Pantry", phone="513-555-0199", website="hope.org", day="2025-08-01")
    between = telling("Hope Pantry", address=MAIN, day="2025-08-02")
    newest = telling("Hope Pantry", address=MAIN, website="hope.org", day="2025-08-03")
    whole = merge([oldest, between, newest]).organizations
    assert set(whole.records.values()) == {oldest.id}
    assert [(one.id, one.same_as, one.reason) for one in whole.decisions] == [
        (between.id, newest.id, "same name and the address 12 main st"),
        (newest.id, oldest.id, "same name and website hope.org"),
    ]


def test_one_name_in_a_hundred_towns_is_a_hundred_and_each_told_again_is_one() -> None:
    """The name that was published 118 times."""
    towns = [
        (f"{number} Church Street", f"Town {number}", "OH", f"{43000 + number}")
        for number in range(100)
    ]
    told = [
        telling("First Baptist Church", (30.0 + 0.1 * number, -84.5), town, scraper=scraper)
        for number, town in enumerate(towns)
        for scraper in ("freshtrak", "the_food_pantries_org")
    ]
    whole = merge(told)
    assert len(set(whole.organizations.records.values())) == 100
    assert len(set(whole.locations.records.values())) == 100
    assert len(whole.organizations.decisions) == 100
