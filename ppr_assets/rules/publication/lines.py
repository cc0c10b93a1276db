"""What a policy means for a database, line by line, for a terminal and for the log of a run."""

from __future__ import annotations

from collections.abc import Iterator

from ppr_assets.rules.naming import quote_identifier
from ppr_assets.rules.publication.policy import Decision
from ppr_assets.rules.publication.withholding import Plan


def plan_lines(plan: Plan, file: object) -> Iterator[str]:
    """All that would be withheld, that is unknown, and that cannot be kept; ``file`` decides."""
    for one in plan.withheld({}, {}):
        decision = plan.tables[one.table].changed.get(one.column)
        yield f"withheld: {one.name}: {said(decision) if decision else _all_rows(plan, one.table)}"
    for unknown in plan.to_decide:
        yield f"unknown: {unknown.name}: {unknown.choice}"
        yield f"         or in {file}: {unknown.line}"
    for problem in plan.impossible:
        yield f"cannot be kept: {problem}"


def _all_rows(plan: Plan, table: str) -> str:
    if not (columns := plan.listed.get(table)):
        return "all rows"
    names = ", ".join(f"{table}.{quote_identifier(column)}" for column in columns)
    return f"all rows, but the definitions of partitions name values of {names}"


def said(decision: Decision | None) -> str:
    """A rule in a word or two."""
    if decision is None:
        return "undecided"
    if decision.rule == "replaced":
        return f"replaced by `{decision.text}`"
    return decision.rule
