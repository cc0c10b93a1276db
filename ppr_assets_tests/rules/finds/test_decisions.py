"""What humans have decided about finds is read strictly, and joined spot by spot."""

from __future__ import annotations

import pytest

from ppr_assets.errors import PolicyUnreadable
from ppr_assets.rules.finds.decisions import FindDecisions, Reviewed, spot_at
from ppr_assets.rules.finds.judgement import Allowed, Find, Finds, Rise, Spot
from ppr_assets.rules.publication.planning import plan
from ppr_assets.rules.publication.policy import Policy

TOKEN, MAIL = "GitHub token", "free-mail address"
ALLOWED = '[["allowed finds"]]\ntable = "t"\ncolumn = "c"\nkind = "GitHub token"\nreason = "why"\n'
REVIEWED = '[["reviewed finds"]]\ntable = "t"\nkind = "free-mail address"\nvalues = 7\n'


def _parse(text: str) -> Policy:
    return Policy.parse(text, source="here.toml")


def test_decisions_about_finds_stand_beside_those_about_tables() -> None:
    policy = _parse(f'[t]\nc = "public"\n\n{ALLOWED}{REVIEWED}')
    at, around = Spot("t", "c", TOKEN), Spot("t", "", MAIL)
    assert policy.tables.keys() == {"t"}
    assert policy.finds == FindDecisions({at: Allowed(*at, "why")}, {around: Reviewed(*around, 7)})
    assert plan(policy, []).finds == policy.finds


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            '"allowed finds" = true',
            '`allowed finds` must be tables, each under [["allowed finds"]]',
        ),
        ('["allowed finds"]\ntable = "t"', "`allowed finds` must be tables, each under"),
        ('"reviewed finds" = [1]', '`reviewed finds` must be tables, each under [["reviewed'),
        (ALLOWED + "values = 3", "`allowed finds` has 'values', must have column, kind, reason,"),
        (REVIEWED + "rows = 3", "`reviewed finds` has 'rows', must have column, kind, reason,"),
        (ALLOWED.replace("GitHub", "Git"), "'Git token' is not a kind that is searched for"),
        (ALLOWED.replace('"t"', "7"), "`allowed finds` has a table that is 7, must be a text"),
        (ALLOWED.replace('"t"', '""'), "`allowed finds` has a table that is '', must be a text"),
        (ALLOWED.replace('table = "t"', ""), "`allowed finds` has a table that is '', must be"),
        (ALLOWED.replace('"why"', '" "'), "t.c (GitHub token) is allowed without a reason"),
        (ALLOWED.replace('reason = "why"', ""), "t.c (GitHub token) is allowed without a reason"),
        (ALLOWED.replace('"why"', "[]"), "`allowed finds` has a reason that is [], must be a text"),
        (ALLOWED + ALLOWED, "`allowed finds` has t.c (GitHub token) twice"),
        (REVIEWED + REVIEWED, "`reviewed finds` has t (free-mail address) twice"),
        (REVIEWED.replace("7", "true"), "`reviewed finds` has True values of t, must be a number"),
        (REVIEWED.replace("7", "-1"), "`reviewed finds` has -1 values of t, must be a number"),
        (REVIEWED.replace("values = 7", ""), "`reviewed finds` has None values of t, must be a"),
        (REVIEWED.replace(MAIL, TOKEN), "`reviewed finds` has GitHub token, which is allowed or"),
    ],
)
def test_what_is_damaged_is_never_read_as_something_else(text: str, problem: str) -> None:
    with pytest.raises(PolicyUnreadable) as caught:
        _parse(text)
    assert f"the publication policy `here.toml` cannot be read: {problem}" in caught.value.message
    assert caught.value.exit_code == 8


def test_additions_win_spot_by_spot() -> None:
    ours = _parse(ALLOWED + REVIEWED)
    theirs = _parse(REVIEWED.replace("7", "9") + ALLOWED.replace('"c"', '"d"'))
    both = ours.with_additions(theirs).finds
    assert {spot.column for spot in both.allowed} == {"c", "d"}
    assert [one.values for one in both.reviewed.values()] == [9]


def test_what_is_allowed_is_part_of_the_fingerprint_and_what_was_reviewed_is_not() -> None:
    nothing = Policy().fingerprint
    assert _parse(REVIEWED).fingerprint == nothing
    assert _parse(ALLOWED).fingerprint != nothing
    assert _parse(ALLOWED.replace("why", "because")).fingerprint == _parse(ALLOWED).fingerprint


def test_finds_are_judged_by_what_was_decided() -> None:
    seen = Spot("t", "", MAIL)
    finds = Finds((Find("t", "c", TOKEN), Find("t", "d", TOKEN)), {}, {seen: 14})
    judgement = _parse(ALLOWED + REVIEWED).finds.judge(finds)
    assert [find.column for find in judgement.refused] == ["d"]
    assert judgement.rises == (Rise(seen, 14, 7),)


@pytest.mark.parametrize(
    "spot",
    [
        Spot("service", "description", TOKEN),
        Spot("app.audit", 'User "Agent"', TOKEN),
        Spot('"a.b"."c d"', "x.y", TOKEN),
        Spot("t", "a\nb", TOKEN),
        Spot("CREATE FUNCTION public.f", "", TOKEN),
        Spot("large objects", "", TOKEN),
        Spot("a statement", "", TOKEN),
    ],
)
def test_a_spot_is_read_as_it_is_told(spot: Spot) -> None:
    assert spot_at(spot.place, TOKEN) == spot


@pytest.mark.parametrize("place", ["service", "", ".", "service.", '"a.b"'])
def test_a_place_without_a_column_is_none(place: str) -> None:
    with pytest.raises(ValueError, match=r"must be TABLE\.COLUMN"):
        spot_at(place, TOKEN)
