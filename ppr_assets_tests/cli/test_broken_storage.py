"""Dagster's own storage is broken: one line with the way out, and a backup all the same."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy import Engine, create_engine

from ppr_assets.cli.dagster import files as dagster_files
from ppr_assets.cli.dagster.files import require_files
from ppr_assets.cli.dagster.home import require_config
from ppr_assets.cli.dagster.storage import require_home, storage_failures
from ppr_assets.errors import DatabaseUnreachable, SettingsError, StorageFailed
from ppr_assets_tests.fix_command_line import CommandLine, facts
from ppr_assets_tests.fix_git import git
from ppr_assets_tests.fix_pipeline import Pipeline

RUNS = "history/runs.db"
FILES = (RUNS, "history/runs/index.db", "schedules/schedules.db")
Break = Callable[[Path], object]


@pytest.fixture(scope="module")
def used_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DAGSTER_HOME whose storage is files, as Dagster makes it when it is first used."""
    home = tmp_path_factory.mktemp("home")
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\nnux: {enabled: false}\n")
    with dg.DagsterInstance.from_config(str(home)) as instance:
        assert instance.get_runs_count() == 0
    return home


@pytest.fixture
def home(used_home: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(used_home, tmp_path / "dagster-home"))


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2 + 100)


def garble(path: Path) -> None:
    path.write_bytes(b"what a full disk left" * 100)


def make_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    with closing(sqlite3.connect(path, isolation_level=None)) as session:
        session.execute("BEGIN EXCLUSIVE")
        yield


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("spoil", [cut, garble, make_folder])
def test_a_file_that_is_broken_is_named_with_the_way_out(
    home: Path, name: str, spoil: Break
) -> None:
    spoil(home / name)
    with pytest.raises(StorageFailed) as told:
        require_files(home)
    assert told.value.message.startswith(f"Dagster's storage `{home / name}` cannot be used: ")
    assert f"mv {home / name} {home / name}.broken" in told.value.hint
    assert "--without-record" in told.value.hint


def test_a_file_that_another_process_holds_is_named_with_how_to_find_it(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dagster_files, "LOCK_SECONDS", 0.1)
    with locked(home / RUNS), pytest.raises(StorageFailed, match="locked") as told:
        require_files(home)
    assert f"fuser {home / RUNS}" in told.value.hint


def test_whole_files_are_left_alone(home: Path) -> None:
    before = {name: (home / name).read_bytes() for name in FILES}
    require_files(home)
    assert {name: (home / name).read_bytes() for name in FILES} == before


@pytest.mark.parametrize(
    ("config", "looked_at"),
    [("storage:\n  postgres:\n    postgres_url: x\n", False), ("storage: {}\n", True)],
)
def test_files_of_a_storage_that_is_no_longer_used_are_no_matter(
    home: Path, config: str, looked_at: bool
) -> None:
    (home / "dagster.yaml").write_text(config)
    garble(home / RUNS)
    if looked_at:
        with pytest.raises(StorageFailed):
            require_files(home)
    else:
        require_files(home)


def test_a_storage_at_another_place_is_looked_at_there(home: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    home.rename(elsewhere)
    home.mkdir()
    (home / "dagster.yaml").write_text(f"storage:\n  sqlite:\n    base_dir: {elsewhere}\n")
    garble(elsewhere / RUNS)
    with pytest.raises(StorageFailed, match=str(elsewhere / RUNS)):
        require_files(home)


def test_a_file_that_breaks_while_a_run_is_told_in_it_is_named(home: Path) -> None:
    with (
        dg.DagsterInstance.from_config(str(home)) as instance,
        pytest.raises(StorageFailed, match=rf"`{home / RUNS}` cannot be used"),
    ):
        break_and_ask(home, instance)


def break_and_ask(home: Path, instance: dg.DagsterInstance) -> None:
    with storage_failures(home):
        garble(home / RUNS)
        instance.get_runs_count()


def test_a_server_that_fails_under_dagster_is_told_without_its_password(tmp_path: Path) -> None:
    engine = create_engine("postgresql+psycopg2://dagster:hunter2@127.0.0.1:9/dagster")
    with pytest.raises(DatabaseUnreachable, match=r"^Dagster's storage failed: ") as told:
        with_failing(engine, tmp_path)
    assert "hunter2" not in told.value.render()
    assert "--without-record" in told.value.hint


def with_failing(engine: Engine, home: Path) -> None:
    with storage_failures(home), engine.connect():
        pass


def test_a_home_that_cannot_be_written_to_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda _path, _mode: False)  # root may write anywhere
    with pytest.raises(StorageFailed, match="must be a folder that can be written to"):
        require_home(tmp_path)


def test_a_broken_storage_stops_a_dump_and_the_emergency_road_does_not_need_it(
    pipeline: Pipeline, ppr_assets: CommandLine, home: Path
) -> None:
    cut(home / RUNS)
    before = pipeline.picture()
    ppr_assets.variables |= {"DAGSTER_HOME": str(home), "SQL_DUMP_RATCHET_TABLES": "organization"}
    del ppr_assets.variables["DAGSTER_POSTGRES_URL"]

    stopped = ppr_assets("dump")
    assert stopped.code == 1
    assert stopped.error == (
        f"Dagster's storage `{home / RUNS}` cannot be used: database disk image is malformed"
    )
    assert "ppr-assets dump --without-record" in stopped.err
    assert stopped.err.count("\n") == 2
    assert pipeline.picture() == before

    examined = ppr_assets("doctor")
    assert examined.code == 1
    assert f"FIX  dagster          {stopped.error}" in examined.out

    published = ppr_assets("dump", "--without-record")
    assert (published.code, published.err) == (0, "")
    told = facts(published.out)
    assert list(told) == ["counted", "dumped", "proven", "withheld", "published", "run"]
    assert told["run"].startswith("unrecorded-")
    assert pipeline.remote_head() == pipeline.head()
    manifest = json.loads((pipeline.dumps / pipeline.latest()).with_suffix(".json").read_text())
    assert manifest["run_id"] == told["run"]
    assert f"Run: {told['run']}" in git(pipeline.clone, "log", "-1", "--format=%B")
    assert ppr_assets("audit").code == 0

    unchanged = ppr_assets("dump", "--without-record")
    assert facts(unchanged.out)["unchanged"].startswith(f"since {pipeline.latest()}: ")

    stands = pipeline.picture()
    pipeline.lose_a_third()
    refused = ppr_assets("dump", "--without-record")
    assert refused.code == 3
    assert facts(refused.out)["counted"].endswith("; the gate refused them")
    assert pipeline.picture() == stands

    overridden = ppr_assets("dump", "--without-record", "--override", "county closed")
    assert (overridden.code, overridden.err) == (0, "")
    assert "Override: command line: county closed" in git(
        pipeline.clone, "log", "-1", "--format=%B"
    )


def of_another_program(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as session:
        session.execute("CREATE TABLE other (id int)")


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_another_program_or_version_is_named(home: Path, name: str) -> None:
    of_another_program(home / name)
    with pytest.raises(StorageFailed, match="no such table") as told:
        require_files(home)
    assert f"mv {home / name} {home / name}.broken" in told.value.hint


def test_an_empty_file_is_filled_by_dagster(home: Path) -> None:
    (home / RUNS).write_bytes(b"")
    require_files(home)
    with storage_failures(home), dg.DagsterInstance.from_config(str(home)) as instance:
        assert instance.get_runs_count() == 0


@pytest.mark.parametrize("text", ["{{{", "storage: [\n", "a: b: c", "\x00"])
def test_a_configuration_that_is_no_yaml_is_told_by_doctor_and_dump(
    ppr_assets: CommandLine, home: Path, text: str
) -> None:
    (home / "dagster.yaml").write_text(text)
    with pytest.raises(SettingsError, match=rf"`{home / 'dagster.yaml'}` cannot be read: ") as told:
        require_config(home)
    assert "\n" not in told.value.message
    if text == "{{{":
        ppr_assets.variables |= {"DAGSTER_HOME": str(home)}
        assert ppr_assets("dump").error == told.value.message
        assert f"FIX  dagster          {told.value.message}" in ppr_assets("doctor").out


def test_a_folder_that_is_a_file_is_told_as_dagsters(home: Path) -> None:
    shutil.rmtree(home / "history/runs")
    (home / "history/runs").touch()
    with pytest.raises(StorageFailed, match=rf"`{home}/history/runs` cannot be used: File exists"):
        open_and_ask(home)


def open_and_ask(home: Path) -> None:
    with storage_failures(home), dg.DagsterInstance.from_config(str(home)) as instance:
        instance.get_runs_count()


def test_a_table_that_is_gone_is_not_taken_for_a_servers_fault(home: Path) -> None:
    with dg.DagsterInstance.from_config(str(home)) as instance:
        with closing(sqlite3.connect(home / RUNS)) as session:
            session.execute("DROP TABLE runs")
        with pytest.raises(StorageFailed, match=r"runs\.db` cannot be used: no such table"):
            count_runs(home, instance)


def count_runs(home: Path, instance: dg.DagsterInstance) -> None:
    with storage_failures(home):
        instance.get_runs_count()
