"""The gate: floor and ratchet, judged on the counts of one snapshot, and how the mark rises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import asdict, replace

from ppr_assets.rules.mark import Mark
from ppr_assets.rules.policy import FLOOR_TABLE, GatePolicy, ratchet_needs
from ppr_assets.rules.profile.guard import ProfileFinding, hollow_tables

Status = Literal["accepted", "refused", "overridden"]

_RULES = {
    "floor": "record-count floor",
    "ratchet": "record-count ratchet",
    "hollow": "share of the core tables",
    "column": "column ratchet",
    "point": "share of one point",
}
_SCRAPERS = "did the last scraper run finish?"
_ASKED = {
    "floor": _SCRAPERS,
    "ratchet": _SCRAPERS,
    "hollow": _SCRAPERS,
    "column": "did a migration or a scraper empty it?",
    "point": "did a geocoder give one place for all that it did not find?",
}


class Override(Struct, frozen=True):
    """A human's decision to pass a refused gate once. ``source`` is where it was given: `command
    line`, `Launchpad` or `variable` (older manifests: `environment`, `run config`). ``by``: whose
    it is, empty in older manifests."""

    reason: str
    source: str
    by: str = ""

    def __post_init__(self) -> None:
        if not self.reason.strip():
            raise ValueError("an override needs a reason")

    @property
    def whence(self) -> str:
        """Whose decision it is, as far as is known, and where it was given."""
        return f"{self.by}, {self.source}" if self.by else self.source


class BrokenRule(Struct, frozen=True):
    """One rule that is broken: ``table`` has ``have`` records and needs ``need``."""

    rule: Literal["floor", "ratchet"]
    table: str
    have: int
    need: int
    mark: int | None = None


class Verdict(Struct, frozen=True):
    """What the gate returns: the numbers that were judged, and every rule that they broke."""

    status: Status
    counts: Mapping[str, int]
    mark: Mark | None
    policy: GatePolicy
    findings: tuple[BrokenRule | ProfileFinding, ...] = ()
    override: Override | None = None

    @property
    def passed(self) -> bool:
        return self.status != "refused"

    @property
    def message(self) -> str:
        """One line: which rule, have, need, and who passed it; or that everything is there."""
        if not self.findings:
            return f"the gate accepted {self.counts.get(FLOOR_TABLE, 0)} organizations"
        rules = " and ".join(dict.fromkeys(_RULES[finding.rule] for finding in self.findings))
        details = "; ".join(self._described(finding) for finding in self.findings)
        refusal = f"{rules} refused the dump: {details}"
        refusal = refusal.replace(" and record-count ", " and ")
        if self.override is None:
            return refusal
        reason = " ".join(self.override.reason.split())
        return f"{refusal}; overridden ({self.override.whence}): {reason}"

    @property
    def hint(self) -> str:
        """The way out, only where one is needed."""
        if self.passed:
            return ""
        rules = {finding.rule for finding in self.findings}
        asked = _ASKED[rules.pop()] if len(rules) == 1 else _ASKED["ratchet"]
        return (
            f'{asked} To publish it once: `ppr-assets dump --override "why"`, or a reason and '
            "your name in the Launchpad. While it is set, ALLOW_EMPTY_SQL_DUMP=true passes "
            "every refusal."
        )

    @property
    def explained(self) -> str:
        """The message, and the way out below it where one is needed."""
        return f"{self.message}\nHINT: {self.hint}" if self.hint else self.message

    @property
    def headroom(self) -> Mapping[str, int]:
        """Records above what is needed, for the floor's table and each ratcheted one."""
        needs = {FLOOR_TABLE: self.policy.min_records}
        for need in ratchet_needs(self.mark, self.policy):
            needs[need.table] = max(need.records, needs.get(need.table, 0))
        return {table: self.counts.get(table, 0) - need for table, need in needs.items()}

    @property
    def headroom_percent(self) -> float | None:
        """The headroom of the table that is nearest to a refusal, in percent of its mark; on the
        first night of the marks that it sets. None where no table is ratcheted."""
        others = {table: rows for table, rows in self.counts.items() if table != FLOOR_TABLE}
        mark = self.mark or Mark(self.counts.get(FLOOR_TABLE, 0), others)
        headroom = replace(self, mark=mark).headroom
        needs = ratchet_needs(mark, self.policy)
        shares = [100 * headroom[need.table] / need.mark for need in needs if need.mark]
        return round(min(shares), 2) if shares else None

    def to_json(self) -> dict[str, Any]:
        """For the manifest: counts stand there already, so only the judgement."""
        return {
            "status": self.status,
            "min_records": self.policy.min_records,
            "ratchet_percentage": str(self.policy.percentage),
            "mark": self.mark.organization if self.mark else None,
            "marks": dict(self.mark.tables) if self.mark else {},
            "headroom": dict(self.headroom),
            "findings": [asdict(one) for one in self.findings],
            "min_core_share": str(self.policy.core_share),
            "max_point_share": str(self.policy.point_share),
            "ratchet_tables": None if self.policy.tables is None else [*self.policy.tables],
        }

    def joined(self, found: Sequence[ProfileFinding], override: Override | None) -> Verdict:
        """The same with what only the values of the dump tell."""
        if not found:
            return self
        status: Status = "overridden" if override else "refused"
        return replace(self, status=status, findings=(*self.findings, *found), override=override)

    def _described(self, finding: BrokenRule | ProfileFinding) -> str:
        if isinstance(finding, ProfileFinding):
            return finding.text
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
    """Judge the counts. A table that is not among them has no rows, so one that is gone is seen.

    The floor holds for organizations, with or without a mark; the ratchet for what
    :func:`ratchet_needs` says. An override is part of the verdict only where it was needed.
    """
    findings = []
    organizations = counts.get(FLOOR_TABLE, 0)
    if organizations < policy.min_records:
        findings.append(BrokenRule("floor", FLOOR_TABLE, organizations, policy.min_records))
    for need in ratchet_needs(mark, policy):
        have = counts.get(need.table, 0)
        if have < need.records:
            findings.append(BrokenRule("ratchet", need.table, have, need.records, need.mark))
    hollow = hollow_tables(counts, mark, policy)
    if not findings and not hollow:
        return Verdict("accepted", counts, mark, policy)
    status: Status = "overridden" if override else "refused"
    return Verdict(status, counts, mark, policy, (*findings, *hollow), override)


def raised_mark(mark: Mark | None, verdict: Verdict, *, at: datetime, by: str) -> Mark | None:
    """The mark after a dump: per table the higher count, never a lower one.

    Every table that was counted and has rows gets its mark, ratcheted or not. An operator who
    widens SQL_DUMP_RATCHET_TABLES is then guarded from the first night, by the best that was ever
    published. Marks of the listed tables alone would let that first night pass with whatever is
    there, which is the moment somebody worries about that table.

    An overridden or refused dump earns nothing: the mark stays, and where there was none (None),
    none begins; a mark of 0 would stand for "published and guarded". The same object comes back
    when nothing rises, so that its file and timestamp stay as they are.
    """
    if verdict.status != "accepted":
        return mark
    old = mark or Mark(organization=0)
    others = {
        table: rows for table, rows in verdict.counts.items() if rows and table != FLOOR_TABLE
    }
    tables = dict(old.tables) | {
        table: max(rows, old.tables.get(table, 0)) for table, rows in others.items()
    }
    organization = max(old.organization, verdict.counts.get(FLOOR_TABLE, 0))
    if mark is not None and (organization, tables) == (mark.organization, dict(mark.tables)):
        return mark
    return Mark(organization, tables, updated_at=at, updated_by=by, extra=old.extra)


def mark_told(verdict: Mapping[str, Any], rows: Mapping[str, int]) -> Mark:
    """The mark after a dump, as its manifest alone tells it: ``verdict`` is what
    :meth:`Verdict.to_json` made, ``rows`` are by table. What is not a count is passed over."""
    others = verdict.get("marks")
    told = {FLOOR_TABLE: verdict.get("mark"), **(others if isinstance(others, Mapping) else {})}
    marks = {
        table: count
        for table, count in told.items()
        if isinstance(count, int) and not isinstance(count, bool) and count >= 0
    }
    if verdict.get("status") == "accepted":
        marks |= {table: max(count, marks.get(table, 0)) for table, count in rows.items() if count}
    return Mark(marks.pop(FLOOR_TABLE, 0), marks)


def _percent(percentage: Decimal) -> str:
    return f"{(percentage * 100).normalize():f}%"
