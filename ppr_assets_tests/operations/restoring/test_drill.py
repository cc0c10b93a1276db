"""A drill proves that a dump restores, wherever it may, and leaves nothing behind."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from msgspec.structs import replace

from ppr_assets.deadline import Deadline
from ppr_assets.errors import Busy, DumpDamaged, DumpUnproven
from ppr_assets.operations.restoring.drill import DrillOutcome, drill
from ppr_assets.operations.restoring.proof_server import ProofPlace
from ppr_assets.operations.sources.shelf import found_dump
from ppr_assets.operations.sources.wanted import FoundDump, Wanted
from ppr_assets.postgres.databases.maintenance import maintenance
from ppr_assets_tests.fix_git import commit_files
from ppr_assets_tests.fix_pipeline import Pipeline, listing, settled
from ppr_assets_tests.fix_postgres import SampleDatabase
from ppr_assets_tests.fix_restore import (
    EXTENSION,
    RESTORER,
    MadeDump,
    Target,
    forge,
    with_entry,
)

WORDED = b"""--
-- Name: worded; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.worded (
    kind character varying(9),
    CHECK (((kind)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[])))
);


"""
"""A definition that PostgreSQL words anew when it reads its own dump."""

A_DRILL = """
import sys
from ppr_assets.deadline import Deadline
from ppr_assets.operations.restoring.drill import drill
from ppr_assets.operations.restoring.proof_server import ProofPlace
from ppr_assets.operations.sources.shelf import found_dump
from ppr_assets.operations.sources.wanted import Wanted
from ppr_assets.settings import Settings

settings = Settings.from_environment(dotenv=None)
with found_dump(settings.data_repo, Wanted()) as found:
    drill(ProofPlace.of(settings, where=sys.argv[1]), found, deadline=Deadline(60))
"""


def run(target: Target, found: FoundDump, where: str = "server") -> DrillOutcome:
    return drill(ProofPlace(target.settings, where), found, deadline=Deadline(60))


def _servers_below(folder: Path) -> list[int]:
    """The processes of servers that work in a folder below this one."""
    return [
        process.pid
        for process in psutil.process_iter(["name", "cwd"])
        if process.info["name"] == "postgres" and str(process.info["cwd"]).startswith(str(folder))
    ]


def test_a_drill_on_the_server_leaves_the_target_and_nothing_else(
    target: Target, old_dump: MadeDump, new_dump: MadeDump, tmp_path: Path
) -> None:
    databases = target.databases()
    outcome = run(target, new_dump.found(tmp_path))
    assert outcome.proof.where == "server"
    assert outcome.proof.server_version.startswith("18.")
    assert outcome.proof.seconds == pytest.approx(sum(outcome.seconds.values()), abs=0.01)
    assert outcome.tables == new_dump.manifest.tables
    assert outcome.rows == sum(new_dump.manifest.rows.values())
    assert target.databases() == databases
    assert target.content() == old_dump.content
    assert settled(target.sessions) == []
    assert listing(tmp_path) == []


def test_definitions_are_compared_with_what_was_tried_and_not_made_a_third_time(
    target: Target, new_dump: MadeDump, tmp_path: Path
) -> None:
    dump = forge(new_dump, tmp_path, lambda sql: with_entry(sql, WORDED))
    before = set(target.databases())
    made: set[tuple[str, int]] = set()
    with ThreadPoolExecutor(1) as threads:
        drilled = threads.submit(run, target, dump.found(tmp_path))
        while not drilled.done():
            made |= set(target.databases()) - before
    assert any("have other words than in the dump" in one for one in drilled.result().remarks)
    assert len(made) == 2  # one to try it in, one to restore


@pytest.mark.parametrize("where", ["server", "embedded"])
def test_a_role_that_may_not_make_databases_drills_on_an_embedded_server(
    where: str, sample_database: SampleDatabase, new_dump: MadeDump, tmp_path: Path
) -> None:
    target = Target(sample_database(60, 2))
    databases = target.databases()
    outcome = run(target, new_dump.found(tmp_path), where)
    assert outcome.proof.where == "embedded"
    assert outcome.tables == new_dump.manifest.tables
    assert target.databases() == databases
    assert listing(tmp_path / "drill") == []
    assert settled(lambda: _servers_below(tmp_path)) == []


def test_an_extension_that_no_server_has_leaves_the_dump_unproven(
    target: Target, new_dump: MadeDump, tmp_path: Path
) -> None:
    needy = forge(new_dump, tmp_path, lambda sql: with_entry(sql, EXTENSION))
    with pytest.raises(DumpUnproven, match="it needs the extension nowhere, which the e") as failed:
        run(target, needy.found(tmp_path), "embedded")
    assert failed.value.exit_code == 4
    assert "SQL_DUMP_PROOF=server" in failed.value.hint
    words = "was not restored: this server lacks the extension nowhere that the dump needs"
    with pytest.raises(DumpUnproven, match=words) as failed:
        run(target, needy.found(tmp_path), "server")
    assert failed.value.exit_code == 4
    assert "install it" in failed.value.hint
    assert target.beside() == []
    assert listing(tmp_path / "drill") == []
    assert settled(lambda: _servers_below(tmp_path)) == []


@pytest.mark.parametrize(
    ("wrong", "words"),
    [  # `+1` is a number, and comes back as `1`
        (b"\t+1\t{", "is not what `.*` says: table record_version has other rows than the dump"),
        (b"\tx\t{", "^`.*` did not restore: .*record_version could not be restored: invalid input"),
    ],
)
def test_a_dump_that_does_not_restore_to_what_it_says_is_unproven(
    wrong: bytes, words: str, target: Target, new_dump: MadeDump, tmp_path: Path
) -> None:
    databases = target.databases()
    made = forge(new_dump, tmp_path, lambda sql: sql.replace(b"\t1\t{", wrong, 1))
    with pytest.raises(DumpUnproven, match=words) as failed:
        run(target, made.found(tmp_path))
    assert failed.value.exit_code == 4
    assert failed.value.hint == (
        "the scratch database was dropped, nothing was replaced. Drill another dump (`ppr-assets "
        "list` names them), and take a new one of what the database holds now: `ppr-assets dump`."
        if "is not what" in words
        else "nothing was published or replaced. If the server is well, the dump is to blame: "
        "look at what the message names."
    )
    assert target.databases() == databases
    assert settled(target.sessions) == []


def test_a_damaged_dump_is_not_drilled(target: Target, new_dump: MadeDump, tmp_path: Path) -> None:
    path = tmp_path / new_dump.path.name
    path.write_bytes(new_dump.sql[:-200])
    databases = target.databases()
    for where in ("server", "embedded"):
        with pytest.raises(DumpDamaged):
            run(target, replace(new_dump.found(tmp_path), path=path), where)
    assert target.databases() == databases
    assert listing(tmp_path) == [path.name]


def test_of_two_drills_at_once_one_is_told_to_wait(
    target: Target, new_dump: MadeDump, tmp_path: Path
) -> None:
    """A restore of the database itself may go on meanwhile."""
    name = target.settings.dbname
    with (
        maintenance(dataclasses.replace(target.settings, dbname=f"{name}_drill")),
        pytest.raises(Busy, match=rf"is restoring database {name}_drill"),
    ):
        run(target, new_dump.found(tmp_path))
    with maintenance(target.settings):
        run(target, new_dump.found(tmp_path))


@pytest.mark.parametrize("where", ["server", "embedded"])
def test_what_a_killed_drill_leaves_is_gone_after_the_next_one(
    where: str,
    pipeline: Pipeline,
    target: Target,
    new_dump: MadeDump,
    temporary_folder: Path,
) -> None:
    files: dict[str, str | None] = {
        f"sql_dumps/{new_dump.path.name}": new_dump.sql.decode(),
        f"sql_dumps/{new_dump.path.stem}.json": new_dump.manifest.to_json(),
    }
    commit_files(pipeline.clone, "A dump", files)
    working = pipeline.clone / ".git" / "ppr_assets" / "restoring"
    databases = target.databases()
    variables = {"POSTGRES_USER": RESTORER, "POSTGRES_DB": target.settings.dbname}

    def half_made() -> bool:
        if where == "server":
            return any("_drill_restoring_" in (name or "") for name, _ in target.sessions())
        return any(working.glob("*/drill/*/postgres/postmaster.pid"))

    def left_half_made() -> bool:
        if where == "server":
            return any("_drill_restoring_" in name for name in target.beside())
        return half_made()

    while not left_half_made():  # again if it was done before it was killed
        with subprocess.Popen(
            [sys.executable, "-c", A_DRILL, where], env=os.environ | pipeline.variables | variables
        ) as process:
            while not half_made() and process.poll() is None:
                time.sleep(0.01)
            process.send_signal(signal.SIGKILL)
        assert process.returncode in (0, -signal.SIGKILL)
    if where == "server":  # which notices within seconds
        assert settled(target.locks) == 0
    with found_dump(pipeline.settings.data_repo, Wanted()) as found:
        outcome = run(target, found, where)
    assert outcome.tables == new_dump.manifest.tables
    assert target.databases() == databases
    assert listing(working) == []
    assert settled(lambda: _servers_below(working)) == []
    assert settled(pipeline.children) == []
