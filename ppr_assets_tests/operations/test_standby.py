"""A dump of a standby: without what a standby does not have, and beside one of its primary."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from ppr_assets.deadline import Deadline
from ppr_assets.demo.sample import fill
from ppr_assets.errors import DatabaseFailed, PprError, PreconditionFailed
from ppr_assets.operations.audit.selection import Scope
from ppr_assets.operations.audit.walk import audit
from ppr_assets.operations.doctor import preconditions
from ppr_assets.operations.restoring.restore import restore
from ppr_assets.operations.sources.wanted import FoundDump
from ppr_assets.operations.status import status
from ppr_assets.postgres import embedded
from ppr_assets.postgres.snapshot.snapshot import open_snapshot
from ppr_assets.rules.recorded.manifest import Manifest
from ppr_assets.settings import DatabaseSettings
from ppr_assets_tests.application import connect
from ppr_assets_tests.fix_git import git
from ppr_assets_tests.fix_pipeline import Pipeline
from ppr_assets_tests.fix_postgres import passable_folder
from ppr_assets_tests.opened import dump

UNLOGGED = "CREATE UNLOGGED TABLE page_cache (id int GENERATED ALWAYS AS IDENTITY, body text)"


@dataclass(frozen=True)
class Pair:
    """A primary and the standby that follows it."""

    primary: DatabaseSettings
    standby: DatabaseSettings

    def change(self, statement: str) -> None:
        """On the primary, and wait until the standby has it."""
        with connect(self.primary, autocommit=True) as one, connect(self.standby) as other:
            one.execute(statement.encode())
            other.autocommit = True
            row = one.execute("SELECT pg_current_wal_insert_lsn()").fetchone()
            reached = "SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn"
            deadline = time.monotonic() + 60
            while other.execute(reached, row).fetchone() != (True,):
                assert time.monotonic() < deadline, "the standby does not follow"
                time.sleep(0.02)


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    """Streaming, on servers of their own."""
    folder = passable_folder()
    primary, standby = folder / "primary", folder / "standby"
    server = embedded.start(primary)
    server.create_database("served", owner=server.superuser)
    served = server.database_settings("served")
    fill(served, organizations=200, seed=1, published_only=True)
    with connect(served, autocommit=True) as session:
        session.execute(UNLOGGED)
        session.execute("INSERT INTO page_cache (body) VALUES ('x'), ('y')")
    server.stop()
    owner = primary.stat()
    shutil.copytree(primary, standby)
    with (standby / "postgresql.auto.conf").open("a") as file:
        file.write(f"primary_conninfo = 'host={primary} user=postgres'\n")
    (standby / "standby.signal").touch()
    for path in [standby, *standby.rglob("*")]:
        os.chown(path, owner.st_uid, owner.st_gid)
    embedded.start(primary)
    follower = embedded.start(standby)
    yield Pair(served, follower.database_settings("served"))
    for one in (standby, primary):
        embedded.stop(one)
    shutil.rmtree(folder)


def test_a_standby_is_dumped_without_the_rows_that_only_its_primary_has(
    pipeline: Pipeline, pair: Pair, tmp_path: Path
) -> None:
    pipeline.settings = replace(pipeline.settings, database=pair.standby)
    pipeline.gate(proof="server")
    dumped, published = pipeline.night()

    assert published.status == "published"
    assert dumped.manifest is not None
    assert dumped.manifest.without_rows == ("page_cache",)
    assert "page_cache" not in dumped.manifest.tables
    assert dumped.manifest.proof is not None
    assert dumped.manifest.proof.where == "embedded"
    text = git(pipeline.clone, "show", f"main:sql_dumps/{dumped.manifest.dump}"[:-4] + ".json")
    assert Manifest.from_json(text) == dumped.manifest
    found = FoundDump(
        dumped.manifest.dump,
        pipeline.dumps / dumped.manifest.dump,
        dumped.manifest,
        None,
        tmp_path,
    )
    back = replace(pair.primary, dbname="back")
    outcome = restore(back, found, deadline=Deadline(60))
    assert any(remark.endswith("unlogged tables: page_cache") for remark in outcome.remarks)
    with connect(back) as session:
        assert session.execute("SELECT count(*) FROM page_cache").fetchone() == (0,)


def test_status_and_doctor_work_on_a_standby(pipeline: Pipeline, pair: Pair) -> None:
    pipeline.settings = replace(pipeline.settings, database=pair.standby)
    pipeline.gate(proof="off")
    found = status(pipeline.settings)
    assert found.errors == ()
    assert found.counts is not None
    assert found.counts["organization"] == 200
    findings = {one.what: one for one in preconditions(pipeline.settings)}
    assert [one for one in findings.values() if one.error] == []
    assert findings["database"].detail.endswith(", a standby")
    assert findings["tables"].detail.endswith("without rows on a standby: page_cache")


def test_who_is_in_the_way_of_the_primary_hears_what_to_set(pair: Pair) -> None:
    with connect(replace(pair.standby, dbname="postgres"), autocommit=True) as session:
        session.execute("ALTER SYSTEM SET max_standby_streaming_delay TO 0")
        session.execute("SELECT pg_reload_conf()")
    try:
        with pytest.raises(DatabaseFailed, match="conflict with recovery") as refused:
            _read_while_rows_are_removed(pair)
    finally:
        with connect(replace(pair.standby, dbname="postgres"), autocommit=True) as session:
            session.execute("ALTER SYSTEM RESET max_standby_streaming_delay")
            session.execute("SELECT pg_reload_conf()")
    assert "hot_standby_feedback = on" in refused.value.hint


def _read_while_rows_are_removed(pair: Pair) -> None:
    with open_snapshot(pair.standby, exclusive=False, lock_seconds=5) as snapshot:
        pair.change("UPDATE language SET note = 'removed'")
        pair.change("VACUUM language")
        snapshot.require_open()


def test_a_core_table_that_a_standby_has_no_rows_of_is_named(
    pipeline: Pipeline, pair: Pair
) -> None:
    pair.change("CREATE DATABASE bare")
    bare = Pair(replace(pair.primary, dbname="bare"), replace(pair.standby, dbname="bare"))
    for table in ("organization", "location"):
        bare.change(f"CREATE TABLE {table} (id int)")
    bare.change("CREATE UNLOGGED TABLE service (id int)")
    pipeline.settings = replace(pipeline.settings, database=bare.standby)
    with pytest.raises(PreconditionFailed, match=r"^service cannot be read on a standby: unlogged"):
        dump(pipeline.settings)


def test_a_primary_and_its_standby_publish_at_the_same_time(pipeline: Pipeline, pair: Pair) -> None:
    """No lock of a server keeps the two apart: the data repository does."""
    here = pipeline
    here.settings = replace(here.settings, database=pair.primary)
    there = here.elsewhere(here.clone_again("there"))
    there.settings = replace(there.settings, database=pair.standby)
    failures: list[PprError] = []

    def publish(one: Pipeline) -> None:
        try:
            one.night()
        except PprError as error:
            failures.append(error)

    for number in range(2):
        pair.change(f"UPDATE language SET note = 'of night {number}'")
        nights = [threading.Thread(target=publish, args=[one]) for one in (here, there)]
        for night in nights:
            night.start()
        for night in nights:
            night.join()
        assert len(failures) <= number + 1
    # Outrun in the very same second, or by a later one.
    assert all(" published" in failure.message for failure in failures), failures
    for one in (here, there):
        one.night()  # what was left for the next one
    assert git(here.remote, "fsck", "--no-dangling") == ""
    named = {git(here.remote, "show", "main:sql_dumps/latest.sql")}
    tree = git(here.remote, "ls-tree", "--name-only", "main:sql_dumps").split()
    assert named <= set(tree)
    git(there.clone, "pull", "-q", "--ff-only")
    audited = list(audit(there.settings.data_repo, Scope(every=True)))
    assert [finding for one in audited for finding in one.findings] == []
