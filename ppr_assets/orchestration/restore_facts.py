"""What a restore and a drill record alike: the check ``rows_match`` and the facts to plot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import dagster as dg

from ppr_assets.errors import DumpDamaged, DumpUnproven
from ppr_assets.operations.restoring.drill import DrillOutcome
from ppr_assets.operations.restoring.load_and_compare import rows_in_words
from ppr_assets.operations.restoring.restore import RestoreOutcome
from ppr_assets.orchestration.metadata import Metadata
from ppr_assets.rules.gate.difference import Accepted
from ppr_assets.rules.recorded.manifest import Manifest
from ppr_assets.rules.recorded.parts import TableRecord

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
    rows = [
        dg.TableRecord(
            {
                "table": name,
                "rows": record.rows,
                "sha256": record.sha256,
                "equals": "manifest"
                if manifest is not None and manifest.tables.get(name) == record
                else "dump",
            }
        )
        for name, record in sorted(tables.items())
    ]
    columns = {"table": "string", "rows": "int", "sha256": "string", "equals": "string"}
    schema = dg.TableSchema([dg.TableColumn(name, kind) for name, kind in columns.items()])
    return dg.MetadataValue.table(rows, schema=schema)


def data_version(manifest: Manifest | None) -> dg.DataVersion | None:
    """That of the dump: what was restored from the same bytes is the same."""
    return dg.DataVersion(manifest.sha256) if manifest is not None else None
