"""Published words as they really come, and what they are read as. Nothing is made up: what cannot
be read is None."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ppr_assets.rules.replay.ids import NAMESPACE, child_id, record_id
from ppr_assets.rules.replay.words import times
from ppr_assets.rules.replay.words.addresses import (
    Address,
    from_one_line,
    normalized_street,
    postal_code,
    same_address_key,
    state_code,
)
from ppr_assets.rules.replay.words.contact_points import phone_keys, phone_number, website_key
from ppr_assets.rules.replay.words.coordinates import metres_between, point
from ppr_assets.rules.replay.words.names import normalized_name, says_only_what_it_is
from ppr_assets.rules.replay.words.texts import known


@pytest.mark.parametrize(
    "words",
    ["", " ", "N/A", "none", "Unknown", "State not provided", "Not available.", "city unknown"],
)
def test_what_only_says_that_nothing_is_known_is_nothing(words: str) -> None:
    assert known(words) is None


def test_words_that_say_something_stay_as_they_are() -> None:
    assert known("  Ring twice; hours not known ") == "Ring twice; hours not known"
    assert known("None of the Above Ministries") == "None of the Above Ministries"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("St. Mary's Church", "SAINT MARYS CHURCH"),
        ("The Salvation Army (Akron)", "Salvation Army Akron"),
        ("UrbanArk, Inc.", "UrbanArk"),
        ("Salt & Light", "Salt and Light"),
        ("Iglesia Bautista Fé", "iglesia bautista fe"),
        ("Centreville UMC", "Centreville United Methodist Church"),
        ("Mt. Zion", "Mount Zion"),
    ],
)
def test_names_are_compared_by_what_they_say(one: str, other: str) -> None:
    assert normalized_name(one) == normalized_name(other) != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("First Baptist Church of Milton", "First Baptist Church of Akron"),
        ("ACRFB Pop-Up (Portage)", "ACRFB Pop-Up (Summit)"),
        ("教会", "食堂"),
        ("教会 1", "食堂 1"),
    ],
)
def test_names_that_differ_stay_different(one: str, other: str) -> None:
    assert normalized_name(one) != normalized_name(other)
    assert normalized_name(one)


def test_a_name_for_any_pantry_is_known_for_one() -> None:
    assert says_only_what_it_is(normalized_name("The Food Pantry"))
    assert says_only_what_it_is(normalized_name("Pantry Location 2"))
    assert not says_only_what_it_is(normalized_name("Hope Food Pantry"))


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("OH", "OH"),
        ("ohio", "OH"),
        ("D.C.", "DC"),
        ("Washington, DC", "DC"),
        ("", None),
        ("XX", None),
    ],
)
def test_states_are_codes_or_nothing(words: str, code: str | None) -> None:
    assert state_code(words) == code


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("01040", "01040"),
        ("450561234", "45056-1234"),
        ("45056-1234", "45056-1234"),
        ("1040", None),
        ("513-555-0199", None),
        ("45056-", None),
        ("\uff14\uff15\uff10\uff15\uff16", None),
    ],
)
def test_zip_codes_are_five_or_nine_digits_or_nothing(words: str, code: str | None) -> None:
    assert postal_code(words) == code


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("12 North Main Street", "12 N. Main St"),
        ("4560 LIBERTY AVE STE H", "4560 Liberty Avenue, Suite H"),
        ("717 McKinley Ave N.W.", "717 McKinley Avenue Northwest"),
        ("88 N Main St  Ste 201", "88 North Main St #201"),
        ("1 Fifth Ave", "1 5th Avenue"),
    ],
)
def test_streets_are_compared_by_what_they_say(one: str, other: str) -> None:
    assert normalized_street(one, None) == normalized_street(other, None) != ""


def test_another_unit_is_another_street_address_and_a_street_alone_is_none() -> None:
    assert normalized_street("12 Main St", "Suite 4") != normalized_street("12 Main St", "Suite 5")
    assert normalized_street("12 Main St", "Suite 4") == normalized_street("12 Main St Ste 4", None)
    assert normalized_street("Main Street", None) == ""
    assert normalized_street("12", None) == ""


def test_an_address_without_a_town_is_not_compared() -> None:
    street = Address("$", address_1="12 Main St")
    assert same_address_key(street) is None
    in_town = Address("$", address_1="12 Main St", city="St. Clair", state_province="OH")
    assert same_address_key(in_town) == ("12 main st", "st clair OH")


def test_an_address_in_one_line_is_taken_apart_only_where_it_is_whole() -> None:
    whole = from_one_line("211 3rd St NW, Canton, OH 44702", "$")
    assert whole == Address("$", None, "211 3rd St NW", None, "Canton", None, "OH", "44702")
    assert from_one_line("211 3rd St NW, Canton", "$") == Address(
        "$", None, "211 3rd St NW, Canton"
    )
    assert from_one_line("n/a", "$") is None


@pytest.mark.parametrize(
    ("words", "number", "keys"),
    [
        ("(513) 555-0199", ("(513) 555-0199", None), ("5135550199",)),
        ("513.555.0199 ext. 12", ("513.555.0199", "12"), ("5135550199",)),
        ("513-555-0199x5", ("513-555-0199", "5"), ("5135550199",)),
        ("+1 513 555 0199", ("+1 513 555 0199", None), ("5135550199",)),
        ("1-513-555-0199 or 5135550198", None, ("5135550199", "5135550198")),
        ("555-0199", ("555-0199", None), ()),
        ("call us", None, ()),
        ("0000000000", ("0000000000", None), ()),
    ],
)
def test_phones(words: str, number: tuple[str, str | None] | None, keys: tuple[str, ...]) -> None:
    assert phone_number(words) == (number or ((words, None) if keys else None))
    assert phone_keys(words) == keys


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("https://www.Hope.org/", "hope.org"),
        ("hope.org/food?utm_source=x", "hope.org/food"),
        ("https://www.facebook.com/hope", "facebook.com/hope"),
        ("https://facebook.com/profile.php?id=7", "facebook.com/profile.php?id=7"),
        ("http://facebook.com", None),
        ("https://example.com/org/1", None),
        ("see our page", None),
        ("http://[", None),
    ],
)
def test_websites(url: str, key: str | None) -> None:
    assert website_key(url) == key


@pytest.mark.parametrize(
    ("words", "read"),
    [
        ("09:00", "09:00"),
        ("9:30 PM", "21:30"),
        ("12 a.m.", "00:00"),
        ("17:00:00", "17:00"),
        ("24:00", "24:00"),
        ("25:00", None),
        ("13 pm", None),
        ("9", None),
        ("noonish", None),
    ],
)
def test_times(words: str, read: str | None) -> None:
    assert times.clock_time(words) == read


@pytest.mark.parametrize(
    ("words", "read"),
    [
        ("TU", "TU"),
        ("Thurs", "TH"),
        ("thu", "TH"),
        ("wednesdays", "WE"),
        ("3rd Saturday", "3SA"),
        ("3SAT", "3SA"),
        ("4TH", "4TH"),
        ("LAST_WEDNESDAY", "-1WE"),
        ("-1FR", "-1FR"),
        ("T", None),
        ("1st", None),
        ("Mon-Fri", None),
    ],
)
def test_weekdays(words: str, read: str | None) -> None:
    assert times.weekday(words) == read


def test_weekdays_stand_in_the_order_of_the_week_and_one_that_is_none_spoils_them() -> None:
    assert times.weekdays(["Friday", "MO", "friday"]) == "MO,FR"
    assert times.weekdays(["MO", "often"]) is None


@pytest.mark.parametrize(
    ("words", "read"),
    [
        ("weekly", ("WEEKLY", None)),
        ("BI_WEEKLY", ("WEEKLY", 2)),
        ("MONTHLY", ("MONTHLY", None)),
        ("SEMI_MONTHLY", None),
        ("ONCE", None),
    ],
)
def test_frequencies(words: str, read: tuple[str, int | None] | None) -> None:
    assert times.frequency(words) == read


def test_moments() -> None:
    assert times.moment("2025-08-12T16:30:00Z") == ("2025-08-12", "16:30")
    assert times.moment("2025-02-30") is None


@pytest.mark.parametrize("bad", [(91, 0), (0, 181), ("nan", 0), ("inf", 0), (None, 0), ("x", "y")])
def test_what_is_not_on_earth_is_no_point(bad: tuple[object, object]) -> None:
    assert point(*bad) is None


def test_points_and_distances() -> None:
    assert point("39.1", -84) == (39.1, -84.0)
    assert metres_between((39.1, -84.5), (39.10018, -84.5)) == pytest.approx(20, abs=0.1)
    assert metres_between((60, 10), (60, 10.001)) == pytest.approx(55.7, abs=0.1)


@given(st.text(max_size=80))
def test_whatever_the_words_are_they_are_read_or_nothing(words: str) -> None:
    known(words)
    for name in (words, f"The the {words} and Inc. & co"):
        assert normalized_name(normalized_name(name)) == normalized_name(name)
    state_code(words), postal_code(words), phone_keys(words), website_key(words)
    phone_number(words)
    times.clock_time(words), times.weekday(words), times.moment(words), times.frequency(words)
    times.recurrence(words)
    from_one_line(words, "$")
    normalized_street(words, words)


@given(st.text(st.characters(exclude_categories=["Cs"])), st.uuids())
def test_an_id_is_the_uuid_of_its_words(words: str, parent: uuid.UUID) -> None:
    assert record_id("location", words) == str(uuid.uuid5(NAMESPACE, f"location\x1f{words}"))
    assert child_id("phone", str(parent), 1) == str(uuid.uuid5(parent, "phone\x1f1"))
