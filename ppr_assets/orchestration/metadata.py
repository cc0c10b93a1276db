"""Facts of an outcome as metadata that the UI shows and, where they are numbers, plots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import dagster as dg
from msgspec.structs import asdict

from ppr_assets.rules.gate.ratchet import Verdict
from ppr_assets.rules.publication.withholding import Plan, Withheld
from ppr_assets.rules.recorded.manifest import Manifest

DATA_VERSION = "dagster/data_version"
"""The tag by which Dagster tells what an event is of."""

Metadata = dict[str, dg.MetadataValue]


def row_counts(counts: Mapping[str, int]) -> Metadata:
    """One number a table, plotted over time, and all of them as a table."""
    numbers = {f"rows/{name}": dg.MetadataValue.int(rows) for name, rows in counts.items()}
    return {"tables": rows_table(counts), **numbers}


def rows_table(counts: Mapping[str, int]) -> dg.TableMetadataValue:
    return dg.MetadataValue.table(
        [dg.TableRecord({"table": name, "rows": rows}) for name, rows in counts.items()],
        schema=dg.TableSchema([dg.TableColumn("table", "string"), dg.TableColumn("rows", "int")]),
    )


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
    rows = [
        dg.TableRecord(
            {
                "table": name,
                "have": verdict.counts.get(name, 0),
                "need": verdict.counts.get(name, 0) - headroom,
                "headroom": headroom,
            }
        )
        for name, headroom in verdict.headroom.items()
    ]
    columns = ["table", "have", "need", "headroom"]
    types = ["string", "int", "int", "int"]
    schema = dg.TableSchema(
        [dg.TableColumn(name, kind) for name, kind in zip(columns, types, strict=True)]
    )
    return dg.MetadataValue.table(rows, schema=schema)


def plan_table(plan: Plan) -> dg.TableMetadataValue:
    """What a policy keeps out of a dump, before it is made."""
    return _withheld_table(plan.withheld({}, {}), ["table", "column", "rule"])


def undecided_table(plan: Plan) -> dg.TableMetadataValue:
    """What nobody has decided on, with the command that decides, to be pasted as it is, and what
    else it may be."""
    names = ("name", "command", "or")
    records = [
        dg.TableRecord(
            dict(zip(names, (one.name, one.command, ", ".join(one.rules[1:])), strict=True))
        )
        for one in plan.to_decide
    ]
    types = [dg.TableColumn(name, "string") for name in names]
    return dg.MetadataValue.table(records, schema=dg.TableSchema(types))


def withheld_table(manifest: Manifest) -> dg.TableMetadataValue:
    """What was kept out of a dump, with the rows that had it."""
    return _withheld_table(manifest.withheld, ["table", "column", "rule", "rows"])


def _withheld_table(withheld: Sequence[Withheld], columns: Sequence[str]) -> dg.TableMetadataValue:
    records = [dg.TableRecord({name: getattr(one, name) for name in columns}) for one in withheld]
    types = [dg.TableColumn(name, "int" if name == "rows" else "string") for name in columns]
    return dg.MetadataValue.table(records, schema=dg.TableSchema(types))


def profile_facts(manifest: Manifest) -> Metadata:
    """The profile as a table, what of it plots, and what moved most."""
    records = [
        dg.TableRecord({"table": name, "column": column, "filled": one.filled, **asdict(one)})
        for name, table in manifest.profile.items()
        for column, one in table.columns.items()
    ]
    numbers = ["filled", "not_null", "empty", "distinct", "longest", "common"]
    columns = [dg.TableColumn(name, "string") for name in ("table", "column")]
    columns += [dg.TableColumn(name, "int") for name in numbers]
    facts: Metadata = {
        "profile": dg.MetadataValue.table(records, schema=dg.TableSchema(columns)),
    }
    for name, table in manifest.profile.items():
        if table.points is not None:
            share = round(100 * table.points.share, 2)
            facts[f"on_one_point_percent/{name}"] = dg.MetadataValue.float(share)
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
