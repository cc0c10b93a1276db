"""The asset ``sql_dump``: the database as one plain-SQL file, guarded and not yet public."""

from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg

from ppr_assets.data_repo.clone.clone import DataRepoOfRun
from ppr_assets.errors import DumpUnproven, PolicyRefused
from ppr_assets.operations.dumping.dump import DumpOutcome, dump
from ppr_assets.operations.night import Night
from ppr_assets.operations.publishing.gate import refusal
from ppr_assets.orchestration.assets.record_count import record_count
from ppr_assets.orchestration.assets.tables import OWNERS
from ppr_assets.orchestration.failures import checks_not_looked_at, expected_failures, failure
from ppr_assets.orchestration.metadata import (
    manifest_facts,
    profile_facts,
    rows_table,
    verdict_facts,
    withheld_table,
)
from ppr_assets.orchestration.resources import OverrideResource, record_override
from ppr_assets.rules.recorded.manifest import Manifest
from ppr_assets.settings import Settings

COMPLETE = dg.AssetCheckSpec(
    "complete",
    asset="sql_dump",
    blocking=True,
    description="pg_dump succeeded, its closing comment is there, and every table has the "
    "rows counted.",
)
GATE_HELD = dg.AssetCheckSpec(
    "gate_held",
    asset="sql_dump",
    blocking=True,
    description="Floor and ratchet were judged once more on the very snapshot that was dumped.",
)
PROVEN = dg.AssetCheckSpec(
    "proven",
    asset="sql_dump",
    blocking=True,
    description="The dump was restored into a scratch database, and every table, key and sequence "
    "came back as it was.",
)
POLICY_HELD = dg.AssetCheckSpec(
    "policy_held",
    asset="sql_dump",
    blocking=True,
    description="The publication policy was judged once more on the very snapshot that was dumped, "
    "and what it withholds is not in the dump.",
)
USUAL = dg.AssetCheckSpec(
    "usual",
    asset="sql_dump",
    description="Rows, columns and their values are as they were on the nights before, and the "
    "schema as in the last dump.",
)
PERSONS_AS_REVIEWED = dg.AssetCheckSpec(
    "persons_as_reviewed",
    asset="sql_dump",
    description="No column has more values that lead to persons than somebody has reviewed.",
)


@dg.asset(
    deps=[record_count],
    check_specs=[COMPLETE, GATE_HELD, POLICY_HELD, PROVEN, USUAL, PERSONS_AS_REVIEWED],
    group_name="backup",
    kinds={"postgres", "sql"},
    owners=OWNERS,
    pool="database",
    hooks={checks_not_looked_at},
    description="The whole database as one plain-SQL file that psql restores, in an order that "
    "depends on the data alone: same data, same bytes. It is staged in the data repository's git "
    "folder until it is published, which it is only when it has been restored into a scratch "
    "database and was equal there. When nothing has changed, the dump published before stands.",
)
def sql_dump(
    context: dg.AssetExecutionContext,
    settings: dg.ResourceParam[Settings],
    data_repo: dg.ResourceParam[DataRepoOfRun],
    override: OverrideResource,
    night: dg.ResourceParam[Night],
) -> Iterator[Any]:
    with expected_failures(settings, night):
        try:
            outcome = dump(
                settings,
                data_repo.opened(),
                run_id=context.run.run_id,
                given=override.given,
            )
        except DumpUnproven as error:
            yield dg.AssetCheckResult(
                check_name=PROVEN.name, passed=False, description=error.message
            )
            raise
        except PolicyRefused as error:
            yield dg.AssetCheckResult(
                check_name=POLICY_HELD.name, passed=False, description=error.message
            )
            raise
    night.dumped = outcome
    _say(context, outcome)
    yield _gate_held(outcome)
    if outcome.manifest is None:
        raise failure(refusal(outcome.verdict), night)
    record_override(context, outcome.verdict.override)
    yield from _results(outcome, outcome.manifest)


def _results(outcome: DumpOutcome, manifest: Manifest) -> Iterator[Any]:
    facts = manifest_facts(manifest)
    yield dg.AssetCheckResult(check_name=COMPLETE.name, passed=True, metadata=dict(facts))
    yield dg.AssetCheckResult(
        check_name=POLICY_HELD.name,
        passed=True,
        metadata={"withheld": withheld_table(manifest)},
    )
    yield _proven(manifest)
    yield _warned(USUAL, "unusual", outcome.unusual)
    yield _warned(PERSONS_AS_REVIEWED, "rises", [*map(str, outcome.rises)])
    yield dg.MaterializeResult(
        data_version=dg.DataVersion(manifest.sha256),
        metadata={
            "status": outcome.status,
            "seconds": round(outcome.seconds, 3),
            **facts,
            **verdict_facts(outcome.verdict),
            "tables": rows_table(outcome.verdict.counts),
            **profile_facts(manifest),
        },
    )


def _say(context: dg.AssetExecutionContext, outcome: DumpOutcome) -> None:
    manifest = outcome.manifest
    if manifest is not None and outcome.status == "unchanged":
        context.log.info(f"unchanged since {manifest.dump}: no new dump, that one still stands")
    elif manifest is not None:
        context.log.info(f"dump {manifest.dump} is complete: {manifest.bytes} bytes")
    if outcome.newly_withheld:
        said = "\n".join(map(str, outcome.newly_withheld))
        context.log.info(f"withheld, and not by the dump before:\n{said}")
    for unusual in outcome.unusual:
        context.log.warning(f"unusual: {unusual}")
    for rise in outcome.rises:
        context.log.warning(f"persons: {rise}")


def _proven(manifest: Manifest) -> dg.AssetCheckResult:
    """A proof that was switched off is worth a warning; it was published as unproven."""
    proof = manifest.proof
    proven = proof is not None and proof.proven
    return dg.AssetCheckResult(
        check_name=PROVEN.name,
        passed=proven,
        severity=dg.AssetCheckSeverity.WARN,
        description=None if proven else "nobody has restored this dump: SQL_DUMP_PROOF was off",
        metadata={"proof_seconds": proof.seconds, "where": str(proof)} if proof else {},
    )


def _warned(spec: dg.AssetCheckSpec, name: str, found: Sequence[str]) -> dg.AssetCheckResult:
    """Nothing that refuses a dump, but somebody should look at it."""
    return dg.AssetCheckResult(
        check_name=spec.name,
        passed=not found,
        severity=dg.AssetCheckSeverity.WARN,
        description="\n".join(found) or None,
        metadata={name: len(found)},
    )


def _gate_held(outcome: DumpOutcome) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name=GATE_HELD.name,
        passed=outcome.verdict.passed,
        description=outcome.verdict.explained if outcome.verdict.findings else None,
        metadata=dict(verdict_facts(outcome.verdict)),
    )
