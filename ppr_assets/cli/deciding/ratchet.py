"""``ppr-assets ratchet``: show the mark, or set it on purpose."""

from __future__ import annotations

from typing import Any

import click

from ppr_assets.cli.shared.console import out, print_columns
from ppr_assets.cli.shared.context import Invocation, by_option, pass_invocation, worded
from ppr_assets.cli.shared.json_document import error_json, json_option, print_json
from ppr_assets.cli.shared.looked_at import lost_marks, offline_option, print_view
from ppr_assets.operations.published.mark_history import Marks
from ppr_assets.operations.published.state import published
from ppr_assets.operations.publishing.gate import policy
from ppr_assets.operations.publishing.ratchet import ResetOutcome
from ppr_assets.operations.publishing.ratchet import reset as reset_mark
from ppr_assets.rules.mark import Mark
from ppr_assets.rules.policy import FLOOR_TABLE, GatePolicy, ratchet_needs


@click.group()
def ratchet() -> None:
    """Show the mark that dumps are held against, or set it on purpose.

    The mark is the highest record count ever published. A dump with less than
    SQL_DUMP_RATCHET_PERCENTAGE of it is refused.
    """


@ratchet.command()
@offline_option
@json_option()
@pass_invocation
def show(invocation: Invocation, *, offline: bool, as_json: bool) -> None:
    """Show the mark of each table, and how many records a dump needs of it.

    A table without a number under `needed` is not held: SQL_DUMP_RATCHET_TABLES does not name it,
    or its mark is below SQL_DUMP_MIN_RECORDS. A mark that the ratchet file has lost is taken from
    its history or the newest manifest, which is shown; the next dump writes it into the file.
    """
    settings = invocation.settings
    found = published(settings.data_repo, offline=offline)
    print_view(found.view)
    if found.mark_error is not None:
        raise found.mark_error
    mark = found.mark
    if as_json:
        print_json(_json(mark, policy(settings.dump), found.lost))
        return
    if mark is None:
        out.print("no mark yet: the first dump sets it")
        return
    rows = _marks(mark, policy(settings.dump))
    shown = [(table, str(rows), str(needed or "")) for table, rows, needed in rows]
    print_columns([("table", "mark", "needed"), *shown], numbers=(1, 2))
    when = f"{mark.updated_at:%Y-%m-%d %H:%M:%S} UTC" if mark.updated_at else "at an unknown time"
    if found.lost:
        out.print(f"the file has lost: {lost_marks(found.lost)}")
    out.print(f"set {when} by {mark.updated_by or 'nobody named'}")


@ratchet.command()
@click.option(
    "--to", type=click.IntRange(min=0), required=True, help="The new mark, in organizations."
)
@click.option(
    "--reason", required=True, callback=worded, help="Why; it is committed for everybody to read."
)
@by_option
@json_option()
@pass_invocation
def reset(invocation: Invocation, to: int, reason: str, *, as_json: bool) -> None:
    """Commit another mark. The only way down, and the way out of a damaged ratchet file.

    The marks of other tables are forgotten; the next dump earns them anew. To pass the gate only
    once, use `ppr-assets dump --override REASON` instead.

    \b
    Example:
      ppr-assets ratchet reset --to 812 --reason "county closed, ticket 214"
    """
    outcome = reset_mark(invocation.settings, to=to, reason=reason)
    if as_json:
        print_json(_reset_json(outcome))
    else:
        _print_reset(outcome)
    if outcome.delivery.failure is not None:
        raise outcome.delivery.failure


def _print_reset(outcome: ResetOutcome) -> None:
    before = outcome.before.organization if outcome.before else "none"
    where = "which the remote has" if outcome.delivery.pushed else "not pushed"
    commit = outcome.commit[:10]
    out.print(f"mark {before} → {outcome.after.organization} in commit {commit}, {where}")


def _reset_json(outcome: ResetOutcome) -> dict[str, Any]:
    return {
        "before": outcome.before.organization if outcome.before else None,
        "after": outcome.after.organization,
        "commit": outcome.commit,
        "pushed": outcome.delivery.pushed,
        "error": error_json(outcome.delivery.failure),
    }


def _json(mark: Mark | None, rules: GatePolicy, lost: Marks) -> dict[str, Any]:
    if mark is None:
        return {"tables": {}, "updated_at": None, "updated_by": None, "lost": []}
    return {
        "tables": {
            table: {"mark": rows, "needed": needed} for table, rows, needed in _marks(mark, rules)
        },
        "updated_at": mark.updated_at.isoformat() if mark.updated_at else None,
        "updated_by": mark.updated_by or None,
        "lost": sorted(lost),
    }


def _marks(mark: Mark, rules: GatePolicy) -> list[tuple[str, int, int | None]]:
    """Each table with its mark, and how many records a dump needs of it, where it is held."""
    needs = {need.table: need.records for need in ratchet_needs(mark, rules)}
    marks = {FLOOR_TABLE: mark.organization, **dict(sorted(mark.tables.items()))}
    return [(table, rows, needs.get(table)) for table, rows in marks.items()]
