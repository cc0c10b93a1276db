"""A secret stops a dump unless it is allowed there; what leads to persons is held to a baseline."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ppr_assets.errors import PolicyRefused
from ppr_assets.rules.finds.judgement import Allowed, Find, Finds, Judgement, Spot, judge_finds

TOKEN, MAIL = "GitHub token", "free-mail address"
SPOTS = st.builds(Spot, st.sampled_from("abc"), st.sampled_from(["", "x", "y z"]), st.just(TOKEN))
PERSONS = st.dictionaries(SPOTS.map(lambda spot: spot._replace(kind=MAIL)), st.integers(0, 9))


def _allowed(spot: Spot) -> Allowed:
    return Allowed(*spot, reason="the example of our own guide")


def _find(spot: Spot) -> Find:
    return Find(*spot, key="id=1")


@given(st.lists(SPOTS), st.sets(SPOTS), st.dictionaries(SPOTS, st.integers(1, 9)))
def test_every_secret_that_is_not_allowed_stops_the_dump(
    secrets: list[Spot], passed: set[Spot], unlisted: Mapping[Spot, int]
) -> None:
    finds = Finds(tuple(map(_find, secrets)), unlisted)
    judgement = judge_finds(finds, {}, [*map(_allowed, passed)])
    assert {find.spot for find in judgement.refused} == set(secrets) - passed
    assert judgement.more == sum(unlisted[spot] for spot in unlisted.keys() - passed)
    if judgement.refused or judgement.more:
        with pytest.raises(PolicyRefused) as error:
            judgement.require()
        assert error.value.exit_code == 8
    else:
        judgement.require()


@given(PERSONS, PERSONS, st.sets(SPOTS.map(lambda spot: spot._replace(kind=MAIL))))
def test_what_leads_to_persons_warns_where_it_is_new_or_has_doubled(
    values: Mapping[Spot, int], reviewed: Mapping[Spot, int], passed: set[Spot]
) -> None:
    judgement = judge_finds(Finds(persons=values), reviewed, [*map(_allowed, passed)])
    judgement.require()
    expected = {
        spot
        for spot, now in values.items()
        if spot not in passed and now > 0 and now / 2 >= reviewed.get(spot, 0)
    }
    assert {rise.spot for rise in judgement.rises} == expected
    for rise in judgement.rises:
        assert (rise.values, rise.reviewed) == (values[rise.spot], reviewed.get(rise.spot, 0))


@given(PERSONS)
def test_what_was_reviewed_yesterday_does_not_warn_today(values: Mapping[Spot, int]) -> None:
    assert judge_finds(Finds(persons=values), values, []) == Judgement()


def test_a_refusal_says_where_and_what_and_how_to_go_on() -> None:
    finds = Finds(
        (
            Find("api_keys", "note", TOKEN, "id=4711"),
            Find("app.audit", "User Agent", "private key", "id=1, day=2025-08-08"),
            Find("CREATE FUNCTION public.f", "", "URL with a password"),
        ),
        {Spot("api_keys", "note", TOKEN): 2},
    )
    with pytest.raises(PolicyRefused) as error:
        judge_finds(finds, {}, []).require()
    assert error.value.render() == (
        "secrets would be published: api_keys.note in the row id=4711 (GitHub token), "
        'app.audit."User Agent" in the row id=1, day=2025-08-08 (private key), '
        "CREATE FUNCTION public.f (URL with a password) and 2 more\n"
        "HINT: take them out of the database, and change them where they were used: somebody may "
        "have seen them. What only looks like a secret can be allowed by column and kind: "
        "`ppr-assets policy allow api_keys.note 'GitHub token' --reason …`. Nothing was published."
    )


def test_a_long_list_is_cut_and_counted() -> None:
    finds = Finds(tuple(Find("t", "c", TOKEN, f"id={n}") for n in range(23)))
    with pytest.raises(PolicyRefused, match=r"id=19 \(GitHub token\) and 3 more$"):
        judge_finds(finds, {}, []).require()


def test_a_rise_is_told_in_words() -> None:
    new, doubled = Spot("contact", "email", MAIL), Spot("phone", "description", MAIL)
    judgement = judge_finds(Finds(persons={new: 3, doubled: 14}), {doubled: 7}, [])
    assert [*map(str, judgement.rises)] == [
        "contact.email: 3 of the kind free-mail address, none were reviewed",
        "phone.description: 14 of the kind free-mail address, 7 when it was reviewed",
    ]


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_nothing_is_allowed_without_a_reason(reason: str) -> None:
    with pytest.raises(ValueError, match="without a reason"):
        Allowed("t", "c", TOKEN, reason)
