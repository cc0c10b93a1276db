"""The asset ``data_repo_commit``: the commit that publishes the dump, and its delivery."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

import dagster as dg

from ppr_assets.data_repo.clone.clone import DataRepoOfRun
from ppr_assets.data_repo.clone.upkeep import CloneState, keep_small
from ppr_assets.operations.night import Night
from ppr_assets.operations.published.standing import (
    CommitFacts,
    Standing,
    commit_facts,
    standing,
)
from ppr_assets.operations.publishing.publish import PublishOutcome, publish
from ppr_assets.orchestration.assets.sql_dump import sql_dump
from ppr_assets.orchestration.assets.tables import OWNERS
from ppr_assets.orchestration.failures import checks_not_looked_at, expected_failures, failure
from ppr_assets.orchestration.metadata import Metadata, manifest_facts, verdict_facts
from ppr_assets.orchestration.resources import OverrideResource, record_override
from ppr_assets.settings import DataRepoSettings, Settings

LATEST_IS_THIS_DUMP = dg.AssetCheckSpec(
    "latest_is_this_dump",
    asset="data_repo_commit",
    description="latest.sql leads to this dump, and its bytes have the manifest's SHA-256.",
)
ON_REMOTE = dg.AssetCheckSpec(
    "on_remote",
    asset="data_repo_commit",
    description="The remote's branch holds the commit, so that others can restore from it.",
)
REPO_SIZE = dg.AssetCheckSpec(
    "repo_size",
    asset="data_repo_commit",
    description="The clone's objects take less room than DATA_REPO_WARN_GB.",
)


@dg.asset(
    deps=[sql_dump],
    check_specs=[LATEST_IS_THIS_DUMP, ON_REMOTE, REPO_SIZE],
    group_name="backup",
    kinds={"git"},
    owners=OWNERS,
    pool="data_repo",
    hooks={checks_not_looked_at},
    freshness_policy=dg.FreshnessPolicy.time_window(
        warn_window=timedelta(hours=26), fail_window=timedelta(hours=50)
    ),
    description="The commit in the public data repository that holds the dump, its manifest, "
    "latest.sql and the mark, all or nothing. The gate is judged once more against the mark that "
    "the commit stands on. Unchanged data make no commit.",
)
def data_repo_commit(
    context: dg.AssetExecutionContext,
    settings: dg.ResourceParam[Settings],
    data_repo: dg.ResourceParam[DataRepoOfRun],
    override: OverrideResource,
    night: dg.ResourceParam[Night],
) -> Iterator[Any]:
    started = monotonic()
    with expected_failures(settings, night):
        repo = data_repo.opened()
        run_id, given = context.run.run_id, override.given
        outcome = publish(settings.dump, repo, run_id=run_id, given=given)
        if outcome.commit is None:
            raise outcome.error() or AssertionError("only a refusal has no commit")
        found = standing(repo, outcome.commit)
        about = commit_facts(repo, outcome.commit, outcome.manifest)
        clone = keep_small(repo)
    record_override(context, outcome.manifest.override if outcome.status == "published" else None)
    yield from [*_check_results(outcome, found), _repo_size(clone, settings.data_repo)]
    facts = {
        **_about(about, on_remote=found.on_remote is True),
        **_facts(outcome),
        **_run_link(context.instance, outcome.manifest.run_id),
        "seconds": dg.MetadataValue.float(round(monotonic() - started, 3)),
        "repo_bytes": dg.MetadataValue.int(clone.size.total),
    }
    night.published = outcome
    if (undelivered := outcome.error()) is not None:
        # Kept, but not published: as a materialization it would pass for fresh every night.
        context.log_event(dg.AssetObservation(asset_key=context.asset_key, metadata=facts))
        raise failure(undelivered, night)
    yield dg.MaterializeResult(data_version=dg.DataVersion(outcome.commit), metadata=facts)


def committed_at(instance: dg.DagsterInstance) -> datetime | None:
    """When a night has last published, or found that what is published still stands."""
    event = instance.get_latest_materialization_event(dg.AssetKey("data_repo_commit"))
    return datetime.fromtimestamp(event.timestamp, UTC) if event else None


def _check_results(outcome: PublishOutcome, found: Standing) -> Iterator[dg.AssetCheckResult]:
    yield dg.AssetCheckResult(
        check_name=LATEST_IS_THIS_DUMP.name,
        passed=found.is_latest(outcome.manifest),
        metadata={"latest": found.latest or "none", "sha256": found.sha256 or "none"},
    )
    yield dg.AssetCheckResult(
        check_name=ON_REMOTE.name,
        passed=found.on_remote is True,
        severity=_severity(found, outcome),
        description=None if found.on_remote else f"not on the remote: {found.unknown or 'pending'}",
    )


def _repo_size(clone: CloneState, limits: DataRepoSettings) -> dg.AssetCheckResult:
    """Too large is a warning first, and an error from DATA_REPO_MAX_GB on."""
    gigabytes = clone.size.total / 1e9
    large = gigabytes >= limits.warn_gigabytes
    said = (
        f"the clone has {gigabytes:.1f} GB, it is to stay below {limits.warn_gigabytes:g} GB and "
        f"must stay below {limits.max_gigabytes:g} GB"
    )
    return dg.AssetCheckResult(
        check_name=REPO_SIZE.name,
        passed=not large and not clone.remark,
        severity=dg.AssetCheckSeverity.ERROR
        if gigabytes >= limits.max_gigabytes
        else dg.AssetCheckSeverity.WARN,
        description="; ".join(filter(None, [said if large else "", clone.remark])) or None,
        metadata={
            "loose_bytes": clone.size.loose,
            "packed_bytes": clone.size.packed,
            "upkeep_seconds": round(clone.packed_seconds, 3),
        },
    )


def _severity(found: Standing, outcome: PublishOutcome) -> dg.AssetCheckSeverity:
    """A remote that was never asked for is worth a warning; one that lacks the commit, an error."""
    asked = found.on_remote is not None or outcome.delivery.failure is not None
    return dg.AssetCheckSeverity.ERROR if asked else dg.AssetCheckSeverity.WARN


def _facts(outcome: PublishOutcome) -> Metadata:
    delivery = outcome.delivery
    facts: Metadata = {
        "status": dg.MetadataValue.text(outcome.status),
        "pushed": dg.MetadataValue.bool(delivery.pushed),
        **manifest_facts(outcome.manifest),
        **(verdict_facts(outcome.verdict) if outcome.verdict else {}),
    }
    if outcome.retention is not None:
        facts["dumps_kept"] = dg.MetadataValue.int(len(outcome.retention.kept))
        facts["dumps_retired"] = dg.MetadataValue.int(len(outcome.retention.retired))
    if delivery.set_aside:
        facts["set_aside"] = dg.MetadataValue.text(delivery.set_aside)
    if delivery.pushed:
        facts["push_bytes"] = dg.MetadataValue.int(delivery.bytes)
        facts["push_seconds"] = dg.MetadataValue.float(round(delivery.seconds, 3))
    return facts


def _about(commit: CommitFacts, *, on_remote: bool) -> Metadata:
    """What an audit tells of the commit, and links to it; commands where no forge shows it."""
    signature = commit.signature
    facts: Metadata = {
        "commit": dg.MetadataValue.text(commit.commit),
        "signature": dg.MetadataValue.text(
            f"{signature.state}, by {signature.signer}" if signature.signer else signature.state
        ),
    }
    if commit.mark is not None:
        facts["mark_after"] = dg.MetadataValue.int(commit.mark)
    if commit.retired:
        facts["retired"] = dg.MetadataValue.text(", ".join(commit.retired))
    links = commit.links() if on_remote else {}
    if links:
        return facts | {name: dg.MetadataValue.url(url) for name, url in links.items()}
    return facts | {name: dg.MetadataValue.text(text) for name, text in commit.commands().items()}


def _run_link(instance: dg.DagsterInstance, run_id: str | None) -> Metadata:
    """To the run that made the dump, where Dagster's storage still knows it."""
    if run_id is None or not instance.has_run(run_id):
        return {}
    return {"dumped_by_run": dg.MetadataValue.dagster_run(run_id)}
