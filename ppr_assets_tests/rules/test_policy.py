from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ppr_assets.rules.mark import Mark
from ppr_assets.rules.policy import CORE_TABLES, GatePolicy, Need, ratchet_needs, records_needed
from ppr_assets.settings import DumpSettings

SHARES = st.decimals(0, 1, allow_nan=False).filter(lambda share: share > 0)
NINE_TENTHS = Decimal("0.9")


@given(st.integers(0, 10**40), SHARES)
def test_the_need_is_the_exact_share_rounded_up(mark: int, share: Decimal) -> None:
    need = records_needed(mark, share)
    assert need - 1 < Fraction(share) * mark <= need


@pytest.mark.parametrize(
    ("mark", "share", "need"),
    [
        (1260, "0.9", 1134),
        (1261, "0.9", 1135),
        (100, "0.55", 55),  # a float asks for 56
        (10**30 + 10, "0.1", 10**29 + 1),  # a Decimal of 28 digits asks for one less
        (7, "1", 7),
        (1, "0.000001", 1),
        (0, "0.9", 0),
    ],
)
def test_the_need_of_a_mark(mark: int, share: str, need: int) -> None:
    assert records_needed(mark, Decimal(share)) == need


def test_without_a_mark_nothing_is_needed() -> None:
    assert ratchet_needs(None, GatePolicy(100, NINE_TENTHS)) == []


def test_the_core_tables_are_ratcheted_by_default() -> None:
    mark = Mark(1000, {"location": 2000, "service": 3000, "phone": 4000})
    assert ratchet_needs(mark, GatePolicy(100, NINE_TENTHS)) == [
        Need("organization", 1000, 900),
        Need("location", 2000, 1800),
        Need("service", 3000, 2700),
    ]


def test_every_table_with_a_mark_is_ratcheted_when_all_are_asked_for() -> None:
    mark = Mark(1000, {"service": 3000, "phone": 4000})
    needs = ratchet_needs(mark, GatePolicy(100, NINE_TENTHS, tables=None))
    assert [need.table for need in needs] == ["organization", "phone", "service"]


def test_organizations_are_ratcheted_also_when_not_listed() -> None:
    mark = Mark(1000, {"phone": 4000})
    needs = ratchet_needs(mark, GatePolicy(100, NINE_TENTHS, tables=("phone",)))
    assert [need.table for need in needs] == ["organization", "phone"]


def test_a_listed_table_without_a_mark_is_not_ratcheted() -> None:
    needs = ratchet_needs(Mark(1000), GatePolicy(100, NINE_TENTHS, tables=("phone",)))
    assert [need.table for need in needs] == ["organization"]


def test_a_mark_below_the_floor_is_not_ratcheted_and_one_at_the_floor_is() -> None:
    mark = Mark(99, {"location": 100, "service": 99})
    assert ratchet_needs(mark, GatePolicy(100, NINE_TENTHS)) == [Need("location", 100, 90)]


@pytest.mark.parametrize("percentage", ["0", "-0.9", "1.01", "90", "NaN", "Infinity"])
def test_a_percentage_that_guards_nothing_makes_no_policy(percentage: str) -> None:
    with pytest.raises(ValueError, match="percentage"):
        GatePolicy(100, Decimal(percentage))


def test_a_floor_below_zero_makes_no_policy() -> None:
    with pytest.raises(ValueError, match="min_records"):
        GatePolicy(-1, NINE_TENTHS)


def test_the_variables_default_names_the_core_tables() -> None:
    assert DumpSettings.read({}).ratchet_tables == CORE_TABLES
