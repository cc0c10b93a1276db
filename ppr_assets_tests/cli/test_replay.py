"""``ppr-assets replay`` at the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ppr_assets.settings import DatabaseSettings
from ppr_assets_tests.fix_command_line import CommandLine
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
    refused = ppr_assets("replay", str(records))
    assert refused.code == 3
    assert refused.err.splitlines()[-2:] == [
        f"table location of database {database.dbname} has records, a replay needs an empty one",
        "HINT: nothing was changed. Replay into a database of its own: --into NAME.",
    ]
    emptied(database)
    report = tmp_path / "report.jsonl"
    done = ppr_assets("replay", str(records), "--report", str(report))
    assert done.code == 0
    assert "files      4 files: 3 loaded, 0 empty, 1 rejected" in done.out
    assert f"replayed   {database.dbname}: 3 organization, " in done.out
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


def test_paths_and_repositories_are_not_mixed(ppr_assets: CommandLine, records: Path) -> None:
    told = ppr_assets("replay", str(records), "--at", "HEAD")
    assert told.code == 2
    assert "PATH names files, so neither --from nor --at can choose others" in told.err
