"""How long the tests of kills, races and dying servers go on, and with which dice.

In the suite each makes a short share of rounds with the same seed every day. ``make campaign`` goes
on from there until its time is over, which its tests share evenly, with a seed of its own. What one
of them leaves is for those after it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import monotonic

import hypothesis
import pytest

SEED = 20261122
"""That of the suite."""


@dataclass(frozen=True)
class Campaign:
    """``until`` is a moment of the monotonic clock; None in the suite, which makes its share."""

    seed: int = SEED
    until: float | None = None

    @property
    def dice(self) -> random.Random:
        """New ones, which fall the same way for the same seed."""
        return random.Random(self.seed)

    def goes_on(self, done: int, share: int) -> bool:
        """Whether another round is due. The share is made in any case."""
        return done < share or (self.until is not None and monotonic() < self.until)

    def rounds(self, share: int) -> Iterator[int]:
        number = 0
        while self.goes_on(number, share):
            yield number
            number += 1

    def examples(self, *properties: Callable[[], None]) -> None:
        """Rounds of property tests alone, each with examples that the dice choose."""
        dice = self.dice
        for _ in self.rounds(0):
            for holds in properties:
                hypothesis.seed(dice.getrandbits(64))(holds)()

    def spread(self, share: int) -> Iterator[float]:
        """From 0 to 1 in even steps, and then anywhere between."""
        dice = self.dice
        for number in self.rounds(share):
            yield number / (share - 1) if number < share else dice.random()


@pytest.fixture(scope="session")
def campaign_ends(pytestconfig: pytest.Config) -> float:
    """A moment of the monotonic clock."""
    return monotonic() + (pytestconfig.getoption("--campaign-minutes") or 0) * 60


@pytest.fixture
def campaign(campaign_ends: float, request: pytest.FixtureRequest) -> Campaign:
    """A test that asks for this belongs to ``make campaign``."""
    if request.config.getoption("--campaign-minutes") is None:
        return Campaign()
    tests, now = request.session.items, monotonic()
    share = (campaign_ends - now) / (len(tests) - tests.index(request.node))
    return Campaign(request.config.getoption("--campaign-seed"), now + share)
