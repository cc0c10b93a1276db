"""Jobs ``restore`` and ``restore_drill``, run whole: where a dump goes, and what is left alone."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest
from psycopg import sql

from ppr_assets.settings import DatabaseSettings
from ppr_assets_tests.application import administered, connect
from ppr_assets_tests.fix_git import commit_files, git
from ppr_assets_tests.fix_pipeline import Pipeline, settled
from ppr_assets_tests.fix_runs import Runs, checks_of, failure_of, steps_of
from ppr_assets_tests.fix_tools import FakeTool
from ppr_assets_tests.forked import EXECUTE, Fork, forks
from ppr_assets_tests.places import ROOT

SECONDS_TO_START = 240
SECONDS_TO_END = 120


class World:
    """Databases around the pipeline's own: which there are, and who is in them."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        self.name = pipeline.settings.database.dbname
        self.database = pipeline.settings.database

    def ask(self, query: sql.SQL | sql.Composed, *values: object) -> list[object]:
        with administered(self.database) as session:
            return [row[0] for row in session.execute(query, values or None)]

    def execute(self, statement: str, name: str) -> None:
        with administered(self.database) as session:
            session.execute(sql.SQL(statement).format(sql.Identifier(name)))

    def beside(self) -> list[str]:
        """What follows the database's name in those of its neighbours."""
        query = sql.SQL("SELECT datname::text FROM pg_database ORDER BY 1")
        names = [str(name) for name in self.ask(query)]
        return [n.removeprefix(self.name) for n in names if n.startswith(f"{self.name}_")]

    def identity(self) -> object:
        """Another number is another database of the same name."""
        query = sql.SQL("SELECT oid FROM pg_database WHERE datname = %s")
        return self.ask(query, self.name)

    def called(self, suffix: str) -> DatabaseSettings:
        return replace(self.pipeline.settings.database, dbname=f"{self.name}{suffix}")


@pytest.fixture
def world(pipeline: Pipeline) -> Iterator[World]:
    """One night is published, and the role may make databases."""
    world = World(pipeline)
    role = pipeline.settings.database.user
    world.execute("ALTER ROLE {} CREATEDB", role)
    pipeline.gate(proof="off")
    pipeline.first_night()
    yield world
    for suffix in world.beside():
        world.execute("DROP DATABASE {} WITH (FORCE)", f"{world.name}{suffix}")
    world.execute("ALTER ROLE {} NOCREATEDB", role)


def rows(database: DatabaseSettings, table: str) -> int:
    with connect(database) as session:
        query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))
        (count,) = session.execute(query).fetchone() or (-1,)
        return int(count)


def changed_by_somebody(
    pipeline: Pipeline, change: Callable[[bytes], bytes], *, describe: bool = False
) -> None:
    """Somebody commits another content of the latest dump, with a manifest that fits it or not."""
    other = pipeline.clone_again(f"other-{time.monotonic_ns()}")
    dump = other / "sql_dumps" / pipeline.latest()
    content = change(dump.read_bytes())
    dump.write_bytes(content)
    if describe:
        file = dump.with_suffix(".json")
        told = json.loads(file.read_text())
        told |= {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        file.write_text(json.dumps(told))
    git(other, "commit", "-q", "-a", "-m", "Tidy up")
    git(other, "push", "-q", "origin", "main")


def test_a_restore_without_config_fills_a_database_of_its_own(runs: Runs, world: World) -> None:
    pipeline = runs.pipeline
    identity, picture = world.identity(), pipeline.picture()
    organizations = pipeline.count("organization")
    with connect(pipeline.settings.database) as user:
        user.execute("DELETE FROM url")
        user.commit()
        run = runs.job("restore")
    assert run.success
    assert steps_of(run) == ["restored_database"]
    assert checks_of(run) == {"rows_match": True}
    assert world.beside() == ["_restored"]
    assert rows(world.called("_restored"), "organization") == organizations
    assert rows(world.called("_restored"), "url") > 0
    assert (world.identity(), pipeline.count("url")) == (identity, 0)
    assert pipeline.picture() == picture

    manifest = json.loads((pipeline.dumps / pipeline.latest()).with_suffix(".json").read_text())
    facts = runs.metadata("restored_database")
    assert facts["database"] == f"{world.name}_restored"
    assert facts["former_database"] == "none"
    assert (facts["dump"], facts["commit"]) == (pipeline.latest(), pipeline.head())
    assert (facts["bytes"], facts["sha256"]) == (manifest["bytes"], manifest["sha256"])
    assert facts["rows"] == sum(table["rows"] for table in manifest["tables"].values())
    assert runs.data_version("restored_database") == manifest["sha256"]
    stages = {name for name in facts if name.startswith("seconds/")}
    assert stages == {f"seconds/{s}" for s in ("fetch", "verify", "load", "compare", "swap")}
    assert 0 < sum(facts[stage] for stage in stages) <= facts["seconds"] + 0.01
    table = runs.materialized("restored_database").metadata["tables"]
    assert isinstance(table, dg.TableMetadataValue)
    assert {record.data["table"]: record.data["sha256"] for record in table.records} == {
        name: record["sha256"] for name, record in manifest["tables"].items()
    }
    assert {record.data["equals"] for record in table.records} == {"manifest"}

    assert runs.job("restore", restore={"dump": pipeline.latest()}).success
    former = runs.metadata("restored_database")["former_database"]
    assert world.beside() == ["_restored", former.removeprefix(world.name)]


def test_a_database_in_use_is_replaced_only_by_name_and_only_by_disconnecting(
    runs: Runs, world: World
) -> None:
    identity = world.identity()
    organizations = runs.pipeline.count("organization")
    runs.pipeline.lose_a_third()
    named = {"target": world.name}
    with connect(runs.pipeline.settings.database, autocommit=True) as user:
        user.execute("SET application_name = 'the map'")
        run = runs.job("restore", restore=named)
        failed = failure_of(run)
        assert (failed["error"], failed["exit_code"]) == ("Busy", 7)
        who = f"session {user.info.backend_pid} of {user.info.user} (the map)"
        assert f"busy: database {world.name} is in use: {who}" in failed["text"]
        assert checks_of(run) == {}
        assert (world.identity(), world.beside()) == (identity, [])

        assert runs.job("restore", restore=named | {"disconnect": True, "by": "Ann Lee"}).success
    facts = runs.metadata("restored_database")
    assert facts["database"] == world.name
    assert world.identity() != identity
    assert runs.pipeline.count("organization") == organizations
    assert world.beside() == [facts["former_database"].removeprefix(world.name)]
    former = world.called(world.beside()[0])
    assert rows(former, "organization") == organizations - organizations // 3
    told = sql.SQL("SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname=%s")
    (comment,) = world.ask(told, former.dbname)
    assert str(comment).endswith(
        f" UTC: `{runs.pipeline.latest()}` was restored in its place by Ann Lee"
    )


def test_a_dump_without_rows_replaces_nothing_but_by_an_override_that_the_run_tells(
    runs: Runs, world: World
) -> None:
    pipeline, name = runs.pipeline, "pantry_pirate_radio_2026-01-02_02-00-00.sql"
    text = (pipeline.dumps / pipeline.latest()).read_text()
    hollow = re.sub(r"( FROM stdin;\n).*?(^\\\.$)", r"\1\2", text, flags=re.DOTALL | re.MULTILINE)
    commit_files(pipeline.clone, "Tidy up", {f"sql_dumps/{name}": hollow})
    identity, wanted = world.identity(), {"target": world.name, "dump": name, "disconnect": True}
    failed = failure_of(runs.job("restore", restore=wanted))
    assert (failed["error"], failed["exit_code"]) == ("GateRefused", 3)
    assert "the restore would take records away: organization would have 0 records" in str(failed)
    assert (world.identity(), world.beside()) == (identity, [])

    run = runs.job("restore", restore=wanted | {"override": "the county left", "by": "Ann Lee"})
    assert run.success
    stored = runs.instance.get_run_by_id(run.run_id)
    assert stored is not None
    assert stored.tags["ppr_assets/override"] == "Launchpad: the county left"
    assert world.identity() != identity and len(world.beside()) == 1


def test_while_testing_the_serving_database_cannot_be_named(runs: Runs, world: World) -> None:
    runs.pipeline.settings = replace(runs.pipeline.settings, testing=True)
    identity = world.identity()
    assert runs.job("restore", restore={"target": world.name, "disconnect": True}).success
    assert (world.identity(), world.beside()) == (identity, ["_test"])


@pytest.mark.parametrize(
    ("given", "error", "code", "said"),
    [
        ({"dump": "/etc/hosts"}, "SettingsError", 2, "`dump` is `/etc/hosts`, must be the name"),
        ({"dump": "tuesday"}, "DumpMissing", 6, "there is no dump `tuesday` in commit"),
        ({"deadline_seconds": 0.01}, "RestoreFailed", 1, "not done within the deadline of 0.01 s"),
    ],
)
def test_what_cannot_be_restored_makes_no_database(
    runs: Runs, world: World, given: dict[str, object], error: str, code: int, said: str
) -> None:
    failed = failure_of(runs.job("restore", restore=given))
    assert (failed["error"], failed["exit_code"]) == (error, code)
    assert failed["text"].startswith(said)
    assert world.beside() == []


def test_a_drill_begins_with_a_fresh_clone_and_leaves_nothing(
    runs: Runs, world: World, fake_tool: FakeTool, tmp_path: Path
) -> None:
    pipeline = runs.pipeline
    head, latest = pipeline.head(), pipeline.latest()
    shutil.rmtree(pipeline.clone)
    calls = tmp_path / "calls"
    fake_tool("git", f'echo "$@" >> {calls}; exec {shutil.which("git")} "$@"')
    run = runs.job("restore_drill")
    (cloned,) = [call for call in calls.read_text().splitlines() if " clone " in f" {call} "]
    assert f" -- {pipeline.remote.as_uri()} " in cloned
    assert run.success
    assert steps_of(run) == ["drill"]
    assert checks_of(run) == {"rows_match": True}
    assert not pipeline.clone.exists()
    assert (world.beside(), settled(pipeline.children)) == ([], [])
    facts = runs.metadata("drill")
    assert (facts["dump"], facts["commit"]) == (latest, head)
    assert facts["proof"].startswith("server, PostgreSQL ")
    assert facts["seconds"] > facts["seconds/fetch"] > 0.01
    assert facts["rows"] > pipeline.count("organization")


def test_a_dump_that_the_remote_has_otherwise_fails_the_drill(runs: Runs, world: World) -> None:
    pipeline = runs.pipeline
    pipeline.repo(url=None)  # the clone's own origin is asked then
    picture = pipeline.picture()
    changed_by_somebody(pipeline, lambda dump: dump.replace(b"Food", b"Fool", 1))
    run = runs.job("restore_drill")
    failed = failure_of(run)
    assert (failed["step"], failed["error"], failed["exit_code"]) == ("drill", "DumpDamaged", 4)
    (check,) = run.get_asset_check_evaluations()
    assert (check.check_name, check.passed) == ("rows_match", False)
    assert "is not what its manifest says: its SHA-256 is" in str(check.description)
    assert runs.instance.get_latest_materialization_event(dg.AssetKey("drill")) is None
    assert pipeline.picture() | {"remote": None} == picture | {"remote": None}
    assert world.beside() == []


@pytest.mark.parametrize("job", ["restore", "restore_drill"])
def test_a_dump_that_restores_to_something_else_is_told_by_what_differs(
    runs: Runs, world: World, job: str
) -> None:
    """What goes is what no constraint leads to, since those are made beside it."""
    pipeline = runs.pipeline
    languages, identity = pipeline.count("language"), world.identity()
    last = b"--\n-- Name: places_by_state; Type: MATERIALIZED VIEW DATA"
    changed_by_somebody(
        pipeline,
        lambda dump: dump.replace(last, b"DELETE FROM public.language;\n\n\n" + last),
        describe=True,
    )
    run = runs.job(job, **({"restore": {"target": world.name}} if job == "restore" else {}))
    failed = failure_of(run)
    assert (failed["error"], failed["exit_code"]) == ("DumpUnproven", 4)
    (check,) = run.get_asset_check_evaluations()
    assert (check.check_name, check.passed) == ("rows_match", False)
    assert str(check.description).startswith("the restored database is not what")
    assert f"table language has 0 rows, the dump has {languages}" in str(check.description)
    assert failed["text"].startswith(str(check.description))
    assert (world.identity(), world.beside()) == (identity, [])
    assert pipeline.count("language") == languages


def test_what_the_launchpad_accepts_is_a_warning_with_the_differences_and_the_reason(
    runs: Runs, world: World
) -> None:
    end = b"--\n-- PostgreSQL database dump complete"
    lost = b"DROP INDEX public.location_organization_id_idx;\n\n\n"
    changed_by_somebody(runs.pipeline, lambda dump: dump.replace(end, lost + end), describe=True)
    run = runs.job(
        "restore", restore={"accept_differences": "it is made anew tomorrow", "by": "Ann Lee"}
    )
    assert run.success
    (check,) = run.get_asset_check_evaluations()
    assert (check.check_name, check.passed) == ("rows_match", False)
    assert check.severity is dg.AssetCheckSeverity.WARN
    told = "index location_organization_id_idx is missing"
    assert check.description == f"accepted: {told}"
    facts = runs.metadata("restored_database")
    assert facts["accepted_because"] == "Ann Lee, Launchpad: it is made anew tomorrow"
    assert facts["accepted_differences"] == f"- {told}"


def test_without_a_remote_a_drill_says_what_is_missing(runs: Runs, world: World) -> None:
    git(runs.pipeline.clone, "remote", "remove", "origin")
    runs.pipeline.repo(url=None)
    failed = failure_of(runs.job("restore_drill"))
    assert (failed["error"], failed["exit_code"]) == ("DataRepoError", 6)
    assert "has no remote to take a dump from" in failed["text"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
def test_a_cancelled_restore_leaves_nothing_that_the_next_run_does_not_remove(
    runs: Runs,
    world: World,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: signal.Signals,
) -> None:
    """A view that is never ready anywhere but at home holds the restore up."""
    pipeline = runs.pipeline
    pipeline.execute(
        "CREATE MATERIALIZED VIEW slow AS SELECT 1 AS one FROM "
        f"pg_sleep(CASE current_database() WHEN '{world.name}' THEN 0 ELSE 600 END)"
    )
    pipeline.night()
    identity = world.identity()
    home = tmp_path / "home"
    home.mkdir()
    for name, value in (pipeline.variables | {"DAGSTER_HOME": str(home)}).items():
        monkeypatch.setenv(name, value)
    run = forks().start([*EXECUTE, "restore"], ROOT, os.environ)
    try:
        wait_for_the_view(world, run)
        run.send_signal(number)
    finally:
        output = run.communicate(timeout=SECONDS_TO_END)
    assert run.returncode, output
    assert (number == signal.SIGKILL) is (run.returncode == -signal.SIGKILL), output
    assert settled(pipeline.children) == []
    if number == signal.SIGTERM:
        assert world.beside() == []
    assert world.identity() == identity

    pipeline.execute("DROP MATERIALIZED VIEW slow")
    pipeline.night()
    assert runs.job("restore").success
    assert world.beside() == ["_restored"]


def wait_for_the_view(world: World, run: Fork) -> None:
    waiting = sql.SQL(
        "SELECT pid FROM pg_stat_activity WHERE datname LIKE %s AND wait_event = 'PgSleep'"
    )
    deadline = time.monotonic() + SECONDS_TO_START
    while not world.ask(waiting, f"{world.name}%"):
        assert run.poll() is None, "it ended by itself"
        assert time.monotonic() < deadline, "the view was never refreshed"
        time.sleep(0.05)
