"""What the command line has restored or drilled, as events of the assets, without a run.

They tell what a run of the asset tells, from the same facts, and who has started it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import dagster as dg

from ppr_assets.errors import DumpDamaged, DumpUnproven
from ppr_assets.operations.restoring.drill import DrillOutcome
from ppr_assets.operations.restoring.leftovers import UndoOutcome
from ppr_assets.operations.restoring.restore import RestoreOutcome
from ppr_assets.orchestration.metadata import DATA_VERSION, Metadata
from ppr_assets.orchestration.restore_facts import (
    data_version,
    restore_facts,
    rows_differ,
    rows_matched,
    target_facts,
)

Event = dg.AssetMaterialization | dg.AssetObservation | dg.AssetCheckEvaluation
RESTORED = dg.AssetKey("restored_database")
DRILL = dg.AssetKey("drill")


def events_of_restore(
    outcome: RestoreOutcome, remarks: Sequence[str] = (), *, by: str, fetched: float | None = None
) -> Sequence[Event]:
    """See :func:`~ppr_assets.orchestration.restore_facts.restore_facts`."""
    facts = target_facts(outcome) | _facts(outcome, remarks, by, fetched)
    return _done(RESTORED, outcome, facts)


def events_of_drill(
    outcome: DrillOutcome, remarks: Sequence[str], *, by: str, fetched: float, latest: bool
) -> Sequence[Event]:
    """``latest``: the dump is the one that the asset is about. Of another it is an observation,
    which keeps no evidence fresh, and does not speak for the check."""
    proof = {"proof": dg.MetadataValue.text(str(outcome.proof))}
    facts = _facts(outcome, remarks, by, fetched) | proof
    if latest:
        return _done(DRILL, outcome, facts)
    said = "a drill of a dump that is not the latest of the data repository"
    return [dg.AssetObservation(DRILL, description=said, metadata=facts)]


def events_of_mismatch(asset: str, error: DumpDamaged | DumpUnproven) -> Sequence[Event]:
    """A dump that is not what it says: the check has failed, and nothing was made."""
    return [_evaluation(dg.AssetKey(asset), rows_differ(error))]


def events_of_undo(outcome: UndoOutcome, *, by: str) -> Sequence[Event]:
    """No dump was restored, but another database serves."""
    facts: Metadata = {
        "database": dg.MetadataValue.text(outcome.database),
        "former_database": dg.MetadataValue.text(outcome.former),
    }
    said = f"`ppr-assets restore --undo`: what was called {outcome.was} serves again"
    return [dg.AssetObservation(RESTORED, description=said, metadata=facts | whence(by))]


def events_of_patch(told: Mapping[str, str], *, by: str) -> Sequence[Event]:
    """The database serves as before, but for some rows; ``told`` says which, by name."""
    facts: Metadata = {name: dg.MetadataValue.text(text) for name, text in told.items()}
    said = f"`ppr-assets restore`: rows of a dump were patched in: {told['changes']}"
    return [dg.AssetObservation(RESTORED, description=said, metadata={**facts, **whence(by)})]


def _facts(
    outcome: RestoreOutcome | DrillOutcome, remarks: Sequence[str], by: str, fetched: float | None
) -> Metadata:
    seconds = (fetched or 0) + sum(outcome.seconds.values())
    facts = restore_facts(outcome, remarks, fetched=fetched, seconds=seconds)
    return {**facts, "origin": dg.MetadataValue.text(outcome.origin), **whence(by)}


def _done(
    asset: dg.AssetKey, outcome: RestoreOutcome | DrillOutcome, facts: Metadata
) -> Sequence[Event]:
    version = data_version(outcome.manifest)
    tags = {DATA_VERSION: version.value} if version else {}
    made = dg.AssetMaterialization(asset, metadata=facts, tags=tags)
    return [made, _evaluation(asset, rows_matched(outcome))]


def _evaluation(asset: dg.AssetKey, found: dg.AssetCheckResult) -> dg.AssetCheckEvaluation:
    return dg.AssetCheckEvaluation(
        asset_key=asset,
        check_name=str(found.check_name),
        passed=found.passed,
        severity=found.severity,
        description=found.description,
        metadata=found.metadata,
    )


def whence(by: str) -> Metadata:
    return {"by": dg.MetadataValue.text(f"{by}, command line")}
