"""The asset ``record_count``: how many records there are, and what the gate says to them."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from ppr_assets.data_repo.clone.clone import DataRepoOfRun
from ppr_assets.operations.dumping.counting import RecordCount, count_records
from ppr_assets.operations.night import Night
from ppr_assets.operations.publishing.gate import refusal
from ppr_assets.orchestration.assets.tables import HSDS_TABLES, OWNERS, PUBLICATION, observations
from ppr_assets.orchestration.failures import checks_not_looked_at, expected_failures, failure
from ppr_assets.orchestration.metadata import (
    gate_facts,
    plan_table,
    row_counts,
    undecided_table,
)
from ppr_assets.orchestration.resources import OverrideResource
from ppr_assets.rules.gate.ratchet import Verdict
from ppr_assets.rules.naming import PUBLICATION as PUBLICATION_FILE
from ppr_assets.rules.publication.withholding import Plan, plan_lines
from ppr_assets.settings import Settings

MINIMUM_RECORDS = dg.AssetCheckSpec(
    "minimum_records",
    asset="record_count",
    blocking=True,
    description="The floor: fewer organizations than SQL_DUMP_MIN_RECORDS are never dumped, nor "
    "organizations with next to no locations or services.",
)
RATCHET = dg.AssetCheckSpec(
    "ratchet",
    asset="record_count",
    blocking=True,
    description="The ratchet: a count far below the highest ever published is not dumped.",
)
POLICY_HELD = dg.AssetCheckSpec(
    "policy_held",
    asset="record_count",
    blocking=True,
    description="Somebody has decided of every table and column whether it may be published.",
)


@dg.asset(
    deps=[PUBLICATION, *HSDS_TABLES],
    check_specs=[MINIMUM_RECORDS, RATCHET, POLICY_HELD],
    group_name="backup",
    kinds={"postgres"},
    owners=OWNERS,
    pool="database",
    hooks={checks_not_looked_at},
    description="All records of all tables, counted exactly in one snapshot of the database, and "
    "held against the floor and against the highest count ever published. If too many are "
    "missing, nothing after this runs.",
)
def record_count(
    context: dg.AssetExecutionContext,
    settings: dg.ResourceParam[Settings],
    data_repo: dg.ResourceParam[DataRepoOfRun],
    override: OverrideResource,
    night: dg.ResourceParam[Night],
) -> Iterator[Any]:
    with expected_failures(settings, night):
        counted = count_records(settings, data_repo.opened(), given=override.given)
    _observe_tables(context, counted)
    night.counted, night.plan = counted.verdict, counted.plan
    yield from _check_results(counted.verdict)
    yield _policy_held(counted.plan)
    yield dg.MaterializeResult(
        metadata={
            "dagster/row_count": counted.counts["organization"],
            "snapshot": dg.MetadataValue.timestamp(counted.taken_at),
            **gate_facts(counted.verdict),
            **row_counts(counted.counts),
        }
    )
    if not counted.verdict.passed:
        raise failure(refusal(counted.verdict), night)
    if counted.plan.refusal is not None:
        file = settings.dump.policy_file or PUBLICATION_FILE
        context.log.info("\n".join(plan_lines(counted.plan, file)))
        raise failure(counted.plan.refusal, night)


def _policy_held(plan: Plan) -> dg.AssetCheckResult:
    refusal = plan.refusal
    return dg.AssetCheckResult(
        check_name=POLICY_HELD.name,
        passed=refusal is None,
        description=f"{refusal.message}\nHINT: {refusal.hint}" if refusal else None,
        metadata={"withheld": plan_table(plan), "undecided": undecided_table(plan)},
    )


def _observe_tables(context: dg.AssetExecutionContext, counted: RecordCount) -> None:
    observed = list(observations(counted))
    for observation in observed:
        context.log_event(observation)
    if left := len(counted.columns) - len(observed):
        context.log.info(
            f"{left} more tables are observed together only, in this asset's metadata `tables`"
        )


def _check_results(verdict: Verdict) -> Iterator[dg.AssetCheckResult]:
    """Both checks from one verdict; an overridden one passes and says what it would have been."""
    for spec, rules in ((MINIMUM_RECORDS, ("floor", "hollow")), (RATCHET, ("ratchet",))):
        broken = any(finding.rule in rules for finding in verdict.findings)
        yield dg.AssetCheckResult(
            check_name=spec.name,
            passed=verdict.passed or not broken,
            description=verdict.explained if broken else None,
            metadata=dict(gate_facts(verdict)),
        )
