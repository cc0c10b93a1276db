"""What refuses a dump whose counts may stand: hollow core tables, emptied columns, one point.

As with the ratchet, a human can let it pass, and that is recorded. Unlike a mark, what a column had
is then forgotten: from that night on it has to keep what it had that night.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, Literal

from msgspec import Struct

from ppr_assets.rules.mark import Mark
from ppr_assets.rules.naming import column_name
from ppr_assets.rules.policy import (
    CORE_TABLES,
    FLOOR_TABLE,
    GatePolicy,
    ratchet_needs,
    records_needed,
)
from ppr_assets.rules.profile.columns import ColumnProfile, Profile, TableProfile
from ppr_assets.rules.profile.movements import EarlierNight


class ProfileFinding(Struct, frozen=True):
    """One rule that is broken. ``have`` is below the least that is needed, for ``point`` above the
    most that is allowed, in records of ``table`` or values of its ``column``; ``mark``: what it is
    derived from."""

    rule: Literal["hollow", "column", "point"]
    table: str
    have: int
    need: int
    mark: int
    column: str = ""
    dump: str = ""

    @property
    def name(self) -> str:
        """What an override lets pass, for :class:`~.movements.EarlierNight`."""
        return column_name(self.table, self.column) if self.column else self.table

    @property
    def text(self) -> str:
        """As the gate's own findings say theirs, with the variable that sets the limit."""
        if self.rule == "hollow":
            return (
                f"{self.table} has {self.have} records, at least {self.need} needed beside "
                f"{self.mark} organizations (SQL_DUMP_MIN_CORE_SHARE)"
            )
        if self.rule == "point":
            return (
                f"{self.table} has {self.have} of {self.mark} places on one point, "
                f"at most {self.need} allowed (SQL_DUMP_MAX_POINT_SHARE)"
            )
        since = f" in {self.dump}" if self.dump else " before"
        return (
            f"{self.name} has {self.have} values, at least {self.need} needed "
            f"(it had {self.mark}{since}; SQL_DUMP_RATCHET_PERCENTAGE)"
        )


def hollow_tables(
    counts: Mapping[str, int], mark: Mark | None, policy: GatePolicy
) -> list[ProfileFinding]:
    """Core tables that the ratchet would judge but for a mark worth the name, and that have next to
    nothing beside the organizations. Counts are enough, so it can be judged before a dump."""
    organizations = counts.get(FLOOR_TABLE, 0)
    if organizations < policy.min_records:  # the floor's
        return []
    listed = policy.tables
    held = {need.table for need in ratchet_needs(mark, policy)}
    need = records_needed(organizations, policy.core_share)
    return [
        ProfileFinding("hollow", table, have, need, organizations)
        for table in CORE_TABLES
        if table not in held
        and (listed is None or table in listed)
        and (have := counts.get(table, 0)) < need
    ]


def emptied_columns(
    profile: Profile,
    nights: Sequence[EarlierNight],
    policy: GatePolicy,
    withheld: Collection[str] = (),
) -> list[ProfileFinding]:
    """Columns of core tables that at least half of the rows had values in, on one of the nights,
    and that have lost more of them than the ratchet lets a table lose. ``nights``: oldest first.
    ``withheld``: tables and columns whose values are not published on purpose, by name."""
    found = []
    for table in CORE_TABLES:
        now = profile.get(table, TableProfile(0))
        for column in sorted({name for night in nights for name in _columns(night, table)}):
            if table in withheld or column_name(table, column) in withheld:
                continue
            needs = _needs(table, column, now.rows, nights, policy)
            if not needs:
                continue
            need, had, dump = max(needs)
            have = now.columns.get(column, ColumnProfile()).filled
            if have < need:
                found.append(ProfileFinding("column", table, have, need, had, column, dump))
    return found


def crowded_points(profile: Profile, policy: GatePolicy) -> list[ProfileFinding]:
    """Core tables with more of their places on one point than may be."""
    found = []
    for table in CORE_TABLES:
        points = profile.get(table, TableProfile(0)).points
        if points is None or points.located < max(policy.min_records, 1):
            continue
        most = int(Fraction(policy.point_share) * points.located)
        if points.together > most:
            found.append(ProfileFinding("point", table, points.together, most, points.located))
    return found


def judge_profile(
    profile: Profile,
    nights: Sequence[EarlierNight],
    policy: GatePolicy,
    withheld: Collection[str] = (),
) -> list[ProfileFinding]:
    """What only the profile shows; :func:`hollow_tables` is known from the counts."""
    return [
        *emptied_columns(profile, nights, policy, withheld),
        *crowded_points(profile, policy),
    ]


def let_pass(verdict: Mapping[str, Any]) -> frozenset[str]:
    """The tables and columns that a human let pass, as a manifest's verdict tells it; for
    :class:`~.movements.EarlierNight`. What is no finding is passed over."""
    findings = verdict.get("findings")
    if verdict.get("status") != "overridden" or not isinstance(findings, list):
        return frozenset()
    told = (one for one in findings if isinstance(one, Mapping))
    named = ((one.get("table"), one.get("column") or "") for one in told)
    return frozenset(
        column_name(table, column) if column else table
        for table, column in named
        if isinstance(table, str) and isinstance(column, str)
    )


def _columns(night: EarlierNight, table: str) -> Iterator[str]:
    if table in night.profile:
        yield from night.profile[table].columns


def _needs(
    table: str, column: str, rows: int, nights: Sequence[EarlierNight], policy: GatePolicy
) -> list[tuple[int, int, str]]:
    """Values that a column needs, what it had, and in which dump; back to the last night that a
    human let pass. Where the table itself has lost what the ratchet would refuse (and somebody let
    it pass, or lowered the mark), its columns need as much less."""
    found = []
    for night in reversed(nights):
        then = night.profile.get(table, TableProfile(0))
        filled = then.columns.get(column, ColumnProfile()).filled
        if then.rows >= max(policy.min_records, 1) and filled * 2 >= then.rows:
            need = records_needed(filled, policy.percentage)
            if rows < records_needed(then.rows, policy.percentage):
                need = need * rows // then.rows
            found.append((need, filled, night.dump))
        if not night.accepted.isdisjoint((table, column_name(table, column))):
            break
    return found
