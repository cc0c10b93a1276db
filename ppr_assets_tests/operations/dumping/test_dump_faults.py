"""Whatever goes wrong while dumping: clear words, nothing has moved, nothing is left."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from ppr_assets.errors import DatabaseUnreachable, DumpDamaged, DumpFailed, PreconditionFailed
from ppr_assets_tests.fix_pipeline import REAL_PG_DUMP, TELLS_ITS_VERSION, Pipeline, listing
from ppr_assets_tests.fix_tools import FakeTool
from ppr_assets_tests.opened import dump

HALF = f'{REAL_PG_DUMP} "$@" | head -c 20000'

FAULTS = {
    "exits 1 with words": (
        "echo 'pg_dump: error: out of luck' >&2; exit 1",
        DumpFailed,
        r"pg_dump failed \(exit code 1\): pg_dump: error: out of luck",
    ),
    "is killed in the middle": (f"{HALF}; kill -9 $$", DumpFailed, "killed by signal 9"),
    "writes half and exits 0": (f"{HALF}; exit 0", DumpDamaged, "ends inside|cut off"),
    "writes nothing and exits 0": ("exit 0", DumpDamaged, "cut off"),
    "writes half and exits 1": (
        f"{HALF}; echo 'pg_dump: error: lost it' >&2; exit 1",
        DumpFailed,
        "lost it",
    ),
    "writes all and exits 1": (f'{REAL_PG_DUMP} "$@"; exit 1', DumpFailed, "exit code 1"),
    "leaves out a row": (
        f"{REAL_PG_DUMP} \"$@\" | sed '/^COPY public.language /{{n;d}}'",
        DumpDamaged,
        r"the dump is not what was counted: language has \d+ rows, \d+ were counted",
    ),
    "leaves out a table": (
        f'{REAL_PG_DUMP} "$@" --exclude-table=language',
        DumpDamaged,
        "language has 0 rows",
    ),
    "goes on after its closing comment": (
        f'{REAL_PG_DUMP} "$@"; echo "DROP TABLE organization;"',
        DumpDamaged,
        "goes on after its closing comment",
    ),
    "hangs": ("sleep 60", DumpFailed, "wrote nothing for 1 s"),
    "hangs after half, its children too": (
        f"{HALF}; sleep 60 & sleep 61",
        DumpFailed,
        "wrote nothing for 1 s",
    ),
    "closes its output and hangs": (
        f'{REAL_PG_DUMP} "$@"; exec >&-; sleep 60',
        DumpFailed,
        "wrote nothing for 1 s",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_nothing_moves_when_pg_dump(pipeline: Pipeline, fake_tool: FakeTool, fault: str) -> None:
    script, error, words = FAULTS[fault]
    pipeline.first_night()
    pipeline.execute("DELETE FROM language WHERE id = (SELECT min(id) FROM language)")
    pipeline.gate(stall_seconds=1.0 if "hangs" in fault else 300.0)
    before = pipeline.picture()
    fake_tool("pg_dump", f"{TELLS_ITS_VERSION}; {script}")
    with pytest.raises(error, match=words) as failed:
        dump(pipeline.settings)
    if "was counted" in failed.value.message:
        assert failed.value.hint == (
            "pg_dump wrote only a part, or something else than asked. Nothing was published."
        )
    assert pipeline.picture() == before
    assert before["children"] == before["staged"] == []


def test_a_session_that_the_server_ends_ends_the_dump(
    pipeline: Pipeline, fake_tool: FakeTool, tmp_path: Path
) -> None:
    """With the session the lock is gone, and another run may be dumping by now."""
    pipeline.first_night()
    pipeline.change()
    before = pipeline.picture()
    go, gone = tmp_path / "go", tmp_path / "gone"
    fake_tool(
        "pg_dump",
        f'{TELLS_ITS_VERSION}; {REAL_PG_DUMP} "$@"; touch {go}; '
        f"while [ ! -e {gone} ]; do sleep 0.02; done",
    )

    def end_the_session() -> None:
        while not go.exists():
            time.sleep(0.01)
        pipeline.administer(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND application_name = 'ppr_assets' "
            "AND pid <> pg_backend_pid()"
        )
        gone.touch()

    thread = threading.Thread(target=end_the_session)
    thread.start()
    with pytest.raises(DatabaseUnreachable, match="lost the session with"):
        dump(pipeline.settings)
    thread.join()
    assert pipeline.picture() == before


def test_a_server_that_is_down_is_unreachable(pipeline: Pipeline, tmp_path: Path) -> None:
    nowhere = replace(pipeline.settings.database, host=str(tmp_path))
    before = pipeline.picture()
    with pytest.raises(DatabaseUnreachable, match="no session with") as down:
        dump(replace(pipeline.settings, database=nowhere))
    assert down.value.exit_code == 5
    assert pipeline.picture() == before


def test_no_room_on_the_disk_is_said_before_anything_is_written(pipeline: Pipeline) -> None:
    pipeline.first_night()
    pipeline.change()
    with _tiny_file_system(pipeline.staged):
        before = pipeline.picture()
        with pytest.raises(PreconditionFailed, match=r"no room for a dump in .* free, .* needed"):
            dump(pipeline.settings)
        assert pipeline.picture() == before


def test_a_disk_that_fills_up_on_the_way_leaves_no_partial_file(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others write as well: the room that was there at the beginning may be gone."""
    pipeline.first_night()
    pipeline.change()
    monkeypatch.setattr("ppr_assets.postgres.snapshot.preflight.SPARE_BYTES", -(2**40))
    with _tiny_file_system(pipeline.staged):
        before = pipeline.picture()
        with pytest.raises(DumpFailed, match="No space left on device"):
            dump(pipeline.settings)
        assert pipeline.picture() == before
    assert listing(pipeline.staged) == []
    assert dump(pipeline.settings).status == "staged"


@contextmanager
def _tiny_file_system(folder: Path) -> Iterator[None]:
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip(f"cannot mount a small file system: {mounted.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)
