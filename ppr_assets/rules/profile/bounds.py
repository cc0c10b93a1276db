"""What is usual for a number from night to night, learned from the nights before.

A number is held to the median of the last few nights, not to all of them: so growth is no jump, and
one that was published is the new normal after three nights. How far it may be off is learned from
how far it was off in up to sixty nights: median, and median absolute deviation, which a few wild
nights do not move. What was seen on four of them is usual too, as where all scrapers run on
Sundays. It is never less than a floor, which is wider while little is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Literal

from msgspec import Struct

NIGHTS = 60
"""How far back a night looks."""
SHORT = 5
"""The last few."""
_DEVIATIONS = 6.0
_SIGMA = 1.4826
"""What makes a median absolute deviation comparable to a standard deviation."""
_OFTEN = 4
"""Nights on which a distance was seen before it is usual; a jump that stays is seen on three."""
_ABOUT = 1.2
"""What is as much as usual, and not a hair more."""
_RARE = 0.01
"""What is rarer than that may as well be as frequent, as far as a sample can tell."""
_NEARLY_ALL = 0.9
"""Of an amount: losing more is named, however wild it is."""


class MovementKind(Struct, frozen=True):
    """How a number moves. ``share``: up is bad, and the distance is a difference; ``amount``: down
    is bad, and it is a part of what is usual. ``floor`` is the smallest distance that counts.
    Chance alone moves an amount by its root, and the share of a sample by its standard deviation:
    ``noise`` of those do not count either."""

    moves: Literal["share", "amount"]
    floor: float
    noise: float = 0.0

    def least(self, usual: float, sampled: int | None = None) -> float:
        """The smallest distance from ``usual`` that counts."""
        if self.moves == "amount":
            by_chance = usual**-0.5 if usual else 0.0
        elif sampled:
            by_chance = (max(usual * (1 - usual), _RARE) / sampled) ** 0.5
        else:
            by_chance = 0.0
        return max(self.floor, self.noise * by_chance)


class Position(Struct, frozen=True):
    """Where a number is. ``score``: its distance from ``usual`` in units of the bound, positive
    where it moved to the bad side; above 1 it is beyond the bound."""

    now: float
    usual: float
    score: float
    kind: MovementKind
    before: Sequence[float]
    floor: float

    @property
    def nights(self) -> int:
        """For how many of the last ones it was about as usual."""
        moved = (
            abs(_distance(one, self.usual, self.kind)) > self.floor for one in reversed(self.before)
        )
        return next((night for night, far in enumerate(moved) if far), len(self.before))


def position(
    now: float, before: Sequence[float], kind: MovementKind, sampled: int | None = None
) -> Position | None:
    """Where ``now`` is after the nights ``before``, oldest first. None where there are none.
    ``sampled``: of how many rows a share is, where not all were looked at."""
    known = before[-NIGHTS:]
    if not known:
        return None
    usual = median(known[-SHORT:])
    distance = _distance(now, usual, kind)
    floor = kind.least(usual, sampled)
    bound = floor * (1 + 2 / len(known))
    if abs(distance) > bound / 2:  # otherwise there is nothing to learn for
        bound = max(bound, _learned(known, kind))
    if kind.moves == "amount":
        bound = min(bound, _NEARLY_ALL)
    return Position(now, usual, distance / bound, kind, known, floor)


def _learned(known: Sequence[float], kind: MovementKind) -> float:
    """How far each night was from the few before it, and what of that is still usual."""
    moved = [
        _distance(known[night], median(known[max(0, night - SHORT) : night]), kind)
        for night in range(1, len(known))
    ]
    centre = median(moved) if moved else 0.0
    spread = median(abs(one - centre) for one in moved) if moved else 0.0
    often = sorted(moved)[-_OFTEN] if len(moved) >= _OFTEN else 0.0
    return max(max(centre, 0.0) + _DEVIATIONS * _SIGMA * spread, often * _ABOUT)


def _distance(now: float, usual: float, kind: MovementKind) -> float:
    """Positive on the bad side."""
    if kind.moves == "share":
        return now - usual
    return (usual - now) / usual if usual else -float(now > 0)
