"""One dump: what its manifest says, what psql restores, and the same bytes for the same data."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ppr_assets.errors import Busy
from ppr_assets.postgres.embedded import EMBEDDED_BIN
from ppr_assets.postgres.sessions.libpq import client_environment
from ppr_assets.postgres.snapshot.snapshot import open_snapshot
from ppr_assets.settings import DatabaseSettings
from ppr_assets_tests.fix_pipeline import REAL_PG_DUMP, TELLS_ITS_VERSION, Pipeline, listing
from ppr_assets_tests.fix_tools import FakeTool
from ppr_assets_tests.opened import dump, publish

DISTURBANCES = [
    "VACUUM FULL",
    "UPDATE organization SET name = name",
    "CLUSTER location USING location_pkey; ALTER TABLE location SET WITHOUT CLUSTER",
    "ANALYZE",
    "REINDEX TABLE service",
    "CREATE TEMP TABLE copy AS SELECT * FROM language ORDER BY md5(id::text);"
    "DELETE FROM language; INSERT INTO language SELECT * FROM copy",
]


def _dump_bytes(pipeline: Pipeline) -> bytes:
    outcome = dump(pipeline.settings)
    assert outcome.path is not None
    return outcome.path.read_bytes()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_a_dump_is_what_its_manifest_says(pipeline: Pipeline) -> None:
    outcome = dump(pipeline.settings, run_id="a-run")
    manifest, path = outcome.manifest, outcome.path
    assert manifest is not None and path is not None
    data = path.read_bytes()
    assert manifest.bytes == len(data)
    assert manifest.sha256 == _sha256(data)
    assert manifest.rows == outcome.verdict.counts
    assert manifest.rows["organization"] == pipeline.count("organization")
    assert manifest.run_id == "a-run"
    assert manifest.database.name == pipeline.settings.database.dbname
    assert manifest.database.server_version.startswith("18")
    assert manifest.previous is None
    assert manifest.publication == pipeline.head()
    written = json.loads(path.with_suffix(".json").read_text())
    assert written["tables"]["organization"]["rows"] == pipeline.count("organization")
    assert written["sha256"] == manifest.sha256


def test_what_is_kept_is_on_the_disk_and_nothing_waits_for_what_has_not_changed(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_disk: list[tuple[int, int]] = []
    sync = os.fsync

    def noted(descriptor: int) -> None:
        sync(descriptor)
        facts = os.fstat(descriptor)
        on_disk.append((facts.st_ino, facts.st_size))

    monkeypatch.setattr(os, "fsync", noted)
    kept = dump(pipeline.settings)
    assert kept.path is not None and kept.manifest is not None
    assert (kept.path.stat().st_ino, kept.manifest.bytes) in on_disk
    publish(pipeline.settings)
    on_disk.clear()
    assert dump(pipeline.settings).status == "unchanged"
    assert kept.manifest.bytes not in {size for _, size in on_disk}


def test_a_dump_names_the_one_before_it(pipeline: Pipeline) -> None:
    _, first = pipeline.first_night()
    pipeline.change()
    _, second = pipeline.night()
    assert second.manifest.previous == first.manifest.dump
    assert second.manifest.publication == first.manifest.publication


def test_the_digest_of_a_tables_rows_can_be_recomputed_from_the_file(pipeline: Pipeline) -> None:
    outcome = dump(pipeline.settings)
    assert outcome.path is not None and outcome.manifest is not None
    block = outcome.path.read_bytes().split(b"\nCOPY public.organization (")[1]
    rows = block.split(b"FROM stdin;\n", 1)[1].split(b"\n\\.\n", 1)[0] + b"\n"
    assert outcome.manifest.tables["organization"].sha256 == _sha256(rows)
    lines = rows.splitlines(keepends=True)
    assert lines == sorted(lines)


def test_psql_restores_it_and_the_restored_database_gives_the_same_bytes(
    pipeline: Pipeline, empty_database: Callable[[], DatabaseSettings]
) -> None:
    before, published = pipeline.first_night()
    restored = empty_database()
    done = subprocess.run(
        [EMBEDDED_BIN / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", "latest.sql"],
        cwd=pipeline.dumps,
        env=client_environment(restored),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    pipeline.settings = replace(pipeline.settings, database=restored)
    again = dump(pipeline.settings)
    assert again.verdict.counts == before.verdict.counts
    assert again.verdict.counts["organization"] == 200
    assert again.status == "unchanged"
    assert again.manifest == published.manifest


def test_the_same_data_give_the_same_bytes_whatever_was_done_to_the_heap(
    pipeline: Pipeline,
) -> None:
    before = _sha256(_dump_bytes(pipeline))
    for disturbance in DISTURBANCES:
        pipeline.execute(disturbance)
        assert _sha256(_dump_bytes(pipeline)) == before, disturbance


def test_a_changed_row_changes_that_line_and_the_keys_alone(pipeline: Pipeline) -> None:
    before = _dump_bytes(pipeline).splitlines()
    pipeline.execute(
        "UPDATE language SET note = 'changed' WHERE id = (SELECT min(id) FROM language)"
    )
    after = _dump_bytes(pipeline).splitlines()
    was, is_now = set(before), set(after)
    gone = [line for line in before if line not in is_now]
    come = [line for line in after if line not in was]
    keys = [line.split()[0] for line in gone if b"restrict" in line]
    assert keys == [b"\\restrict", b"\\unrestrict"]
    assert len(gone) == len(come) == 3
    assert any(b"\tchanged" in line for line in come)


def test_unchanged_data_leave_no_file_and_name_the_dump_that_stands(pipeline: Pipeline) -> None:
    _, published = pipeline.first_night()
    before = pipeline.picture()
    outcome = dump(pipeline.settings)
    assert (outcome.status, outcome.path) == ("unchanged", None)
    assert outcome.manifest == published.manifest
    assert pipeline.picture() == before
    assert before["staged"] == []


def test_a_dump_that_waits_is_dropped_when_the_data_are_again_as_published(
    pipeline: Pipeline,
) -> None:
    _, published = pipeline.first_night()
    before = pipeline.picture()
    pipeline.execute("CREATE TABLE passing (a int)")
    assert dump(pipeline.settings).status == "staged"
    pipeline.execute("DROP TABLE passing")
    assert dump(pipeline.settings).status == "unchanged"
    assert publish(pipeline.settings).status == "unchanged"
    assert pipeline.picture() == before
    assert pipeline.latest() == published.manifest.dump


def test_a_newer_dump_takes_the_place_of_one_that_waits(pipeline: Pipeline) -> None:
    dump(pipeline.settings)
    pipeline.change()
    newer = dump(pipeline.settings)
    assert newer.path is not None
    assert listing(pipeline.staged) == [newer.path.with_suffix(".json").name, newer.path.name]


def test_a_second_dump_is_told_that_the_first_is_busy(pipeline: Pipeline) -> None:
    with (
        open_snapshot(pipeline.settings.database, exclusive=True, lock_seconds=1),
        pytest.raises(Busy, match=r"busy: session .* since .* is dumping this database$") as busy,
    ):
        dump(pipeline.settings)
    assert busy.value.exit_code == 7
    assert dump(pipeline.settings).status == "staged"


def test_rows_deleted_while_pg_dump_runs_are_still_in_the_dump(
    pipeline: Pipeline, fake_tool: FakeTool, tmp_path: Path
) -> None:
    go, gone = tmp_path / "go", tmp_path / "gone"
    fake_tool(
        "pg_dump",
        f"{TELLS_ITS_VERSION}; touch {go}; while [ ! -e {gone} ]; do sleep 0.02; done; "
        f'exec {REAL_PG_DUMP} "$@"',
    )
    counted = pipeline.count("language")

    def delete() -> None:
        while not go.exists():
            time.sleep(0.01)
        pipeline.execute("DELETE FROM language")
        gone.touch()

    thread = threading.Thread(target=delete)
    thread.start()
    outcome = dump(pipeline.settings)
    thread.join()
    assert pipeline.count("language") == 0
    assert outcome.manifest is not None
    assert outcome.manifest.rows["language"] == counted > 0
