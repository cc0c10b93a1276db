"""The asset ``drill``: the evidence that the latest published dump restores, and how long it takes.

An asset of its own and not a materialization of ``restored_database``: a drill leaves no database
behind, and the history of ``restored_database`` shall tell an auditor which databases were filled,
when and from what. What a drill makes is dated evidence. That ages, so it has a freshness policy,
and it depends on the commit that it was fetched from.

It begins where somebody begins who has lost the machine: with the remote's URL. Neither the clone
that publishes nor a file in it is read.
"""

from collections.abc import Iterator
from datetime import timedelta
from time import monotonic
from typing import Any

import dagster as dg
from pydantic import Field

from ppr_assets.deadline import Deadline
from ppr_assets.operations.restoring import drill as operation
from ppr_assets.operations.restoring.loading import MINUTES, limit_seconds
from ppr_assets.operations.restoring.proof_server import ProofPlace
from ppr_assets.operations.sources.repository import remote_source
from ppr_assets.operations.sources.shelf import found_dump
from ppr_assets.operations.sources.wanted import Wanted
from ppr_assets.orchestration.assets.data_repo_commit import data_repo_commit
from ppr_assets.orchestration.assets.tables import OWNERS
from ppr_assets.orchestration.failures import checks_not_looked_at, expected_failures
from ppr_assets.orchestration.metadata import Metadata
from ppr_assets.orchestration.restore_facts import (
    MISMATCH,
    data_version,
    restore_facts,
    rows_differ,
    rows_match,
    rows_matched,
)
from ppr_assets.settings import Settings


class DrillConfig(dg.Config):
    """How long a restore may take before it is too long."""

    deadline_seconds: float = Field(
        default=0.0,
        ge=0,
        description="A drill that takes longer, in seconds, has failed. 0: what is promised, "
        f"{MINUTES} minutes, or {MINUTES} minutes for each gigabyte of the dump.",
    )


@dg.asset(
    deps=[data_repo_commit],
    check_specs=[rows_match("drill")],
    group_name="restore",
    kinds={"postgres", "git"},
    owners=OWNERS,
    pool="database",
    hooks={checks_not_looked_at},
    freshness_policy=dg.FreshnessPolicy.time_window(
        warn_window=timedelta(days=33), fail_window=timedelta(days=64)
    ),
    description="The evidence that the backup works: the latest dump, fetched from the remote as "
    "if this machine were lost, restored into a scratch database, compared row by row, and "
    "dropped. Its history shows how long that takes.",
)
def drill(
    context: dg.AssetExecutionContext, config: DrillConfig, settings: dg.ResourceParam[Settings]
) -> Iterator[Any]:
    with expected_failures(settings):
        try:
            outcome, facts = _drilled(settings, config)
        except MISMATCH as error:
            yield rows_differ(error)
            raise
    context.log.info(f"{outcome.dump} restores: {outcome.rows} records, {outcome.proof}")
    yield rows_matched(outcome)
    yield dg.MaterializeResult(data_version=data_version(outcome.manifest), metadata=facts)


def _drilled(settings: Settings, config: DrillConfig) -> tuple[operation.DrillOutcome, Metadata]:
    started = monotonic()
    source = remote_source(settings.data_repo)
    with found_dump(settings.data_repo, Wanted(source=source)) as found:
        fetched = monotonic() - started
        deadline = Deadline(config.deadline_seconds or limit_seconds(found), since=started)
        outcome = operation.drill(ProofPlace.of(settings), found, deadline=deadline)
        seconds = monotonic() - started
        facts = restore_facts(outcome, found.remarks, fetched=fetched, seconds=seconds)
    facts["proof"] = dg.MetadataValue.text(str(outcome.proof))
    return outcome, facts
