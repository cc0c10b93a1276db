"""``ppr-assets prune``: let the dumps that no keep rule wants retire into the history."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click

from ppr_assets.cli.shared.console import err, out, print_columns, progress, size
from ppr_assets.cli.shared.context import Invocation, pass_invocation
from ppr_assets.cli.shared.heard import heard
from ppr_assets.cli.shared.json_document import error_json, json_option, print_json
from ppr_assets.operations.publishing.prune import PruneOutcome, would_prune
from ppr_assets.operations.publishing.prune import prune as apply_keep_rules
from ppr_assets.rules.incidents import failed
from ppr_assets.rules.naming import LATEST_PACKED
from ppr_assets.rules.retention import Fate


@click.command()
@click.option("--dry-run", is_flag=True, help="Only say what would be retired, and why not.")
@json_option()
@pass_invocation
def prune(invocation: Invocation, *, dry_run: bool, as_json: bool) -> None:
    """Apply the keep rules to the folder of dumps, in a commit of its own.

    Every night does so in the commit of its dump; this is for rules that were just changed. They
    are SQL_DUMP_KEEP_LAST, _DAILY, _WEEKLY, _MONTHLY and _YEARLY. Whatever they say, these stay:
    the latest, the last proven one, the last above the floor, an overridden one and the one before
    it, and those whose manifest cannot be read.

    What is retired stays in the history: `ppr-assets list --history` shows it, and
    `ppr-assets restore --at COMMIT` brings it back. Needs no database.

    \b
    Examples:
      ppr-assets prune --dry-run
      ppr-assets prune
    """
    if dry_run:
        outcome = would_prune(invocation.settings)
    else:
        with heard(invocation.settings, "prune") as ending, progress("pruning"):
            outcome = apply_keep_rules(invocation.settings)
            if (undelivered := outcome.delivery.failure) is not None:
                ending.reports = failed("prune", undelivered, datetime.now(UTC))
    if as_json:
        print_json(_json(outcome))
    else:
        _print(outcome, "would retire" if dry_run else "retired")
    for remark in outcome.remarks:
        err.print(remark)
    if outcome.delivery.failure is not None:
        raise outcome.delivery.failure


def _print(outcome: PruneOutcome, removes: str) -> None:
    if fates := outcome.retention.fates:
        print_columns([("", "dump", "kept by"), *(_row(fate, removes) for fate in fates)])
    out.print(_summary(outcome, removes))


def _json(outcome: PruneOutcome) -> dict[str, Any]:
    return {
        "dumps": [
            {"dump": fate.dump.name, "retires": fate.retires, "kept_by": list(fate.kept_by)}
            for fate in outcome.retention.fates
        ],
        "bytes": outcome.retention.bytes,
        "commit": outcome.commit,
        "pushed": outcome.delivery.pushed,
        "remarks": list(outcome.remarks),
        "error": error_json(outcome.delivery.failure),
    }


def _row(fate: Fate, removes: str) -> tuple[str, ...]:
    return (removes if fate.retires else "keep", fate.dump.name, ", ".join(fate.kept_by))


def _summary(outcome: PruneOutcome, removes: str) -> str:
    retention = outcome.retention
    retired, count = len(retention.retired), len(retention.fates)
    if not count:
        return "nothing to retire: there is no dump"
    if not retention.paths:
        return f"nothing to retire: the keep rules keep all dumps, {count} of {count}"
    told = f"{removes} {retired} of {count} dumps"
    if retention.bytes:  # of dumps without a manifest it is not known
        told += f", {size(retention.bytes)} in each work tree"
    if retention.stale_link:
        told += f", and {LATEST_PACKED} goes, which does not lead to the latest"
    if outcome.commit is None:
        return told
    where = "which the remote has" if outcome.delivery.pushed else "not pushed"
    return f"{told}; commit {outcome.commit[:10]}, {where}"
