"""The emergency road: a night without Dagster, when what it keeps runs in is broken.

The operations are those that the job runs, with every guard in them: the gate, the proof, the
checks of the data repository. What is lost is the run itself, its checks and its lineage, so the
manifest and the commit carry an id that says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from time import monotonic
from typing import Any

from ppr_assets.cli.dagster.run import FinishedRun
from ppr_assets.data_repo.clone.clone import open_data_repo
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.errors import PprError
from ppr_assets.failures import told
from ppr_assets.operations.counting import count_records
from ppr_assets.operations.dump import dump
from ppr_assets.operations.publishing.gate import refusal
from ppr_assets.operations.publishing.publish import PublishOutcome, publish
from ppr_assets.operations.publishing.upkeep import keep_small
from ppr_assets.rules.ratchet import Verdict
from ppr_assets.settings import Settings

Facts = Mapping[str, Any]


def run_unrecorded(settings: Settings, *, override_reason: str | None = None) -> FinishedRun:
    """What ``nightly_dump`` does, in this process, kept in no storage. A failure is returned."""
    run_id = f"unrecorded-{datetime.now(UTC):%Y-%m-%dT%H-%M-%S.%f}"
    assets: dict[str, Facts] = {}
    try:
        with told(settings), open_data_repo(settings.data_repo) as repo:
            assets.update(
                _night(settings, repo, run_id, override_reason)
            )  # those before a failure too
    except PprError as error:
        return FinishedRun(run_id, assets, error)
    return FinishedRun(run_id, assets, None)


def _night(
    settings: Settings, repo: DataRepo, run_id: str, reason: str | None
) -> Iterator[tuple[str, Facts]]:
    counted = count_records(settings, repo, override_reason=reason)
    yield "record_count", _counted(counted.verdict)
    if not counted.verdict.passed:
        raise refusal(counted.verdict)
    started = monotonic()
    dumped = dump(settings, repo, run_id=run_id, override_reason=reason)
    if dumped.manifest is None:
        raise refusal(dumped.verdict)
    yield (
        "sql_dump",
        {
            "status": dumped.status,
            "dump": dumped.manifest.dump,
            "bytes": dumped.manifest.bytes,
            "sha256": dumped.manifest.sha256,
            "seconds": monotonic() - started,
            "proof": str(dumped.manifest.proof),
        },
    )
    outcome = publish(settings.dump, repo, run_id=run_id, override_reason=reason)
    failure = outcome.error()
    if outcome.commit is not None:
        keep_small(repo)
        yield "data_repo_commit", _published(outcome, outcome.commit)
    if failure is not None:
        raise failure


def _counted(verdict: Verdict) -> Facts:
    override = {"override": verdict.override.reason} if verdict.override else {}
    return {
        "dagster/row_count": verdict.counts.get("organization", 0),
        "verdict": verdict.status,
        **override,
        **{f"rows/{table}": rows for table, rows in verdict.counts.items()},
    }


def _published(outcome: PublishOutcome, commit: str) -> Facts:
    retention, delivery = outcome.retention, outcome.delivery
    return {
        "status": outcome.status,
        "commit": commit,
        "pushed": delivery.pushed,
        "push_bytes": delivery.bytes,
        "set_aside": delivery.set_aside,
        "dumps_kept": len(retention.kept) if retention else 0,
        "dumps_retired": len(retention.retired) if retention else 0,
    }
