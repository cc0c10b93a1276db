"""Killed wherever, interrupted, or started twice: before or after, never between, and no litter."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from ppr_assets.rules.manifest import Manifest
from ppr_assets_tests.fix_pipeline import (
    REAL_PG_DUMP,
    TELLS_ITS_VERSION,
    FakeTool,
    Pipeline,
    git,
    listing,
    settled,
)

ROUNDS = 25
PATIENCE_SECONDS = 60

A_NIGHT = """
import sys
from ppr_assets.errors import PprError
from ppr_assets.operations.dump import dump
from ppr_assets.operations.publish import publish
from ppr_assets.settings import Settings

settings = Settings.from_environment(dotenv=None)
print("ready", flush=True)
sys.stdin.readline()
try:
    print(dump(settings, run_id="in-a-child").status, publish(settings).status, flush=True)
except PprError as error:
    print(type(error).__name__, flush=True)
"""


@dataclass
class Night:
    """Dump and publish in a process and a session of its own, which waits for its start."""

    process: subprocess.Popen[str]

    @classmethod
    def prepare(cls, pipeline: Pipeline) -> Night:
        process = subprocess.Popen(
            [sys.executable, "-c", A_NIGHT],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | pipeline.variables,
            text=True,
            start_new_session=True,
        )
        return cls(process)

    def begin(self) -> None:
        assert self.process.stdout is not None and self.process.stdin is not None
        assert self.process.stdout.readline() == "ready\n"
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def end(self, number: signal.Signals | None = None) -> str:
        """What it said, after it has ended by itself or by this signal."""
        if number is not None:
            self.process.send_signal(number)
        said, _ = self.process.communicate(timeout=PATIENCE_SECONDS)
        return said.strip()


def _require_whole(pipeline: Pipeline) -> tuple[str, str, int]:
    """latest.sql leads to a dump with its manifest's SHA-256, in git and on the disk, and there is
    a mark. Returns the head, latest and the mark."""
    latest = pipeline.latest()
    described = latest.removesuffix(".sql") + ".json"
    blob = subprocess.run(
        ["git", "cat-file", "blob", f"main:sql_dumps/{latest}"],
        cwd=pipeline.clone,
        capture_output=True,
        check=True,
    ).stdout
    manifest = Manifest.from_json(git(pipeline.clone, "show", f"main:sql_dumps/{described}"))
    assert hashlib.sha256(blob).hexdigest() == manifest.sha256
    file = (pipeline.dumps / "latest.sql").resolve(strict=True)
    on_disk = Manifest.from_json(file.with_suffix(".json").read_text())
    assert hashlib.sha256(file.read_bytes()).hexdigest() == on_disk.sha256
    return pipeline.head(), latest, pipeline.mark()["max_record_count"]


def _require_tidy(pipeline: Pipeline) -> None:
    assert git(pipeline.clone, "status", "--porcelain", "-uall") == ""
    published = git(pipeline.clone, "ls-tree", "--name-only", "main:sql_dumps").splitlines()
    assert listing(pipeline.dumps) == sorted(published)
    assert listing(pipeline.staged) == []
    assert listing(pipeline.clone / ".git" / "ppr_assets") == ["lock", "staged", "writing"]
    assert list((pipeline.clone / ".git").rglob("*.lock")) == []


def _number_of_dumps(pipeline: Pipeline) -> int:
    names = git(pipeline.clone, "ls-tree", "--name-only", "main:sql_dumps").splitlines()
    return len([name for name in names if name.startswith("pantry") and name.endswith(".sql")])


def test_killed_at_any_moment_the_next_run_converges(pipeline: Pipeline) -> None:
    pipeline.night()
    pipeline.change()
    night = Night.prepare(pipeline)
    night.begin()
    started = time.monotonic()
    assert night.end() == "staged published"
    duration = time.monotonic() - started
    chance = random.Random(20261122)
    moments = [(number + chance.random()) / ROUNDS * duration for number in range(ROUNDS)]
    chance.shuffle(moments)
    night = Night.prepare(pipeline)
    for moment in moments:
        pipeline.change()
        head, latest, mark = _require_whole(pipeline)
        dumps = _number_of_dumps(pipeline)
        night.begin()
        time.sleep(moment)
        night.end(signal.SIGKILL)
        assert settled(pipeline.children) == [], f"killed after {moment:.3f} s"
        assert settled(pipeline.advisory_locks) == 0
        now, latest_now, mark_now = _require_whole(pipeline)
        assert mark_now == mark
        assert (now == head) == (latest_now == latest)
        assert now == head or git(pipeline.clone, "rev-parse", f"{now}^") == head
        night = Night.prepare(pipeline)
        pipeline.night()
        _require_whole(pipeline)
        _require_tidy(pipeline)
        assert _number_of_dumps(pipeline) == dumps + 1, f"killed after {moment:.3f} s"
        assert pipeline.remote_head() == pipeline.head()
    night.end(signal.SIGKILL)
    for repository in (pipeline.clone, pipeline.remote):
        git(repository, "fsck", "--full", "--strict")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_ended_in_the_middle_of_pg_dump_it_leaves_no_child_no_lock_and_no_litter(
    pipeline: Pipeline, fake_tool: FakeTool, tmp_path: Path, number: signal.Signals
) -> None:
    pipeline.night()
    pipeline.change()
    before = pipeline.picture()
    there = tmp_path / "there"
    tool = fake_tool(
        "pg_dump",
        f'{TELLS_ITS_VERSION}; {REAL_PG_DUMP} "$@" | head -c 20000; touch {there}; exec sleep 60',
    )
    night = Night.prepare(pipeline)
    night.begin()
    while not there.exists():
        time.sleep(0.02)
    assert "pg_dump" in pipeline.children() or "sleep" in pipeline.children()
    assert night.end(number) == ""
    assert night.process.returncode == -number
    after = pipeline.picture()
    if number != signal.SIGINT:  # an end without a last word: the next run clears up
        assert after.pop("staged") != before.pop("staged") == []
    assert after == before
    tool.unlink()
    assert pipeline.night()[1].status == "published"
    _require_tidy(pipeline)


@pytest.mark.parametrize("offset", [0.0, 0.4])
def test_two_runs_at_once_publish_once(pipeline: Pipeline, offset: float) -> None:
    pipeline.night()
    pipeline.change()
    nights = [Night.prepare(pipeline), Night.prepare(pipeline)]
    for night in nights:
        night.begin()
        time.sleep(offset)
    said = sorted(night.end() for night in nights)
    assert len([words for words in said if words.endswith("published")]) == 1, said
    assert set(said) <= {"Busy", "staged published", "staged unchanged", "unchanged unchanged"}
    assert _number_of_dumps(pipeline) == 2
    _require_whole(pipeline)
    _require_tidy(pipeline)
