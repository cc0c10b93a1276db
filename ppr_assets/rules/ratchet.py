"""The gate: floor and ratchet, judged on the counts of one snapshot, and how the mark rises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_CEILING, Decimal
from typing import Any, Literal

from ppr_assets.rules.mark import Mark

CORE_TABLES = ("organization", "location", "service")
_FLOOR_TABLE = "organization"

Status = Literal["accepted", "refused", "overridden"]


@dataclass(frozen=True)
class GatePolicy:
    """``percentage`` of the mark that must be left (0 < x ≤ 1); ``tables`` None: all of them."""

    min_records: int
    percentage: Decimal
    tables: Sequence[str] | None = CORE_TABLES


@dataclass(frozen=True)
class Override:
    """A human's decision to pass a refused gate once. ``source``: environment or run config."""

    reason: str
    source: str

    def __post_init__(self) -> None:
        if not self.reason.strip():
            raise ValueError("an override needs a reason")


@dataclass(frozen=True)
class Finding:
    """One rule that is broken: ``table`` has ``have`` records and needs ``need``."""

    rule: Literal["floor", "ratchet"]
    table: str
    have: int
    need: int
    mark: int | None = None


@dataclass(frozen=True)
class Verdict:
    """What the gate returns: the numbers that were judged, and every rule that they broke."""

    status: Status
    counts: Mapping[str, int]
    mark: Mark | None
    policy: GatePolicy
    findings: tuple[Finding, ...] = ()
    override: Override | None = None

    @property
    def passed(self) -> bool:
        return self.status != "refused"

    @property
    def message(self) -> str:
        """One line: which rule, have, need; or that everything is there."""
        if not self.findings:
            return f"the gate accepted {self.counts.get(_FLOOR_TABLE, 0)} organizations"
        rules = " and ".join(dict.fromkeys(finding.rule for finding in self.findings))
        details = "; ".join(self._described(finding) for finding in self.findings)
        return f"record-count {rules} refused the dump: {details}"

    @property
    def hint(self) -> str:
        if not self.findings:
            return ""
        return (
            "did the last scraper run finish? To publish anyway, set ALLOW_EMPTY_SQL_DUMP=true "
            "or give a reason in the Launchpad."
        )

    @property
    def headroom(self) -> Mapping[str, int]:
        """Records above what is needed, for the floor's table and each ratcheted one."""
        needs = {_FLOOR_TABLE: self.policy.min_records}
        for table, need in _ratcheted(self.mark, self.policy):
            needs[table] = max(need, needs.get(table, 0))
        return {table: self.counts.get(table, 0) - need for table, need in needs.items()}

    def to_json(self) -> dict[str, Any]:
        """For the manifest: counts stand there already, so only the judgement."""
        return {
            "status": self.status,
            "min_records": self.policy.min_records,
            "ratchet_percentage": str(self.policy.percentage),
            "mark": self.mark.organization if self.mark else None,
            "marks": dict(self.mark.tables) if self.mark else {},
            "headroom": dict(self.headroom),
            "findings": [vars(finding) for finding in self.findings],
        }

    def _described(self, finding: Finding) -> str:
        if finding.rule == "floor":
            why = "SQL_DUMP_MIN_RECORDS"
        else:
            why = f"{_percent(self.policy.percentage)} of mark {finding.mark}"
        return f"{finding.table} has {finding.have} records, at least {finding.need} needed ({why})"


def judge(
    counts: Mapping[str, int],
    mark: Mark | None,
    policy: GatePolicy,
    override: Override | None = None,
) -> Verdict:
    """Judge the counts. A table that is not among them has none.

    The floor holds for organizations, with or without a mark. The ratchet holds for the policy's
    tables that have a mark of at least the floor: of a table with a handful of rows, a tenth is
    noise. An override is part of the verdict only where it was needed.
    """
    findings = []
    if counts.get(_FLOOR_TABLE, 0) < policy.min_records:
        have = counts.get(_FLOOR_TABLE, 0)
        findings.append(Finding("floor", _FLOOR_TABLE, have, policy.min_records))
    for table, need in _ratcheted(mark, policy):
        if counts.get(table, 0) < need and mark is not None:
            findings.append(Finding("ratchet", table, counts.get(table, 0), need, mark.of(table)))
    if not findings:
        return Verdict("accepted", counts, mark, policy)
    status: Status = "overridden" if override else "refused"
    return Verdict(status, counts, mark, policy, tuple(findings), override)


def raised_mark(mark: Mark | None, verdict: Verdict, *, at: datetime, by: str) -> Mark | None:
    """The mark after a dump: per table the higher count, never a lower one.

    An overridden dump earns nothing: the mark stays. The same object comes back when nothing
    rises, so that its file stays as it is. Every table that was counted gets its mark, so that a
    table that is ratcheted later starts from what was known.
    """
    if verdict.status != "accepted":
        return mark
    old = mark or Mark(organization=0)
    others = {table: rows for table, rows in verdict.counts.items() if table != _FLOOR_TABLE}
    tables = dict(old.tables) | {
        table: max(rows, old.tables.get(table, 0)) for table, rows in others.items()
    }
    organization = max(old.organization, verdict.counts.get(_FLOOR_TABLE, 0))
    if mark is not None and (organization, tables) == (mark.organization, dict(mark.tables)):
        return mark
    return Mark(organization, tables, updated_at=at, updated_by=by, extra=old.extra)


def _ratcheted(mark: Mark | None, policy: GatePolicy) -> list[tuple[str, int]]:
    """The tables that the ratchet holds for, each with the records that it needs."""
    if mark is None:
        return []
    tables = policy.tables if policy.tables is not None else [_FLOOR_TABLE, *sorted(mark.tables)]
    marks = [(table, mark.of(table)) for table in tables]
    return [
        (table, _need(highest, policy.percentage))
        for table, highest in marks
        if highest is not None and highest >= policy.min_records
    ]


def _need(highest: int, percentage: Decimal) -> int:
    """Exact: in binary floating point, 90% of 1260 is more than 1134."""
    return int((percentage * highest).to_integral_value(rounding=ROUND_CEILING))


def _percent(percentage: Decimal) -> str:
    return f"{(percentage * 100).normalize():f}%"
