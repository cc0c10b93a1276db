"""``ppr-assets replay`` at the command line."""

from __future__ import annotations

import json
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest

from ppr_assets.postgres.sessions.connection import connect
from ppr_assets.settings import DatabaseSettings
from ppr_assets_tests.fix_command_line import CommandLine
from ppr_assets_tests.fix_pipeline import Pipeline
from ppr_assets_tests.fix_postgres import Databases
from ppr_assets_tests.operations.replaying.test_replay import (
    emptied,
    named,
    publish,
)


@pytest.fixture
def records(tmp_path: Path) -> Path:
    folder = tmp_path / "records"
    for number, day in enumerate(("2025-08-05", "2025-08-06", "2025-08-07"), 1):
        publish(folder, day, "freshtrak", number, named(f"Pantry of {day}"))
    (folder / "daily/2025-08-07/scrapers/freshtrak/9.json").write_text("{")
    return folder


def test_a_replay_says_what_became_of_each_file_and_fills_the_database(
    ppr_assets: CommandLine, database: DatabaseSettings, records: Path, tmp_path: Path
) -> None:
    report = tmp_path / "report.jsonl"
    refused = ppr_assets("replay", str(records), "--report", str(report))
    assert not report.exists()
    assert refused.code == 3
    assert refused.err.splitlines()[-2:] == [
        f"table location of database {database.dbname} has records, a replay needs an empty one",
        "HINT: nothing was changed. --into NAME --schema latest makes another database; --replace "
        "fills a new one beside this, and puts it in its place.",
    ]
    emptied(database)
    done = ppr_assets.installed("replay", str(records), "--report", str(report))
    assert done.code == 0
    assert "files      4 files: 3 loaded, 0 empty, 1 rejected" in done.out
    assert f"replayed   {database.dbname}: 3 organization, " in done.out
    assert "recorded   the reasons of what was merged, in record_version; " in done.out
    assert [line.split() for line in done.out.splitlines()[1:4]] == [
        ["freshtrak", "2025-08-05", "…", "2025-08-07", "(3)", "3", "loaded"],
        [
            "freshtrak",
            "2025-08-07",
            "1",
            "rejected",
            *["cut", "off:", "Expecting", "property", "name"],
            *["enclosed", "in", "double", "quotes"],
        ],
        ["all", "2025-08-05", "…", "2025-08-07", "(3)", "4"],
    ]
    lines = [json.loads(line) for line in report.read_text().splitlines()]
    assert [(line["outcome"], line["day"]) for line in lines] == [
        ("loaded", "2025-08-05"),
        ("loaded", "2025-08-06"),
        ("loaded", "2025-08-07"),
        ("rejected", "2025-08-07"),
    ]


def test_the_variable_says_how_many_days_are_read(ppr_assets: CommandLine, records: Path) -> None:
    counted = json.loads(
        ppr_assets("replay", str(records), "--dry-run", "--json", DB_INIT_DAYS_TO_SYNC="1").out
    )
    assert (counted["files"], counted["loaded"], counted["rejected"]) == (2, 1, 1)
    assert [*counted["reasons"]["rejected"].values()] == [1]
    assert [(one["day"], one["outcome"], one["files"]) for one in counted["table"]] == [
        ("2025-08-07", "loaded", 1),
        ("2025-08-07", "rejected", 1),
    ]


def test_no_unknown_key_is_left_out_unsaid(ppr_assets: CommandLine, tmp_path: Path) -> None:
    strange = {f"strange_{number:02}": "x" for number in range(14)}
    publish(tmp_path, "2025-08-07", "freshtrak", 1, named("Pantry", **strange))
    path = str(tmp_path / "daily")
    lines = [
        line
        for line in ppr_assets("replay", path, "--dry-run").out.splitlines()
        if line.startswith("unknown")
    ]
    assert len(lines) == 13
    assert lines[0] == "unknown    1: organization.strange_00"
    assert lines[-1] == "unknown    and 2 more, which --json lists"
    listed = json.loads(ppr_assets("replay", path, "--dry-run", "--json").out)["unknown"]
    assert {f"organization.{name}" for name in strange} == listed.keys()


def test_paths_and_repositories_are_not_mixed(ppr_assets: CommandLine, records: Path) -> None:
    told = ppr_assets("replay", str(records), "--at", "HEAD")
    assert told.code == 2
    assert "PATH names files, so neither --from nor --at can choose others" in told.err


def test_a_day_is_written_in_one_way(ppr_assets: CommandLine, records: Path) -> None:
    for option in ("--since", "--until"):
        told = ppr_assets("replay", str(records), "--dry-run", option, "01/08/2025")
        assert told.code == 2
        assert "`01/08/2025` must be a day like 2026-11-01" in told.err


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_no_process_outlives_a_replay_that_is_ended(
    ppr_assets: CommandLine, tmp_path: Path, number: signal.Signals
) -> None:
    records = tmp_path / "many"
    for one in range(400):
        publish(records, "2025-08-07", "freshtrak", one, named("Pantry", description="x" * 99_999))
    report = tmp_path / "report.jsonl.partial"
    process = ppr_assets.start(
        "replay", str(records), "--dry-run", "--report", str(report.with_suffix(""))
    )
    until = time.monotonic() + 20
    while not (report.exists() and report.stat().st_size) and time.monotonic() < until:
        assert process.poll() is None
    process.send_signal(number)
    _, said = process.communicate(timeout=10)  # ends when nobody holds the pipe
    assert process.returncode == (-number if number == signal.SIGKILL else 130)
    assert "Traceback" not in said


def test_a_record_is_explained_without_a_server(ppr_assets: CommandLine, records: Path) -> None:
    words = ("replay", str(records), "--explain")
    file = "daily/2025-08-07/scrapers/freshtrak/3.json"
    told = ppr_assets(*words, file, POSTGRES_HOST="/nonexistent")
    assert told.code == 0
    lines = told.out.splitlines()
    assert lines[0] == f"{file}: loaded"
    assert lines[1].startswith("organization ")
    assert "Pantry of 2025-08-07" in lines[1]
    assert f"  told  2025-08-07 10:00:03 freshtrak {file} at $.result" in lines
    own = lines[1].split()[1]
    explained = json.loads(ppr_assets(*words, own, "--json").out)
    assert [one["id"] for one in explained["records"]] == [own]
    assert explained["records"][0]["told"][0]["file"] == file
    missing = ppr_assets(*words, "gone.json")
    assert missing.code == 2
    assert "`gone.json` is neither one of the 4 files that were read nor the id" in missing.err


def test_a_missing_database_is_made_by_the_latest_dump_and_a_full_one_is_replaced(
    ppr_assets: CommandLine, pipeline: Pipeline, databases: Databases, records: Path
) -> None:
    pipeline.night()
    ppr_assets.variables["POSTGRES_USER"] = "postgres"
    name = f"{pipeline.settings.database.dbname}_again"
    words = ["replay", str(records), "--into", name]
    refused = ppr_assets(*words)
    assert refused.code == 1
    assert f"HINT: `ppr-assets replay --into {name} --schema latest` makes it with " in refused.err
    made = ppr_assets(*words, "--schema", "latest")
    assert made.code == 0, made.err
    assert f"replayed   {name}: 3 organization, " in made.out
    assert f"schema     that of {pipeline.latest()}, without its rows" in made.out
    told = json.loads(ppr_assets(*words, "--replace", "--json").out)
    assert told["database"] == name
    assert told["former"].startswith(f"{name}_before_")
    assert (told["schema"], told["changed"]["organization"]) == ("the database that it replaces", 3)
    redirected = ppr_assets(*words, "--schema", "latest", TESTING="true")
    assert redirected.out.startswith(
        f"testing    TESTING is true, so the target is {pipeline.settings.database.dbname}_test "
    )
    for database in (name, told["former"], f"{pipeline.settings.database.dbname}_test"):
        databases.drop(replace(pipeline.settings.database, dbname=database))


def test_where_no_reason_can_be_recorded_and_what_a_key_makes_one_is_said(
    ppr_assets: CommandLine, database: DatabaseSettings, records: Path
) -> None:
    with connect(emptied(database), autocommit=True) as session:
        session.execute("DROP TABLE public.record_version CASCADE")
        session.execute("CREATE UNIQUE INDEX one_name ON public.organization (left(name, 6))")
    done = ppr_assets("replay", str(records))
    assert done.code == 0
    one_for_each = "rows counted to another one, the table holds one for each name"
    assert f"merged     2: organization: {one_for_each}" in done.out.splitlines()
    assert (
        "recorded   no reasons of what was merged (record_version: no such table): "
        "--explain tells them"
    ) in done.out.splitlines()
