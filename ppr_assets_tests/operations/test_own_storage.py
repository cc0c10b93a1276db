"""Dagster's storage in the database that is dumped is refused, by its address and by its tables."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest

from ppr_assets.errors import PreconditionFailed, SettingsError
from ppr_assets.operations.doctor import preconditions
from ppr_assets.postgres.snapshot import preflight
from ppr_assets.settings import Secret
from ppr_assets_tests.fix_command_line import CommandLine
from ppr_assets_tests.fix_pipeline import Pipeline
from ppr_assets_tests.opened import count_records, dump

_COLUMNS = """
SELECT one.name, part.name FROM sqlite_schema AS one, pragma_table_info(one.name) AS part
"""


def url_of(pipeline: Pipeline) -> str:
    database = pipeline.settings.database
    return (
        f"postgresql+psycopg2://{database.user}@/{database.dbname}"
        f"?host={database.host}&port={database.port}"
    )


def test_what_tells_dagsters_tables_is_what_dagster_makes(tmp_path: Path) -> None:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        instance.get_runs_count()
    made = set[tuple[str, str]]()
    for file in tmp_path.rglob("*.db"):
        with closing(sqlite3.connect(file)) as storage:
            made |= {*storage.execute(_COLUMNS)}
    told = re.findall(r"\('(\w{2,})', '(\w+)'\)", preflight._DAGSTERS)
    assert len(told) == 7
    assert set(told) <= made


@pytest.mark.parametrize("schema", ["public", '"Dag ster"'])
def test_its_tables_in_whatever_schema_stop_a_dump_and_are_named(
    pipeline: Pipeline, schema: str
) -> None:
    before = pipeline.picture()
    pipeline.administer(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    pipeline.administer(f"CREATE TABLE {schema}.event_logs (id bigint, dagster_event_type text)")
    with pytest.raises(PreconditionFailed, match=r"^Dagster keeps its runs in .*event_logs"):
        dump(pipeline.settings)
    (tables,) = [found for found in preconditions(pipeline.settings) if found.what == "tables"]
    assert tables.error is not None
    assert "CREATE DATABASE dagster" in tables.error.hint
    assert pipeline.picture() == before


def test_tables_of_the_same_names_that_are_anybodys_are_dumped(pipeline: Pipeline) -> None:
    pipeline.execute("CREATE TABLE runs (id int); CREATE TABLE event_logs (id int, event text)")
    assert count_records(pipeline.settings).counts["runs"] == 0


def test_its_address_stops_a_dump_before_a_table_is_made(
    pipeline: Pipeline, ppr_assets: CommandLine
) -> None:
    ppr_assets.variables["DAGSTER_POSTGRES_URL"] = url_of(pipeline)
    refused = ppr_assets("dump")
    assert refused.code == 2
    name = pipeline.settings.database.dbname
    assert refused.error.startswith(f"database {name} is the one that Dagster keeps its runs in")
    assert "CREATE DATABASE dagster" in refused.err
    assert pipeline.count("pg_tables WHERE tablename = 'event_logs'") == 0
    examined = ppr_assets("doctor")
    assert examined.code == 2
    assert refused.error in examined.out


def test_its_address_stops_a_run_that_somebody_else_started(pipeline: Pipeline) -> None:
    settings = replace(pipeline.settings, dagster_postgres_url=Secret(url_of(pipeline)))
    for operation in (count_records, dump):
        with pytest.raises(SettingsError, match="Dagster keeps its runs in"):
            operation(settings)
