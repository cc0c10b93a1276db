"""A campaign's seed gives the same again, also to property tests."""

from __future__ import annotations

import math
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ppr_assets_tests.fix_campaign import Campaign


class _Enough(Exception):
    """Ends a campaign that would go on for ever."""


def _two_rounds(seed: int) -> tuple[list[int], list[int]]:
    """What a property is tried with in each."""
    found: list[list[int]] = [[]]
    rounds = count(1)

    @settings(max_examples=20)
    @given(st.integers())
    def holds(example: int) -> None:
        found[-1].append(example)

    def ends() -> None:
        if next(rounds) == 2:
            raise _Enough
        found.append([])

    with pytest.raises(_Enough):
        Campaign(seed, math.inf).examples(holds, ends)
    first, second = found
    return first, second


def test_a_seed_gives_the_same_examples_again_and_each_round_others() -> None:
    first, second = _two_rounds(7)
    assert first != second
    assert (first, second) == _two_rounds(7)
    assert first != _two_rounds(8)[0]
