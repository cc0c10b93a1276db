"""Facts of an outcome as metadata that the UI shows and, where they are numbers, plots."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import dagster as dg

from ppr_assets.rules.gate.ratchet import Verdict
from ppr_assets.rules.profile.columns import ColumnProfile
from ppr_assets.rules.publication.withholding import Plan, Withheld
from ppr_assets.rules.recorded.manifest import Manifest

DATA_VERSION = "dagster/data_version"
"""The tag by which Dagster tells what an event is of."""

Metadata = dict[str, dg.MetadataValue]


def table(columns: Mapping[str, str], rows: Iterable[Iterable[Any]]) -> dg.TableMetadataValue:
    """``columns`` by name, each with its kind for the UI; ``rows`` have a value for each."""
    schema = dg.TableSchema([dg.TableColumn(name, kind) for name, kind in columns.items()])
    records = [dg.TableRecord(dict(zip(columns, row, strict=True))) for row in rows]
    return dg.MetadataValue.table(records, schema=schema)


def row_counts(counts: Mapping[str, int]) -> Metadata:
    """One number a table, plotted over time, and all of them as a table."""
    numbers = {f"rows/{name}": dg.MetadataValue.int(rows) for name, rows in counts.items()}
    return {"tables": rows_table(counts), **numbers}


def rows_table(counts: Mapping[str, int]) -> dg.TableMetadataValue:
    return table({"table": "string", "rows": "int"}, counts.items())


def gate_facts(verdict: Verdict) -> Metadata:
    """The verdict with its numbers: one plot tells how near a refusal was, a table of what."""
    facts: Metadata = {
        **verdict_facts(verdict),
        "floor": dg.MetadataValue.text(str(verdict.policy.min_records)),
        "gate": gate_table(verdict),
    }
    if verdict.mark is not None:
        facts["mark"] = dg.MetadataValue.int(verdict.mark.organization)
    if verdict.headroom_percent is not None:
        facts["headroom_percent"] = dg.MetadataValue.float(verdict.headroom_percent)
    return facts


def verdict_facts(verdict: Verdict) -> Metadata:
    facts: Metadata = {"verdict": dg.MetadataValue.text(verdict.status)}
    if verdict.override is not None:
        facts["override"] = dg.MetadataValue.text(verdict.override.reason)
        facts["refusal"] = dg.MetadataValue.text(verdict.message)
    return facts


def gate_table(verdict: Verdict) -> dg.TableMetadataValue:
    """Each ratcheted table with what it has and needs, for the check that judged it."""
    have = verdict.counts
    return table(
        {"table": "string", "have": "int", "need": "int", "headroom": "int"},
        (
            (name, have.get(name, 0), have.get(name, 0) - headroom, headroom)
            for name, headroom in verdict.headroom.items()
        ),
    )


def plan_table(plan: Plan) -> dg.TableMetadataValue:
    """What a policy keeps out of a dump, before it is made."""
    return _withheld_table(plan.withheld({}, {}), ["table", "column", "rule"])


def undecided_table(plan: Plan) -> dg.TableMetadataValue:
    """What nobody has decided on, with the command that decides, to be pasted as it is, and what
    else it may be."""
    return table(
        dict.fromkeys(("name", "command", "or"), "string"),
        ((one.name, one.command, ", ".join(one.rules[1:])) for one in plan.to_decide),
    )


def withheld_table(manifest: Manifest) -> dg.TableMetadataValue:
    """What was kept out of a dump, with the rows that had it."""
    return _withheld_table(manifest.withheld, ["table", "column", "rule", "rows"])


def _withheld_table(withheld: Sequence[Withheld], columns: Sequence[str]) -> dg.TableMetadataValue:
    return table(
        {name: "int" if name == "rows" else "string" for name in columns},
        ([getattr(one, name) for name in columns] for one in withheld),
    )


def profile_facts(manifest: Manifest) -> Metadata:
    """The profile as a table, what of it plots, and what moved most."""
    numbers = ("filled", *ColumnProfile.__struct_fields__)
    rows = (
        (key, column, *(getattr(one, number) for number in numbers))
        for key, profile in manifest.profile.items()
        for column, one in profile.columns.items()
    )
    columns = {"table": "string", "column": "string", **dict.fromkeys(numbers, "int")}
    facts: Metadata = {"profile": table(columns, rows)}
    for key, profile in manifest.profile.items():
        if profile.points is not None:
            share = round(100 * profile.points.share, 2)
            facts[f"on_one_point_percent/{key}"] = dg.MetadataValue.float(share)
    if manifest.movements:
        facts["movements"] = dg.MetadataValue.text("\n".join(manifest.movements))
    return facts


def manifest_facts(manifest: Manifest) -> Metadata:
    """What identifies a dump, where it came from, and how it was judged."""
    facts: Metadata = {
        "dump": dg.MetadataValue.text(manifest.dump),
        "sha256": dg.MetadataValue.text(manifest.sha256),
        "bytes": dg.MetadataValue.int(manifest.bytes),
        "records": dg.MetadataValue.int(sum(manifest.rows.values())),
        "snapshot": dg.MetadataValue.timestamp(manifest.snapshot_at),
        "database": dg.MetadataValue.text(
            f"{manifest.database.name} ({manifest.database.system_identifier or 'unknown'}), "
            f"PostgreSQL {manifest.database.server_version}"
        ),
    }
    override = manifest.override
    judged = manifest.verdict.get("status")
    optional = {
        "verdict": judged if isinstance(judged, str) else None,
        "override": override.reason if override else None,
        "override_source": override.source if override else None,
        "override_by": override.by if override else None,
        "previous": manifest.previous,
        "publication": manifest.publication,
        "dumped_by_run": manifest.run_id,
        "proof": str(manifest.proof) if manifest.proof else None,
        "without_rows": manifest.without,
    }
    facts |= {name: dg.MetadataValue.text(value) for name, value in optional.items() if value}
    return facts
