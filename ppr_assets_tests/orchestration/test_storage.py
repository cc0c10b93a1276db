"""Runs kept in PostgreSQL by the project's dagster.yaml, a cancelled one, and loading it all."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import psutil
import pytest
import sqlalchemy

from ppr_assets.cli.dagster.storage import kept_sessions
from ppr_assets.postgres.embedded import EmbeddedServer
from ppr_assets_tests.application import connect
from ppr_assets_tests.fix_pipeline import TELLS_ITS_VERSION, Pipeline, settled
from ppr_assets_tests.fix_runs import Runs
from ppr_assets_tests.fix_tools import FakeTool
from ppr_assets_tests.forked import EXECUTE, Fork, forks
from ppr_assets_tests.places import ROOT

STORAGE = "dagster_runs"
SECONDS_TO_START = 240
SECONDS_TO_END = 120


@pytest.fixture
def dagster_home(
    embedded_server: EmbeddedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """A DAGSTER_HOME with the project's dagster.yaml and a storage database of its own."""
    home = tmp_path / "dagster-home"
    home.mkdir()
    shutil.copy(ROOT / "dagster.yaml", home)
    embedded_server.create_database(STORAGE)
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    monkeypatch.setenv("DAGSTER_POSTGRES_URL", embedded_server.url(STORAGE))
    yield home
    with connect(embedded_server.database_settings("postgres"), autocommit=True) as session:
        session.execute(f"DROP DATABASE {STORAGE} WITH (FORCE)")


def test_a_night_is_kept_in_postgresql(pipeline: Pipeline, dagster_home: Path) -> None:
    with dg.DagsterInstance.from_config(str(dagster_home)) as instance:
        run = Runs(pipeline, instance).nightly()
        assert run.success
    with dg.DagsterInstance.from_config(str(dagster_home)) as instance:
        kept = Runs(pipeline, instance)
        stored = instance.get_run_by_id(run.run_id)
        assert stored is not None
        assert stored.status is dg.DagsterRunStatus.SUCCESS
        assert kept.data_version("data_repo_commit") == pipeline.head()
        assert kept.metadata("sql_dump")["dump"] == pipeline.latest()
        assert kept.row_counts("organization") == [pipeline.count("organization")]
        key = dg.AssetCheckKey(dg.AssetKey("sql_dump"), "gate_held")
        checks = instance.event_log_storage.get_latest_asset_check_execution_by_key([key])
        assert checks[key].status.value == "SUCCEEDED"


def test_a_run_of_the_command_line_keeps_its_sessions_and_replaces_what_ended(
    embedded_server: EmbeddedServer, dagster_home: Path
) -> None:
    with (
        connect(embedded_server.database_settings("postgres"), autocommit=True) as other,
        dg.DagsterInstance.from_config(str(dagster_home)) as instance,
    ):

        def sessions() -> set[int]:
            found = other.execute(
                "SELECT pid FROM pg_catalog.pg_stat_activity WHERE datname = %s", [STORAGE]
            )
            return {pid for (pid,) in found}

        with kept_sessions(instance):
            before = instance.get_runs_count()
            kept = sessions()
            assert len(kept) == 1
            instance.get_runs_count()
            assert sessions() == kept
            other.execute("SELECT pg_catalog.pg_terminate_backend(%s, 10000)", [*kept])
            assert instance.get_runs_count() == before
            assert len(sessions()) == 1
            assert not sessions() & kept
        assert settled(sessions) == set()


def test_a_run_of_the_command_line_asks_once_what_tables_its_storage_has(
    dagster_home: Path,
) -> None:
    asked: list[str] = []

    def ask(_session: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    with dg.DagsterInstance.from_config(str(dagster_home)) as instance:
        storage = instance.event_log_storage
        sqlalchemy.event.listen(sqlalchemy.Engine, "before_cursor_execute", ask)
        try:
            with kept_sessions(instance):
                instance.get_latest_materialization_event(dg.AssetKey("sql_dump"))
                first, asked[:] = "".join(asked), []
                instance.get_latest_materialization_event(dg.AssetKey("sql_dump"))
                assert "pg_catalog" in first
                assert asked
                assert "pg_catalog" not in "".join(asked)
            assert "has_asset_key_col" not in vars(storage)
        finally:
            sqlalchemy.event.remove(sqlalchemy.Engine, "before_cursor_execute", ask)


def test_no_statement_of_a_run_waits_for_the_disk(dagster_home: Path, tmp_path: Path) -> None:
    """Neither with a server nor with files, of which a run's new one is written ahead at once."""
    with dg.DagsterInstance.from_config(str(dagster_home)) as served, kept_sessions(served):
        storage: Any = served.event_log_storage
        with storage.index_connection() as session:
            assert session.exec_driver_sql("SHOW synchronous_commit").scalar() == "off"
    with dg.DagsterInstance.local_temp(str(tmp_path)) as filed, kept_sessions(filed):
        storage = filed.event_log_storage
        for _ in ("made", "kept"):
            with storage.run_connection("a new one") as session:
                assert session.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
                assert session.exec_driver_sql("PRAGMA synchronous").scalar() == 1


def test_a_run_of_the_command_line_keeps_the_files_of_its_storage_open_and_closes_them(
    tmp_path: Path,
) -> None:
    opened: list[object] = []
    key = dg.AssetKey("sql_dump")

    def note(*_: object) -> None:
        opened.append(_)

    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance, kept_sessions(instance):
        for description in ("first", "second"):
            instance.report_runless_asset_event(dg.AssetMaterialization(key, description))
            assert instance.get_runs_count() == 0
        sqlalchemy.event.listen(sqlalchemy.pool.Pool, "connect", note)
        try:
            instance.report_runless_asset_event(dg.AssetMaterialization(key, "third"))
            assert instance.get_runs_count() == 0
            assert not opened
        finally:
            sqlalchemy.event.remove(sqlalchemy.pool.Pool, "connect", note)
        with dg.DagsterInstance.local_temp(str(tmp_path)) as other:
            told = other.fetch_materializations(key, limit=9).records
    events = [one.asset_materialization for one in told]
    assert [one.description for one in events if one] == ["third", "second", "first"]
    files = [Path(one.path) for one in psutil.Process().open_files()]
    assert not [one for one in files if one.is_relative_to(tmp_path)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_cancelled_run_ends_with_its_pg_dump_and_moves_nothing(
    pipeline: Pipeline,
    dagster_home: Path,
    fake_tool: FakeTool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: signal.Signals,
) -> None:
    pipeline.first_night()
    pipeline.change()
    before = pipeline.picture()
    started = tmp_path / "started"
    fake_tool("pg_dump", f"{TELLS_ITS_VERSION}; echo $$ > {started}; sleep 600")
    for name, value in pipeline.variables.items():
        monkeypatch.setenv(name, value)
    run = forks().start([*EXECUTE, "nightly_dump"], ROOT, os.environ)
    try:
        _wait_for(started, run)
        run.send_signal(number)
    finally:
        output = run.communicate(timeout=SECONDS_TO_END)
    assert run.returncode not in (0, -signal.SIGKILL), output
    assert not settled(lambda: psutil.pid_exists(int(started.read_text())))
    assert pipeline.picture() == before
    with dg.DagsterInstance.from_config(str(dagster_home)) as instance:
        (stored,) = instance.get_runs()
        assert stored.status in (dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)


@pytest.mark.server
def test_the_workspace_loads_the_project_where_it_is_not_installed(tmp_path: Path) -> None:
    """A Python that finds every dependency and no ppr_assets but the one in the working folder."""
    copy, python = tmp_path / "copy", tmp_path / "python"
    ignore = shutil.ignore_patterns("*.pyc.*")  # what is compiled, but for what is just written
    shutil.copytree(ROOT / "ppr_assets", copy / "ppr_assets", ignore=ignore)
    shutil.copy(ROOT / "workspace.yaml", copy)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(python)], check=True)
    loaded = tmp_path / "loaded"
    with (copy / "ppr_assets" / "definitions.py").open("a", encoding="utf-8") as module:
        module.write(f"\nfrom pathlib import Path\nPath({str(loaded)!r}).write_text(__file__)\n")
    # A folder on PYTHONPATH is searched, but its .pth files, editable installations, are not read.
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PYTHONPATH": sysconfig.get_path("purelib"),
        "DAGSTER_HOME": str(tmp_path),
        "DAGSTER_DISABLE_TELEMETRY": "1",
    }
    elsewhere = subprocess.run(
        [python / "bin" / "python", "-c", "import ppr_assets"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        check=False,
    )
    assert b"No module named 'ppr_assets'" in elsewhere.stderr
    validated = subprocess.run(
        [python / "bin" / "python", "-m", "dagster", "definitions", "validate"],
        cwd=copy,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert validated.returncode == 0, validated.stdout + validated.stderr
    assert "Validation successful for code location ppr_assets" in (
        validated.stdout + validated.stderr
    )
    assert loaded.read_text() == str(copy / "ppr_assets" / "definitions.py")


@pytest.mark.server
def test_dg_finds_the_project_and_its_definitions(tmp_path: Path) -> None:
    """By the name in pyproject.toml."""
    dg_program = Path(sys.executable).with_name("dg")
    checked = subprocess.run(
        [dg_program, "check", "defs"],
        cwd=ROOT,
        env={
            "PATH": f"{dg_program.parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(tmp_path),
            "VIRTUAL_ENV": str(dg_program.parents[1]),
            "DAGSTER_HOME": str(tmp_path),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "All definitions loaded successfully" in checked.stdout + checked.stderr


def _wait_for(file: Path, run: Fork) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while not (file.exists() and file.read_text().strip()):
        assert run.poll() is None, "it ended by itself"
        assert time.monotonic() < deadline, "pg_dump was never started"
        time.sleep(0.05)
