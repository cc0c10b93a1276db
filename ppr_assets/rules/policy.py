"""What the gate asks for: the floor, and how many records the ratchet needs in which table."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from msgspec import Struct

from ppr_assets.rules.mark import Mark

CORE_TABLES = ("organization", "location", "service")
FLOOR_TABLE = "organization"


class GatePolicy(Struct, frozen=True):
    """The numbers an operator sets.

    ``percentage`` is the share of the mark that must be there (0 < x ≤ 1). ``tables`` are judged
    by the ratchet (None: all that have a mark); organization always is, listed or not.
    ``core_share``: places and services for each organization that there must be where no mark tells
    (0 for no such rule). ``point_share``: the part of the places that may lie on one point.
    Raises ``ValueError`` for numbers that would guard nothing, and for what is no share.
    """

    min_records: int
    percentage: Decimal
    tables: Sequence[str] | None = CORE_TABLES
    core_share: Decimal = Decimal(0)
    point_share: Decimal = Decimal(1)

    def __post_init__(self) -> None:
        if not self.percentage.is_finite() or not 0 < self.percentage <= 1:
            raise ValueError(f"percentage is {self.percentage}, must be above 0 and at most 1")
        if self.min_records < 0:
            raise ValueError(f"min_records is {self.min_records}, must be at least 0")
        for name in ("core_share", "point_share"):
            share = getattr(self, name)
            if not share.is_finite() or not 0 <= share <= 1:
                raise ValueError(f"{name} is {share}, must be from 0 to 1")


class Need(Struct, frozen=True):
    """``table`` needs at least ``records``, since ``mark`` were published once."""

    table: str
    mark: int
    records: int


def ratchet_needs(mark: Mark | None, policy: GatePolicy) -> list[Need]:
    """What the ratchet needs: of the policy's tables, those with a mark of at least the floor.

    Of a table with a handful of rows a tenth is noise, so it is left alone.
    """
    if mark is None:
        return []
    tables = sorted(mark.tables) if policy.tables is None else policy.tables
    marks = [(table, mark.of(table)) for table in dict.fromkeys([FLOOR_TABLE, *tables])]
    return [
        Need(table, highest, records_needed(highest, policy.percentage))
        for table, highest in marks
        if highest is not None and highest >= policy.min_records
    ]


def records_needed(mark: int, percentage: Decimal) -> int:
    """The share of the mark, rounded up, exactly.

    A float would ask for 56 of 100 at 0.55, and a Decimal rounds at 28 digits.
    """
    share, of = percentage.as_integer_ratio()
    return -(-mark * share // of)
