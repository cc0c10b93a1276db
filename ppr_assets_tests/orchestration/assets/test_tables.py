"""What is observed of the database's tables: names, rows and columns, in a bounded number."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import dagster as dg
import pytest

from ppr_assets.definitions import build_defs
from ppr_assets.operations.dumping.counting import RecordCount
from ppr_assets.orchestration.assets.tables import HSDS_TABLES, MOST_OTHERS, observations
from ppr_assets.postgres.snapshot.row_count import Table
from ppr_assets.postgres.snapshot.snapshot import SnapshotColumn
from ppr_assets.rules.gate.ratchet import judge
from ppr_assets.rules.policy import GatePolicy
from ppr_assets.rules.publication.withholding import Plan
from ppr_assets.rules.recorded.parts import DatabaseIdentity
from ppr_assets.settings import Settings
from ppr_assets_tests.fix_runs import Runs

ODD = """
CREATE SCHEMA "Old data";
CREATE DOMAIN "Old data".code AS varchar(8) NOT NULL;
CREATE TABLE "Old data"."a/b.c" (
  id bigint GENERATED ALWAYS AS IDENTITY, gone text, code "Old data".code,
  price numeric(10,2), words text[], "Wo""rd" text,
  twice numeric GENERATED ALWAYS AS (price * 2) STORED
);
ALTER TABLE "Old data"."a/b.c" DROP COLUMN gone;
INSERT INTO "Old data"."a/b.c" (code) VALUES ('x'), ('y');
CREATE TABLE public.sql_dump ();
CREATE TABLE "Old data".organization (name text NOT NULL);
CREATE TABLE public.by_year (year int NOT NULL, note text) PARTITION BY LIST (year);
CREATE TABLE public.by_year_2025 PARTITION OF public.by_year FOR VALUES IN (2025);
INSERT INTO public.by_year VALUES (2025, 'one')
"""


def _observed(runs: Runs, *path: str) -> Mapping[str, Any]:
    found = runs.instance.fetch_observations(dg.AssetKey(path), limit=1).records
    assert found, f"{path} was not observed"
    observation = found[0].asset_observation
    assert observation is not None
    return {name: value.value for name, value in observation.metadata.items()}


def _columns(schema: dg.TableSchema) -> list[str]:
    return [
        f"{column.name} {column.type}{'' if column.constraints.nullable else ' NOT NULL'}"
        for column in schema.columns
    ]


def test_every_dumped_table_is_observed_with_its_name_rows_and_columns(runs: Runs) -> None:
    pipeline = runs.pipeline
    pipeline.execute(ODD)
    try:
        counted = runs.nightly("record_count")
        assert counted.success
        database = pipeline.settings.database.dbname
        tables = [row.data["table"] for row in runs.metadata("record_count")["tables"].records]
        events = [event for event in counted.all_events if event.is_asset_observation]
        assert len(events) == len(tables) > len(HSDS_TABLES) + 4
        for table in HSDS_TABLES:
            observed = _observed(runs, table)
            assert observed["dagster/table_name"] == f"{database}.public.{table}"
            assert observed["dagster/row_count"] == pipeline.count(table)
        assert _columns(_observed(runs, "language")["dagster/column_schema"])[:2] == [
            "id character varying(250) NOT NULL",
            "service_id character varying(250)",
        ]
        odd = _observed(runs, "Old data", "a/b.c")
        assert odd["dagster/table_name"] == f"{database}.Old data.a/b.c"
        assert odd["dagster/row_count"] == 2
        assert _columns(odd["dagster/column_schema"]) == [
            "id bigint NOT NULL",
            'code "Old data".code NOT NULL',
            "price numeric(10,2)",
            "words text[]",
            'Wo"rd text',
            "twice numeric",
        ]
        assert _columns(_observed(runs, "public", "sql_dump")["dagster/column_schema"]) == []
        assert _observed(runs, "public", "by_year_2025")["dagster/row_count"] == 1
        assert _observed(runs, "Old data", "organization")["dagster/row_count"] == 0
        # A table that is called as an asset of ours is not observed as that one.
        assert not runs.instance.fetch_observations(dg.AssetKey("sql_dump"), limit=1).records
    finally:
        pipeline.execute(
            'DROP SCHEMA "Old data" CASCADE; DROP TABLE public.sql_dump, public.by_year'
        )


@pytest.mark.parametrize("others", [MOST_OTHERS, MOST_OTHERS + 1, 3000])
def test_of_thousands_of_other_tables_some_are_observed_and_all_of_hsds(others: int) -> None:
    names = sorted([*HSDS_TABLES, *(f"log_{number:04}" for number in range(others))])
    tables = [Table(oid, "public", name, oid) for oid, name in enumerate(names)]
    counts = {table.key: table.oid for table in tables}
    counted = RecordCount(
        counts=counts,
        columns={table: [SnapshotColumn("id", "uuid", nullable=False)] for table in tables},
        taken_at=datetime.now(UTC),
        database=DatabaseIdentity(None, "food", "18.0", "UTF8", "C"),
        verdict=judge(counts, None, GatePolicy(1, Decimal("0.9"))),
        plan=Plan({}),
    )
    keys = [observation.asset_key for observation in observations(counted)]
    assert len(set(keys)) == len(keys) == len(HSDS_TABLES) + min(others, MOST_OTHERS)
    assert {key.path[0] for key in keys if len(key.path) == 1} == set(HSDS_TABLES)
    assert keys == [observation.asset_key for observation in observations(counted)]


def test_the_definitions_name_the_tables_of_the_database_that_is_set() -> None:
    settings = Settings.from_environment({"POSTGRES_DB": "food"}, dotenv=None)
    graph = build_defs(settings=settings).resolve_asset_graph()
    for table in HSDS_TABLES:
        name = graph.get(dg.AssetKey(table)).metadata["dagster/table_name"]
        assert name == f"food.public.{table}"
