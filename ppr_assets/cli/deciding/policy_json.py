"""What is published and who decided it, for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import asdict

from ppr_assets.cli.shared.json_document import error_json
from ppr_assets.data_repo.history.message import signed_by
from ppr_assets.rules.publication.policy import WHOLE, Decision

if TYPE_CHECKING:
    from ppr_assets.operations.deciding.against_database import CheckedPolicy
    from ppr_assets.operations.deciding.decisions import PolicyInForce, Revision
    from ppr_assets.operations.deciding.policy_change import PolicyChange


def policy_json(found: PolicyInForce, table: str | None) -> dict[str, Any]:
    """By table and column; the key of a table's own rule is empty."""
    tables = found.whole.tables if table is None else {table: found.whole.tables[table]}
    return {
        "tables": {
            key: {
                "" if column == WHOLE else column: {
                    **asdict(one),
                    "decided_by": found.source
                    if column in found.added.tables.get(key, {})
                    else "shipped",
                }
                for column, one in lines.items()
            }
            for key, lines in tables.items()
        }
    }


def checked_json(found: CheckedPolicy) -> dict[str, Any]:
    plan = found.plan
    return {
        "withheld": {key: sorted(columns) for key, columns in plan.withholding.items()},
        "without_rows": plan.without_rows,
        "named_by_partitions": {key: list(columns) for key, columns in plan.listed.items()},
        "unknown": [one.name for one in plan.to_decide],
        "impossible": list(plan.impossible),
        "not_in_the_database": list(found.idle),
        "error": error_json(plan.refusal),
    }


def change_json(change: PolicyChange) -> dict[str, Any]:
    return {
        "commit": change.commit,
        "pushed": change.delivery.pushed,
        "error": error_json(change.delivery.failure),
    }


def revision_json(one: Revision) -> dict[str, Any]:
    def said(decision: Decision | None) -> dict[str, str] | None:
        return asdict(decision) if decision else None

    return {
        "commit": one.commit.sha,
        "at": one.commit.date.isoformat(),
        "author": one.commit.author,
        "by": signed_by(one.commit.message) or None,
        "subject": one.commit.subject,
        "unreadable": one.unreadable or None,
        "changes": [
            {
                "table": table,
                "column": None if column == WHOLE else column,
                "before": said(before),
                "after": said(after),
            }
            for table, column, before, after in one.changes
        ],
    }
