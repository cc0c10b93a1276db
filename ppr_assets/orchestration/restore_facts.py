"""What a restore and a drill record: the check ``rows_match`` and the facts to plot.

What the command line has restored or drilled is told by events of the assets, without a run: the
same facts, and who has started it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import dagster as dg

from ppr_assets.errors import DumpDamaged, DumpUnproven
from ppr_assets.operations.restoring.drill import DrillOutcome
from ppr_assets.operations.restoring.leftovers import UndoOutcome
from ppr_assets.operations.restoring.load_and_compare import rows_in_words
from ppr_assets.operations.restoring.restore import RestoreOutcome
from ppr_assets.orchestration.metadata import DATA_VERSION, Metadata, table
from ppr_assets.rules.gate.difference import Accepted
from ppr_assets.rules.recorded.manifest import Manifest
from ppr_assets.rules.recorded.parts import TableRecord

Event = dg.AssetMaterialization | dg.AssetObservation | dg.AssetCheckEvaluation
RESTORED = dg.AssetKey("restored_database")
DRILL = dg.AssetKey("drill")

MISMATCH = (DumpDamaged, DumpUnproven)
"""Errors by which ``rows_match`` fails: the dump is not what it says, or became something else."""


def rows_match(asset: str) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(
        "rows_match",
        asset=asset,
        description="Every table has the rows that the dump says, by number and by SHA-256, and "
        "every key, index, view, function and sequence is there and valid.",
    )


def rows_differ(error: DumpDamaged | DumpUnproven) -> dg.AssetCheckResult:
    """The check that failed, with what differs."""
    return dg.AssetCheckResult(
        check_name="rows_match",
        passed=False,
        description=error.message,
        metadata={"exit_code": error.exit_code},
    )


def rows_matched(outcome: RestoreOutcome | DrillOutcome) -> dg.AssetCheckResult:
    compared = bool(outcome.tables) and not any(outcome.uncompared.values())
    said = [] if compared else [rows_in_words(outcome.tables, outcome.uncompared)]
    said += [f"accepted: {difference}" for difference in _accepted(outcome).differences]
    return dg.AssetCheckResult(
        check_name="rows_match",
        passed=not said,
        severity=dg.AssetCheckSeverity.WARN,
        description="; ".join(said) or None,
        metadata={
            "dump": outcome.dump,
            "rows": outcome.rows,
            "tables": _compared_tables(outcome.tables, outcome.manifest),
        },
    )


def target_facts(outcome: RestoreOutcome) -> Metadata:
    """Where the dump went, which is looked for first."""
    return {
        "database": dg.MetadataValue.text(outcome.database),
        "former_database": dg.MetadataValue.text(outcome.former or "none"),
    }


def restore_facts(
    outcome: RestoreOutcome | DrillOutcome,
    remarks: Sequence[str] = (),
    *,
    fetched: float | None = None,
    seconds: float,
) -> Metadata:
    """``remarks`` are those of the dump that was found. ``seconds`` are those of all that was
    done, ``fetched`` those until the dump was at hand; the outcome has those of its stages.
    """
    laps = outcome.seconds if fetched is None else {"fetch": fetched, **outcome.seconds}
    facts: Metadata = {
        "dump": dg.MetadataValue.text(outcome.dump),
        "commit": dg.MetadataValue.text(outcome.commit or "none"),
        "bytes": dg.MetadataValue.int(outcome.bytes),
        "rows": dg.MetadataValue.int(outcome.rows),
        "tables": _compared_tables(outcome.tables, outcome.manifest),
        "seconds": dg.MetadataValue.float(round(seconds, 3)),
    }
    for stage, lap in laps.items():
        facts[f"seconds/{stage}"] = dg.MetadataValue.float(round(lap, 3))
    if outcome.manifest is not None:
        facts["sha256"] = dg.MetadataValue.text(outcome.manifest.sha256)
        facts["snapshot"] = dg.MetadataValue.timestamp(outcome.manifest.snapshot_at)
    if decision := _accepted(outcome).decision:
        facts["accepted_because"] = dg.MetadataValue.text(f"{decision.whence}: {decision.reason}")
        listed = "\n".join(f"- {text}" for text in _accepted(outcome).differences)
        facts["accepted_differences"] = dg.MetadataValue.md(listed)
    if said := [*remarks, *outcome.remarks]:
        facts["remarks"] = dg.MetadataValue.md("\n".join(f"- {text}" for text in said))
    return facts


def _accepted(outcome: RestoreOutcome | DrillOutcome) -> Accepted:
    return outcome.accepted if isinstance(outcome, RestoreOutcome) else Accepted()


def _compared_tables(
    tables: Mapping[str, TableRecord], manifest: Manifest | None
) -> dg.TableMetadataValue:
    """Each table as it was read back, and what its hash was found equal to.

    Where there is no manifest, the dump's own text is all that there is to compare with.
    """
    known = manifest.tables if manifest is not None else {}
    return table(
        {"table": "string", "rows": "int", "sha256": "string", "equals": "string"},
        (
            (name, one.rows, one.sha256, "manifest" if known.get(name) == one else "dump")
            for name, one in sorted(tables.items())
        ),
    )


def data_version(manifest: Manifest | None) -> dg.DataVersion | None:
    """That of the dump: what was restored from the same bytes is the same."""
    return dg.DataVersion(manifest.sha256) if manifest is not None else None


def events_of_restore(
    outcome: RestoreOutcome, remarks: Sequence[str] = (), *, by: str, fetched: float | None = None
) -> Sequence[Event]:
    """See :func:`restore_facts`."""
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
