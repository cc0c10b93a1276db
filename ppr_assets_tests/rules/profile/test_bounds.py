from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ppr_assets.rules.profile.bounds import MovementKind, position

SHARE = MovementKind("share", 0.05)
ROWS = MovementKind("amount", 0.02, noise=3)


def _score(now: float, before: list[float], kind: MovementKind) -> float:
    found = position(now, before, kind)
    assert found is not None
    return found.score


def test_without_a_night_before_nothing_is_usual() -> None:
    assert position(1.0, [], SHARE) is None


@pytest.mark.parametrize("nights", [1, 2, 5, 60])
def test_a_few_nights_are_enough_to_name_what_is_lost(nights: int) -> None:
    assert _score(0, [12_000.0] * nights, ROWS) > 1
    assert _score(1.0, [0.03] * nights, SHARE) > 1


def test_the_fewer_nights_are_known_the_more_is_let_pass() -> None:
    scores = [_score(0.13, [0.03] * nights, SHARE) for nights in (1, 2, 5, 60)]
    assert scores == sorted(scores)
    assert scores[0] < 1 < scores[-1]


@given(st.lists(st.floats(1.0, 1.5), min_size=1, max_size=60))
def test_growth_is_no_alarm(steps: list[float]) -> None:
    rows = [1000.0]
    for step in steps:
        rows.append(rows[-1] * step)
    assert all(_score(rows[n], rows[:n], ROWS) <= 0 for n in range(1, len(rows)))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=80), st.floats(0, 1))
def test_a_share_that_falls_and_what_is_as_usual_are_no_alarm(
    before: list[float], now: float
) -> None:
    found = position(now, before, SHARE)
    assert found is not None
    assert found.score <= 0 or now > found.usual
    assert _score(found.usual, before, SHARE) == 0


def test_a_wild_number_learns_wide_bounds() -> None:
    dice = Random(1)
    wild = [0.3 + dice.random() * 0.3 for _ in range(60)]
    assert _score(0.65, wild, SHARE) < 1 < _score(0.65, [0.45] * 60, SHARE)


def test_nearly_everything_lost_is_named_however_wild_it_is() -> None:
    dice = Random(1)
    wild = [1000 * (0.2 + dice.random()) for _ in range(60)]
    assert _score(0, wild, ROWS) > 1


def test_one_wild_night_does_not_widen_the_bounds() -> None:
    calm = [0.03] * 30
    assert _score(0.2, [*calm, 0.9, *calm], SHARE) == _score(0.2, [0.03] * 61, SHARE)


def test_a_jump_is_named_for_three_nights_and_is_usual_then() -> None:
    nights = [0.03] * 57
    named = []
    for _ in range(10):
        named.append(_score(0.41, nights, SHARE) > 1)
        nights.append(0.41)
    assert named == [True] * 3 + [False] * 7


def test_what_comes_every_week_is_usual_after_four_weeks() -> None:
    nights: list[float] = []
    named = []
    for night in range(60):
        now = 0.8 if night % 7 == 6 else 0.2
        named += [night] * (bool(nights) and _score(now, nights, SHARE) > 1)
        nights.append(now)
    assert named == [6, 13, 20, 27]


def test_one_jump_that_stayed_does_not_hide_the_next() -> None:
    nights = [0.03] * 20 + [0.41] * 20
    assert _score(0.79, nights, SHARE) > 1


def test_a_small_amount_may_lose_what_chance_takes() -> None:
    assert _score(10, [14.0] * 60, ROWS) < 1 < _score(9_700, [10_000.0] * 60, ROWS) + 0.1
    assert _score(9_000, [10_000.0] * 60, ROWS) > 1


def test_a_share_of_a_sample_may_move_by_chance() -> None:
    kind = MovementKind("share", 0.05, noise=4)
    whole, sampled = (position(0.57, [0.5] * 60, kind, of) for of in (None, 400))
    assert whole is not None and sampled is not None
    assert whole.score > 1 > sampled.score


def test_nights_as_usual_are_counted_back_to_the_last_that_was_not() -> None:
    found = position(0.4, [0.03, 0.5, *[0.03] * 7], SHARE)
    assert found is not None
    assert (found.now, found.usual, found.nights) == (0.4, 0.03, 7)
