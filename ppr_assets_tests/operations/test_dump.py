"""One dump: same data, same bytes; whatever goes wrong, nothing has changed and nothing is left."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from ppr_assets.errors import Busy, DatabaseUnreachable, DumpDamaged, DumpFailed, PreconditionFailed
from ppr_assets.operations.dump import dump
from ppr_assets.postgres.embedded import EMBEDDED_BIN
from ppr_assets.postgres.snapshot import open_snapshot
from ppr_assets_tests.fix_pipeline import Pipeline

REAL = EMBEDDED_BIN / "pg_dump"
VERSION = f'[ "$1" = --version ] && exec {REAL} --version'
FakeTool = Callable[[str, str], Path]


def _bytes_of_a_dump(pipeline: Pipeline) -> bytes:
    outcome = dump(pipeline.settings)
    assert outcome.path is not None
    return outcome.path.read_bytes()


def test_a_dump_is_what_its_manifest_says(pipeline: Pipeline) -> None:
    outcome = dump(pipeline.settings, run_id="a-run")
    manifest, path = outcome.manifest, outcome.path
    assert manifest is not None and path is not None
    data = path.read_bytes()
    assert manifest.bytes == len(data)
    assert manifest.sha256 == hashlib.sha256(data).hexdigest()
    assert manifest.rows == outcome.verdict.counts
    assert manifest.rows["organization"] == pipeline.count("organization")
    assert manifest.run_id == "a-run"
    assert manifest.database.server_version.startswith("18")
    written = json.loads(path.with_suffix(".json").read_text())
    assert written["tables"]["organization"]["rows"] == pipeline.count("organization")


def test_the_rows_digest_can_be_recomputed_from_the_file(pipeline: Pipeline) -> None:
    outcome = dump(pipeline.settings)
    assert outcome.path is not None and outcome.manifest is not None
    body = outcome.path.read_bytes().split(b"COPY public.organization (")[1]
    rows = body.split(b"FROM stdin;\n", 1)[1].split(b"\\.\n", 1)[0]
    digest = hashlib.sha256(rows).hexdigest()
    assert outcome.manifest.tables["organization"].sha256 == digest


@pytest.mark.parametrize(
    "disturbance",
    [
        "VACUUM FULL",
        "UPDATE organization SET name = name",
        "CLUSTER location USING location_pkey",
        "ANALYZE",
        "REINDEX TABLE service",
    ],
)
def test_the_same_data_give_the_same_bytes_after(pipeline: Pipeline, disturbance: str) -> None:
    before = _bytes_of_a_dump(pipeline)
    pipeline.execute(disturbance)
    assert _bytes_of_a_dump(pipeline) == before


def test_rows_written_in_another_order_give_the_same_bytes(pipeline: Pipeline) -> None:
    before = _bytes_of_a_dump(pipeline)
    pipeline.execute(
        "CREATE TEMP TABLE copy AS SELECT * FROM language ORDER BY md5(id::text);"
        "DELETE FROM language; INSERT INTO language SELECT * FROM copy"
    )
    assert _bytes_of_a_dump(pipeline) == before


def test_changed_data_give_other_bytes_in_that_row_only(pipeline: Pipeline) -> None:
    before = _bytes_of_a_dump(pipeline).splitlines()
    pipeline.execute(
        "UPDATE language SET note = 'changed' WHERE id = (SELECT min(id) FROM language)"
    )
    after = _bytes_of_a_dump(pipeline).splitlines()
    changed = set(before) ^ set(after)
    assert 2 <= len([line for line in changed if b"restrict" not in line]) <= 2


FAULTS = {
    "exits 1 with words": (
        f"{VERSION}; echo 'pg_dump: error: out of luck' >&2; exit 1",
        DumpFailed,
        "out of luck",
    ),
    "is killed in the middle": (
        f'{VERSION}; {REAL} "$@" | head -c 20000; kill -9 $$',
        DumpFailed,
        "killed by signal 9",
    ),
    "writes half and exits 0": (
        f'{VERSION}; {REAL} "$@" | head -c 20000; exit 0',
        DumpDamaged,
        "ends inside|cut off",
    ),
    "writes nothing and exits 0": (f"{VERSION}; exit 0", DumpDamaged, "cut off"),
    "writes all and exits 1": (f'{VERSION}; {REAL} "$@"; exit 1', DumpFailed, "exit code 1"),
    "leaves out a row": (
        f"{VERSION}; {REAL} \"$@\" | sed '/^COPY public.language /{{n;d}}'",
        DumpDamaged,
        "language has .* rows, .* were counted",
    ),
    "leaves out a table": (
        f'{VERSION}; {REAL} "$@" --exclude-table=language',
        DumpDamaged,
        "language has 0 rows",
    ),
    "hangs": (f"{VERSION}; sleep 60", DumpFailed, "wrote nothing for 1 s"),
    "hangs after half": (
        f'{VERSION}; {REAL} "$@" | head -c 20000; sleep 60',
        DumpFailed,
        "wrote nothing for 1 s",
    ),
    "does not know its version": ("exit 1", PreconditionFailed, "--version` failed"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_when_pg_dump(pipeline: Pipeline, fake_tool: FakeTool, fault: str) -> None:
    script, error, words = FAULTS[fault]
    pipeline.night()
    pipeline.execute("DELETE FROM language WHERE id = (SELECT min(id) FROM language)")
    pipeline.gate(stall_seconds=1.0)
    before = pipeline.picture()
    fake_tool("pg_dump", script)
    with pytest.raises(error, match=words):
        dump(pipeline.settings)
    assert pipeline.picture() == before


def test_a_full_disk_leaves_no_partial_file(pipeline: Pipeline, tmp_path: Path) -> None:
    """The staging folder is a tiny file system of its own."""
    pipeline.night()
    staged = pipeline.clone / ".git" / "ppr_assets" / "staged"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(staged)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip(f"cannot mount a small file system: {mounted.stderr.strip()}")
    try:
        before = pipeline.picture()
        with pytest.raises(PreconditionFailed, match="no room for a dump"):
            dump(pipeline.settings)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("ppr_assets.operations.dump.require_room", lambda *_, **__: None)
            with pytest.raises(DumpFailed, match="No space left on device"):
                dump(pipeline.settings)
        assert pipeline.picture() == before
    finally:
        subprocess.run(["umount", str(staged)], check=True)


def test_a_second_dump_is_told_that_the_first_is_busy(pipeline: Pipeline) -> None:
    with (
        open_snapshot(pipeline.settings.database, exclusive=True, lock_seconds=1),
        pytest.raises(Busy, match="busy: session .* is dumping this database since"),
    ):
        dump(pipeline.settings)


def test_rows_deleted_while_pg_dump_runs_are_still_in_the_dump(
    pipeline: Pipeline, fake_tool: FakeTool, tmp_path: Path
) -> None:
    go, gone = tmp_path / "go", tmp_path / "gone"
    fake_tool(
        "pg_dump",
        f'{VERSION}; touch {go}; while [ ! -e {gone} ]; do sleep 0.05; done; exec {REAL} "$@"',
    )
    counted = pipeline.count("language")

    def delete() -> None:
        while not go.exists():
            pass
        pipeline.execute("DELETE FROM language")
        gone.touch()

    thread = threading.Thread(target=delete)
    thread.start()
    outcome = dump(pipeline.settings)
    thread.join()
    assert pipeline.count("language") == 0
    assert outcome.manifest is not None
    assert outcome.manifest.rows["language"] == counted > 0


def test_a_missing_core_table_is_named(pipeline: Pipeline) -> None:
    pipeline.execute("ALTER TABLE service RENAME TO services")
    with pytest.raises(PreconditionFailed, match="required tables missing: service"):
        dump(pipeline.settings)


def test_a_server_that_is_down_is_unreachable(pipeline: Pipeline, tmp_path: Path) -> None:
    from dataclasses import replace

    nowhere = replace(pipeline.settings.database, host=str(tmp_path))
    with pytest.raises(DatabaseUnreachable, match="no session with"):
        dump(replace(pipeline.settings, database=nowhere))


def test_a_command_smuggled_into_data_and_names_does_not_run(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    """CVE-2025-8714: what is restored may hold meta-commands, and the key keeps them out."""
    mark = tmp_path / "pwned"
    command = f"\n\\! touch {mark}\n"
    known = _bytes_of_a_dump(pipeline).split(b"\\restrict ")[1].split(b"\n")[0].decode()
    with_key = f"\n\\unrestrict {known}\n\\! touch {mark}\n"
    for text in (command, with_key):
        pipeline.execute("UPDATE language SET note = %s", text)
        name = '"x' + text.replace('"', "") + '"'
        pipeline.execute(f"CREATE TABLE {name} (a int)")
        outcome = dump(pipeline.settings)
        assert outcome.path is not None
        key = outcome.path.read_bytes().split(b"\\restrict ")[1].split(b"\n")[0].decode()
        assert key != known
        subprocess.run(
            [EMBEDDED_BIN / "psql", "-q", "-f", str(outcome.path)],
            env={
                "PATH": os.environ["PATH"],
                "PGHOST": pipeline.settings.database.host,
                "PGUSER": "postgres",
                "PGDATABASE": pipeline.settings.database.dbname,
            },
            capture_output=True,
            check=True,
        )
        assert not mark.exists()
