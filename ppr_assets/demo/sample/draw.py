"""Chance for the sample: one seeded source per organization, no clock, no system randomness.

Each organization has a source of its own, so that a larger sample begins with the smaller one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TypeVar

T = TypeVar("T")

NEWEST = datetime(2025, 8, 1, 6, 0, tzinfo=UTC)
"""No moment in the sample is later; the clock has no part in it."""

_YEARS_2 = 2 * 365 * 24 * 3600


class Draw:
    def __init__(self, seed: int, number: int) -> None:
        """The source of organization ``number``; the pools take -1 and the taxonomy -2."""
        self._random = Random(f"{seed}/{number}")  # noqa: S311 - data that looks real, no secret
        self._next = self._random.random

    def below(self, limit: int) -> int:
        """0 … limit - 1."""
        return int(self._next() * limit)

    def chance(self, probability: float) -> bool:
        return self._next() < probability

    def pick(self, pool: Sequence[T]) -> T:
        return pool[int(self._next() * len(pool))]

    def maybe(self, probability: float, pool: Sequence[str]) -> str | None:
        """A member of the pool, or None: in a column that nobody filled in."""
        return self.pick(pool) if self._next() < probability else None

    def some(self, pool: Sequence[T], count: int) -> list[T]:
        """``count`` different members."""
        return self._random.sample(pool, count)

    def near(self, middle: float, spread: float) -> float:
        """A coordinate within ``spread`` degrees of ``middle``, to about a metre."""
        return round(middle + (self._next() * 2 - 1) * spread, 5)

    def identifier(self) -> str:
        """A version 4 UUID."""
        digits = f"{self._random.getrandbits(128):032x}"
        variant = "89ab"[int(digits[16], 16) & 3]
        return (
            f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"
        )

    def digest(self) -> bytes:
        """As long as a SHA-256."""
        return self._random.randbytes(32)

    def moments(self) -> tuple[str, str]:
        """When a row was made and last changed, with microseconds and time zone."""
        age = self._next() * _YEARS_2
        made = NEWEST - timedelta(seconds=age)
        changed = made if self.chance(0.4) else NEWEST - timedelta(seconds=age * self._next())
        return made.isoformat(" "), changed.isoformat(" ")

    def day(self, earliest_days_ago: int) -> str:
        return (NEWEST.date() - timedelta(days=self.below(earliest_days_ago))).isoformat()
