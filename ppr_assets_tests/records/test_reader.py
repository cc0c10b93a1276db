"""What a published file tells of, in each of its shapes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from ppr_assets.records.reader import Job, Loaded, NothingToLoad, Rejected, read_file
from ppr_assets.records.schedules import AMBIGUOUS_WKST, FROM_WKST
from ppr_assets.records.spellings import (
    ADDRESS,
    ATTRIBUTE,
    CONTACT,
    LOCATION,
    ORGANIZATION,
    PHONE,
    SCHEDULE,
    SERVICE,
    TERM,
    ObjectKind,
)
from ppr_assets.rules.replay.record import Organization, Phone
from ppr_assets_tests.records.told import BARE, SHAPES, job_file, text_file


def loaded(value: object) -> Loaded:
    outcome = read_file(text_file(value))
    assert isinstance(outcome, Loaded), outcome
    return outcome


def organization(value: object) -> Organization:
    (found,) = loaded(value).organizations
    return found


def without_paths(value: Any) -> Any:
    """The record without what differs between shapes: where in the file its values stood."""
    if isinstance(value, tuple):
        return tuple(without_paths(one) for one in value)
    if isinstance(value, Struct):
        names = (name for name in value.__struct_fields__ if name not in ("path", "program"))
        return {name: without_paths(getattr(value, name)) for name in names}
    return value


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_tells_of_the_same_pantry(shape: str) -> None:
    told = organization(SHAPES[shape])
    (location,), (service,) = told.locations, told.services
    assert without_paths(told) == without_paths(organization(BARE))
    assert location.addresses[0].postal_code == "45056"
    assert [schedule.byday for schedule in location.schedules] == ["TU"]
    assert [at.location for at in service.at] == [0]
    assert service.program == told.programs[0].path
    assert loaded(SHAPES[shape]).without_place == {}


def test_each_value_has_the_path_that_it_came_from() -> None:
    told = organization({"organizations": [BARE]})
    assert told.path == "$.result.organizations[0]"
    assert told.locations[0].addresses[0].path == f"{told.path}.locations[0].addresss[0]"
    assert told.services[0].at[0].path == f"{told.path}.services[0].location_id"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", ""),
        ("```json\n", "\n```"),
        ("```\n", "```\n"),
        ("Here it is:\n```JSON\n", "\n```\nBye"),
    ],
)
def test_a_text_result_is_read_with_and_without_its_fence(before: str, after: str) -> None:
    assert isinstance(read_file(text_file(BARE, before, after)), Loaded)


def test_an_object_with_text_is_read_and_says_whether_it_was_cut() -> None:
    for cut in (True, False):
        result = {"text": json.dumps(BARE), "usage": {"tokens": 3}, "was_truncated": cut}
        outcome = read_file(job_file(result))
        assert isinstance(outcome, Loaded)
        assert outcome.was_truncated is cut
        assert outcome.organizations[0].path == "$.result.text"


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        ("Invalid JSON response", "a refusal in prose"),
        ("I cannot provide that.", "a refusal in prose"),
        ("The pantry opens at nine.", "prose instead of JSON"),
        ("", "an empty result"),
        (None, "an empty result"),
        ("{}", "an empty result"),
        ("```json\n[]\n```", "an empty result"),
        ('"Hope"', "a result without an object"),
        ('{"organizations": []}', "no organization in the result"),
        ('{"locations": [{"id": "l1"}]}', "no organization in the result"),
        ('{"name": "N/A", "locations": []}', "no organization in the result"),
    ],
)
def test_what_holds_nothing_is_nothing_to_load(result: object, reason: str) -> None:
    outcome = read_file(job_file(result))
    assert isinstance(outcome, NothingToLoad)
    assert outcome.reason == reason
    assert outcome.job


def test_the_job_says_who_told_it_and_when() -> None:
    outcome = read_file(text_file(BARE))
    assert outcome.job == Job("1754641634.6", "freshtrak", "2025-08-08 08:27:14.643228", "a1")
    assert outcome.job.day == "2025-08-08"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2025-08-08T08:27:14", "2025-08-08 08:27:14"),
        ("2025-08-08T23:30:00-05:00", "2025-08-09 04:30:00"),
        ("2025-08-08 08:27:14+00:00", "2025-08-08 08:27:14"),
    ],
)
def test_moments_are_read_with_and_without_a_zone(written: str, read: str) -> None:
    job = {"created_at": written, "metadata": {"scraper_id": "unknown"}}
    outcome = read_file(job_file("", job=job))
    assert outcome.job == Job("1754641634.6", None, read)


def schedules(**told: Any) -> Any:
    value = {"name": "Hope", "locations": [{"name": "Hall", "schedules": [told]}]}
    return organization(value).locations[0].schedules


@pytest.mark.parametrize(
    ("told", "byday", "wkst", "remark"),
    [
        ({"wkst": "TH", "opens_at": "09:00"}, "TH", None, FROM_WKST),
        ({"wkst": "MO", "opens_at": "09:00"}, None, "MO", AMBIGUOUS_WKST),
        ({"wkst": "TH", "byday": "TU"}, "TU", "TH", None),
        ({"wkst": "TH", "days": ["Monday", "wed"]}, "MO,WE", "TH", None),
    ],
)
def test_the_weekday_hidden_in_wkst(
    told: dict[str, Any], byday: str | None, wkst: str | None, remark: str | None
) -> None:
    (row,) = schedules(freq="WEEKLY", **told)
    assert (row.byday, row.wkst, row.remark) == (byday, wkst, remark)


def test_a_weekday_in_wkst_of_another_rhythm_stays_there() -> None:
    (row,) = schedules(freq="MONTHLY", wkst="TH", opens_at="09:00")
    assert (row.byday, row.wkst) == (None, "TH")


def test_each_pair_of_hours_is_a_row() -> None:
    rows = schedules(
        freq="WEEKLY",
        days=[
            {"day": "TU", "open_time": "11:00", "close_time": "13:00"},
            {"day": "TH", "open_time": "16:00", "close_time": "17:30"},
        ],
    )
    assert [(row.byday, row.opens_at) for row in rows] == [("TU", "11:00"), ("TH", "16:00")]


def test_a_span_of_days_is_that_of_every_row() -> None:
    rows = schedules(
        freq="WEEKLY",
        days=["WE"],
        times=[{"start": "09:00", "end": "11:00"}, {"start": "15:00", "end": "18:30"}],
        dates={"start_date": "2025-08-13", "end_date": "2025-09-03"},
    )
    assert [row.opens_at for row in rows] == ["09:00", "15:00"]
    assert {(row.valid_from, row.valid_to) for row in rows} == {("2025-08-13", "2025-09-03")}


def test_a_rule_in_words_is_read_where_it_names_a_weekday() -> None:
    (row,) = schedules(freq="MONTHLY", monthly_recurrence_rule="LAST_WEDNESDAY", opens_at="17:00")
    assert row.byday == "-1WE"


def test_an_address_in_words_is_the_street_of_what_stands_beside_it() -> None:
    place = {"address": "211 3rd St NW", "city": "Barberton", "state": "OH", "zip": "44203"}
    (address,) = organization({"name": "Hope", "locations": [place]}).locations[0].addresses
    assert (address.address_1, address.city, address.postal_code) == (
        "211 3rd St NW",
        "Barberton",
        "44203",
    )


def test_single_days_are_a_row_each() -> None:
    rows = schedules(freq="WEEKLY", opens_at="16:30", dates=["2025-08-12", "2025-08-26"])
    assert [(row.dtstart, row.until, row.count) for row in rows] == [
        ("2025-08-12", "2025-08-12", 1),
        ("2025-08-26", "2025-08-26", 1),
    ]


def test_coordinates_in_a_list_are_read_in_the_order_that_they_have() -> None:
    for pair in ([40.8, -81.5], [-81.5, 40.8]):
        told = organization({"name": "Hope", "address": {"coordinates": pair, "city": "Navarre"}})
        assert told.locations[0].coordinates == (40.8, -81.5)
    lost = loaded({"name": "Hope", "address": {"coordinates": [1, 2], "city": "Navarre"}})
    assert lost.without_place == {"location.coordinates": 1}


def test_coordinates_are_read_from_a_text_and_from_geojson_and_make_no_two_halls_one() -> None:
    point = {"type": "Point", "coordinates": [-81.5, 40.8]}
    told = {"First": "40.8, -81.5", "Second": point, "Third": {"type": "Point", "coordinates": "x"}}
    halls = [{"name": name, "coordinates": at} for name, at in told.items()]
    found = loaded({"name": "Hope", "locations": halls})
    (one,) = found.organizations
    assert [(hall.name, hall.coordinates) for hall in one.locations] == [
        ("First", (40.8, -81.5)),
        ("Second", (40.8, -81.5)),
        ("Third", None),
    ]
    assert found.without_place == {"location.coordinates": 1}


def test_an_address_belongs_to_whose_location_it_names() -> None:
    told = {
        "organization": [{"name": "Hope"}, {"name": "Faith"}],
        "location": [
            {"name": "Hope Hall", "organization_name": "Hope"},
            {"name": "Faith Hall", "organization_name": "Faith"},
        ],
        "address": [{"location_name": "Faith Hall", "address_1": "1 Main", "city": "Oxford"}],
    }
    found = loaded(told)
    halls = [hall for one in found.organizations for hall in one.locations]
    assert [(hall.name, len(hall.addresses)) for hall in halls] == [
        ("Hope Hall", 0),
        ("Faith Hall", 1),
    ]
    assert found.without_place == {}


def test_hours_are_read_from_one_text_or_counted() -> None:
    whole: list[dict[str, Any]] = [
        {"times": ["9 AM - 5 PM"]},
        {"times": "09:00-17:00"},
        {"opens_at": "9 am to 5 pm"},
    ]
    for told in whole:
        (row,) = schedules(byday="Mon-Wed", **told)
        assert (row.byday, row.opens_at, row.closes_at) == ("MO,TU,WE", "09:00", "17:00")
    lost: list[dict[str, Any]] = [
        {"times": "by appointment"},
        {"opens_at": {"from": "9"}},
        {"times": [9]},
    ]
    for told in lost:
        hall = {"name": "Hall", "schedules": [{"byday": "MO", **told}]}
        assert len(loaded({"name": "Hope", "locations": [hall]}).without_place) == 1, told


def test_a_rule_says_until_when_and_how_often_and_what_it_says_beside_is_counted() -> None:
    rule = "RRULE:FREQ=WEEKLY;BYDAY=MO;UNTIL=20251231T235959Z;COUNT=10;BYMONTH=5"
    hall = {"name": "Hall", "schedules": [{"rrule": rule}, {"bymonthday": [1, 15]}]}
    found = loaded({"name": "Hope", "locations": [hall]})
    (first, second) = found.organizations[0].locations[0].schedules
    assert (first.freq, first.byday, first.until, first.count) == (
        "WEEKLY", "MO", "2025-12-31", 10,
    )  # fmt: skip
    assert second.bymonthday == "1,15"
    assert found.without_place == {"schedule.rrule BYMONTH": 1}


def test_what_a_frequency_says_is_said_in_the_schemas_words() -> None:
    (daily,) = schedules(freq="DAILY", opens_at="09:00")
    assert (daily.freq, daily.byday) == ("WEEKLY", "MO,TU,WE,TH,FR,SA,SU")
    (other,) = schedules(freq="BI_WEEKLY", byday="TU")
    assert (other.freq, other.interval) == ("WEEKLY", 2)
    (once,) = schedules(freq="ONCE", date="2025-08-12", start_time="09:00")
    assert (once.freq, once.dtstart, once.until, once.count) == (
        None,
        "2025-08-12",
        "2025-08-12",
        1,
    )
    (rule,) = schedules(recurrence_rule="FREQ=MONTHLY;BYDAY=FR;BYSETPOS=-1", opens_at="9 am")
    assert (rule.freq, rule.byday, rule.opens_at) == ("MONTHLY", "-1FR", "09:00")


def test_a_frequency_alone_says_nothing() -> None:
    assert schedules(freq="WEEKLY", wkst="MO", opens_at="", closes_at=None) == ()


def test_nothing_is_made_up_for_what_is_not_known() -> None:
    told = organization(
        {
            "name": "Hope",
            "website": "https://example.com/hope",
            "locations": [
                {"name": "Hall", "address": {"city": "Oxford", "state": "Unknown", "zip": "1234"}}
            ],
        }
    )
    (address,) = told.locations[0].addresses
    assert (address.address_1, address.state_province, address.postal_code) == (None, None, None)
    assert (told.description, told.website, address.country) == (None, None, None)


def test_one_id_for_two_addresses_is_two_places() -> None:
    told = organization(
        {
            "organizations": [
                {"name": "Hope", "addresses": [{"id": "l1", "street": "1 Oak St", "zip": "45056"}]}
            ],
            "services": [
                {"name": "Meal", "locations": [{"id": "l1", "street": "9 Elm St", "zip": "45056"}]}
            ],
        }
    )
    streets = [location.addresses[0].address_1 for location in told.locations]
    assert streets == ["1 Oak St", "9 Elm St"]
    assert [at.location for at in told.services[0].at] == [1]


def test_two_addresses_of_an_organization_without_locations_are_two_places() -> None:
    two = [{"street": "1 Oak St", "zip": "45056"}, {"street": "9 Elm St", "zip": "45056"}]
    assert len(organization({"name": "Hope", "addresses": two}).locations) == 2
    place = {"street": "1 Oak Street", "zip": "45056"}
    outcome = loaded({"name": "Hope", "addresses": two, "locations": [place]})
    assert len(outcome.organizations[0].locations) == 1
    assert outcome.without_place == {"organization.addresses beside its locations": 1}


def test_a_contact_that_is_only_a_number_is_a_phone() -> None:
    told = organization({"name": "Hope", "contacts": [{"type": "phone", "number": "5135550199"}]})
    assert told.contacts == ()
    assert [phone.number for phone in told.phones] == ["5135550199"]
    assert isinstance(told.phones[0], Phone)


@pytest.mark.parametrize(
    ("told", "lost"),
    [
        ('"email": "a@hope.org", "email": "b@hope.org"', 1),
        ('"email": "a@hope.org", "e\\u006dail": "b@hope.org"', 1),
        ('"email": "a@hope.org", "email" : "b@hope.org", "description": "\\u0022:"', 1),
        ('"email": "a@hope.org", "email": "a@hope.org"', 0),
        ('"email": "a@hope.org", "description": "say \\": , \\" : and {\\"email\\": 1}"', 0),
    ],
)
def test_what_stood_twice_under_one_key_is_counted(told: str, lost: int) -> None:
    outcome = read_file(job_file(f'{{"name": "Hope", {told}}}'))
    assert isinstance(outcome, Loaded)
    counted = {"email that stood more than once": lost} if lost else {}
    assert outcome.without_place == counted


_LINKS = {"id", "metadata", "schedule_id", "phone_id"}


def test_attributes_are_values_of_a_term_that_has_a_name() -> None:
    def told(entity: str, term: object) -> list[object]:
        return [{"link_entity": entity, "value": "Weekly", "taxonomy_term": term}]

    term = {"code": "frequency", "name": "Frequency", "description": "How often"}
    outcome = loaded(
        {
            "name": "Hope",
            "attributes": told("organization", term) + told("service", term) + ["Walk in"],
            "locations": [{"name": "Hall", "attributes": told("location", term)}],
            "services": [{"name": "Meal", "attributes": told("service", {"name": ""})}],
        }
    )
    (one,) = outcome.organizations
    (own,), (place,) = one.attributes, one.locations[0].attributes
    assert (own.value, own.term.code, own.term.name) == ("Weekly", "frequency", "Frequency")
    assert place.path == "$.result.locations[0].attributes[0]"
    assert one.services[0].attributes == ()
    assert outcome.without_place == {
        "attribute of another kind than the organization around it": 1,
        "attribute without the name of its term": 2,
    }


_KINDS: dict[str, tuple[ObjectKind, Any]] = {
    "organization": (ORGANIZATION, lambda told: {"name": "Hope", **told}),
    "location": (LOCATION, lambda told: {"name": "Hope", "locations": [{"name": "Hall", **told}]}),
    "service": (SERVICE, lambda told: {"name": "Hope", "services": [{"name": "Meal", **told}]}),
    "address": (
        ADDRESS,
        lambda told: {"name": "Hope", "locations": [{"address": {"city": "Oxford", **told}}]},
    ),
    "schedule": (
        SCHEDULE,
        lambda told: {"name": "Hope", "services": [{"name": "x", "schedules": [told]}]},
    ),
    "attribute": (
        ATTRIBUTE,
        lambda told: {"name": "Hope", "attributes": [{"taxonomy_term": {"name": "T"}, **told}]},
    ),
    "taxonomy_term": (
        TERM,
        lambda told: {"name": "Hope", "attributes": [{"taxonomy_term": {"name": "T", **told}}]},
    ),
    "phone": (PHONE, lambda told: {"name": "Hope", "phones": [{"number": "5135550199", **told}]}),
    "contact": (CONTACT, lambda told: {"name": "Hope", "contacts": [{"name": "Ann", **told}]}),
}


@pytest.mark.parametrize("kind", _KINDS)
def test_nothing_is_lost_without_a_word(kind: str) -> None:
    """Whatever key says something, it is in a record, or counted, or leads to another."""
    spellings, around = _KINDS[kind]
    for stemmed, name in ({**spellings.fields, "entirelynew": "new"}).items():
        if name is None or name in _LINKS or name.endswith("_ref"):
            continue
        outcome = loaded(around({stemmed: "xyzzy"}))
        assert "xyzzy" in repr(outcome.organizations).lower() or outcome.without_place, stemmed


_CHARACTERS = st.characters(exclude_characters="\0", exclude_categories=["Cs"])
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(_CHARACTERS, max_size=12)
    | st.sampled_from(["TU", "09:00", "5135550199", "2025-08-12", "N/A"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            sorted(
                {stem for kind, _ in _KINDS.values() for stem in kind.fields}
                | {"organization", "organizations", "data", "text", "new"}
            )
        ),
        inner,
        max_size=6,
    ),
    max_leaves=25,
)  # fmt: skip


@given(_VALUES)
def test_whatever_a_result_holds_there_is_one_outcome(value: Any) -> None:
    for data in (text_file(value), job_file(value)):
        assert isinstance(read_file(data), Loaded | NothingToLoad | Rejected)


@given(_VALUES)
def test_an_organization_beside_anything_is_loaded(value: Any) -> None:
    told = {"name": "Hope Pantry", "locations": value, "services": value, "phones": value}
    assert loaded(told).organizations[0].name == "Hope Pantry"
