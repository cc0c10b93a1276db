"""Killed wherever, interrupted, or started twice: before or after, never between, and no litter."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from ppr_assets.data_repo.clone.clone import open_data_repo
from ppr_assets.data_repo.history.dump_folder import dump_folder
from ppr_assets.operations.published.committed import committed_sha256
from ppr_assets.plain_sql.dump_file import open_dump
from ppr_assets.rules.recorded.manifest import Manifest
from ppr_assets.settings import KeepSettings
from ppr_assets_tests.fix_campaign import Campaign
from ppr_assets_tests.fix_git import git
from ppr_assets_tests.fix_pipeline import (
    RATCHET,
    REAL_PG_DUMP,
    TELLS_ITS_VERSION,
    Pipeline,
    listing,
    settled,
    wait_for_a_later_name,
)
from ppr_assets_tests.fix_tools import FakeTool
from ppr_assets_tests.opened import count_records

ROUNDS = 3
PATIENCE_SECONDS = 240
REAL_GIT = shutil.which("git")

# It forks for each night, which saves the second that it takes to import everything.
NIGHTS = """
import json, os, sys
from ppr_assets.data_repo.checkout import advance, work_trees
from ppr_assets.errors import PprError
from ppr_assets.settings import Settings
from ppr_assets_tests.opened import dump, publish

work_trees.MOMENT_SECONDS = advance.BETWEEN_LOOKS_SECONDS = 0.02  # nobody else is at work
advance.LOOKS = 500

for line in sys.stdin:
    child = os.fork()
    if not child:
        os.setsid()
        os.environ.clear()
        os.environ.update(json.loads(line))
        settings = Settings.from_environment(dotenv=None)
        try:
            print(dump(settings, run_id="in-a-child").status, publish(settings).status)
        except PprError as error:
            print(type(error).__name__)
        sys.exit()
    print(child, flush=True)
    sys.stdin.readline()  # nobody else gets its number before
    _, status = os.waitpid(child, 0)
    print("ended", os.waitstatus_to_exitcode(status), flush=True)
"""


@pytest.fixture(autouse=True)
def keeping_all(pipeline: Pipeline) -> None:
    """So many nights in a minute: retired dumps would look like lost ones."""
    pipeline.gate(keep=KeepSettings(last=None, daily=0, weekly=0, monthly=0, yearly=0))
    pipeline.variables["SQL_DUMP_KEEP_LAST"] = "all"


@dataclass
class Nights:
    """A process that dumps and publishes when it is told to, each time in a child and a session of
    its own."""

    process: subprocess.Popen[str]
    child: int = 0

    def begin(self, pipeline: Pipeline) -> None:
        """With this process's environment and the pipeline's variables as they are now."""
        self._say(json.dumps(os.environ | pipeline.variables))
        self.child = int(self._heard())

    def end(self, number: signal.Signals | None = None) -> tuple[str, int]:
        """What the night said, after it has ended by itself or by this signal, and its code."""
        if number is not None:
            os.kill(self.child, number)
        self._say("")
        said = ""
        while not (line := self._heard()).startswith("ended "):
            said += line
        return said.strip(), int(line.split()[1])

    def _say(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def _heard(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the process that forks has ended"
        return line


@contextmanager
def _forking() -> Iterator[Nights]:
    with subprocess.Popen(
        [sys.executable, "-c", NIGHTS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Nights(process)


@pytest.fixture(scope="module")
def nights() -> Iterator[Nights]:
    with _forking() as nights:
        yield nights


@pytest.fixture(scope="module")
def other_nights() -> Iterator[Nights]:
    """For one more at the same time."""
    with _forking() as nights:
        yield nights


def _require_whole(pipeline: Pipeline) -> tuple[str, str, int]:
    """latest.sql leads to a dump with its manifest's SHA-256, in git and on the disk, and there is
    a mark. Returns the head, latest and the mark."""
    latest = pipeline.latest()
    described = latest.removesuffix(".sql") + ".json"
    manifest = Manifest.from_json(git(pipeline.clone, "show", f"main:sql_dumps/{described}"))
    repo = open_data_repo(pipeline.settings.data_repo)
    assert committed_sha256(dump_folder(repo, pipeline.head()), latest) == manifest.sha256
    file = (pipeline.dumps / "latest.sql").resolve(strict=True)
    on_disk = Manifest.from_json(file.with_suffix(".json").read_text())
    digest = hashlib.sha256(b"".join(open_dump(file, name=file.name))).hexdigest()
    assert digest == on_disk.sha256
    return pipeline.head(), latest, pipeline.mark()["max_record_count"]


def _require_tidy(pipeline: Pipeline) -> None:
    assert git(pipeline.clone, "status", "--porcelain", "-uall") == ""
    published = git(pipeline.clone, "ls-tree", "--name-only", "main:sql_dumps").splitlines()
    assert listing(pipeline.dumps) == sorted(published)
    assert listing(pipeline.staged) == []
    assert listing(pipeline.clone / ".git" / "ppr_assets") == [
        "fetched",
        "lock",
        "staged",
        "writing",
    ]
    assert list((pipeline.clone / ".git").rglob("*.lock")) == []


def _number_of_dumps(pipeline: Pipeline) -> int:
    names = git(pipeline.clone, "ls-tree", "--name-only", "main:sql_dumps").splitlines()
    return len([name for name in names if name.startswith("pantry") and name.endswith(".sql")])


@dataclass(frozen=True)
class State:
    """What is published at a moment, found to be whole."""

    head: str
    latest: str
    mark: int
    dumps: int

    @classmethod
    def of(cls, pipeline: Pipeline) -> State:
        return cls(*_require_whole(pipeline), _number_of_dumps(pipeline))


def _state_after_kill(pipeline: Pipeline, before: State) -> str:
    """Whether the kill came "before" or "after" the publication. There is nothing between."""
    assert settled(pipeline.children) == []
    assert settled(pipeline.advisory_locks) == 0
    now = State.of(pipeline)
    if now == before:
        return "before"
    assert git(pipeline.clone, "rev-parse", f"{now.head}^") == before.head
    assert now.latest != before.latest
    assert (now.mark, now.dumps) == (before.mark, before.dumps + 1)
    return "after"


def _require_convergence(pipeline: Pipeline, before: State) -> None:
    """A second run ends where the first one wanted to go, and no dump is published twice."""
    pipeline.night()
    now = State.of(pipeline)
    assert (now.mark, now.dumps) == (before.mark, before.dumps + 1)
    _require_tidy(pipeline)


def _wait_for_a_commit_after(head: str, pipeline: Pipeline) -> None:
    give_up = time.monotonic() + PATIENCE_SECONDS
    while pipeline.head() == head:
        assert time.monotonic() < give_up
        time.sleep(0.01)


def test_killed_at_any_moment_the_next_run_converges(
    pipeline: Pipeline, nights: Nights, campaign: Campaign
) -> None:
    pipeline.night()
    pipeline.change()
    started = time.monotonic()
    nights.begin(pipeline)
    assert nights.end() == ("staged published", 0)
    duration = time.monotonic() - started
    dice = campaign.dice
    seen = set()
    for number in campaign.rounds(ROUNDS):
        part = number % ROUNDS
        pipeline.change()
        most = 150_000 * (number % 3 == 1)  # a night in parts, and one back in one file
        pipeline.gate(max_file_bytes=most or None)
        before = State.of(pipeline)
        wait_for_a_later_name(before.latest)
        nights.begin(pipeline)
        if part < ROUNDS - 1:
            time.sleep((part + dice.random()) / ROUNDS * duration)
        else:  # whatever slowed the nights down: one is killed when the commit is there
            _wait_for_a_commit_after(before.head, pipeline)
        nights.end(signal.SIGKILL)
        seen.add(_state_after_kill(pipeline, before))
        most = 150_000 * (number % 3 == 0)
        pipeline.variables["SQL_DUMP_MAX_FILE_MB"] = str(most / 1_000_000)
        _require_convergence(pipeline, before)
        assert pipeline.remote_head() == pipeline.head()
    assert seen == {"before", "after"}, "the kills were not spread over the night"
    for repository in (pipeline.clone, pipeline.remote):
        git(repository, "fsck", "--full", "--strict")


def test_killed_before_each_call_of_git_that_publishes_the_next_run_converges(
    pipeline: Pipeline, nights: Nights, fake_tool: FakeTool, tmp_path: Path, campaign: Campaign
) -> None:
    """The moments that matter most are too short to be met by chance. Each of them in a campaign,
    in the suite every sixth one and the last.

    Without pushing: a remote that was ahead by then would show the next run where to go.
    """
    pipeline.variables["PUBLISHER_PUSH_ENABLED"] = "false"
    pipeline.repo(push_enabled=False)
    calls, fatal = tmp_path / "calls", tmp_path / "fatal-call"
    pipeline.night()
    fake_tool(
        "git",
        f'if [ -e {fatal} ]; then echo "$*" >> {calls}; '
        f"[ $(wc -l < {calls}) = $(cat {fatal}) ] && rm {fatal} && kill -9 $PPID && exit 1; fi\n"
        f'exec {REAL_GIT} "$@"',
    )

    def night_that_dies_at_call(number: int) -> int:
        """Its exit code; 0 if it had no such call: a busy machine makes a night ask git again."""
        wait_for_a_later_name(pipeline.latest())
        calls.write_text("")
        fatal.write_text(str(number))
        nights.begin(pipeline)
        _, code = nights.end()
        fatal.unlink(missing_ok=True)
        return code

    pipeline.change()
    assert night_that_dies_at_call(0) == 0
    verbs = calls.read_text().splitlines()
    first = next(place for place, verb in enumerate(verbs, 1) if "commit-tree" in verb)
    seen = set()
    step = 6 if campaign.until is None else 1
    for number in sorted({*range(first, len(verbs) + 1, step), len(verbs)}):
        pipeline.change()
        before = State.of(pipeline)
        if night_that_dies_at_call(number) == 0:
            assert number > len(verbs) - 5, "it had a few calls less than the first night"
            break
        seen.add(_state_after_kill(pipeline, before))
        _require_convergence(pipeline, before)
    assert seen == {"before", "after"}


def test_killed_between_the_files_and_the_branch_the_next_run_gets_past_its_count(
    pipeline: Pipeline, nights: Nights, fake_tool: FakeTool
) -> None:
    """The first step of the job meets a higher mark in the work tree that nobody has committed."""
    pipeline.night()
    pipeline.execute(
        "INSERT INTO organization (id, name, description) VALUES ('new', 'New', 'A new pantry')"
    )
    before = State.of(pipeline)
    git_that_kills = fake_tool(
        "git",
        'case "$*" in *"ppr_assets: publish"*) kill -9 $PPID; exit 1 ;; esac\n'
        f'exec {REAL_GIT} "$@"',
    )
    nights.begin(pipeline)
    _, code = nights.end()
    git_that_kills.unlink()
    assert code == -signal.SIGKILL
    assert git(pipeline.clone, "status", "--porcelain", "--", RATCHET) != ""
    assert pipeline.head() == before.head
    assert settled(pipeline.children) == []

    assert count_records(pipeline.settings).verdict.passed
    pipeline.night()
    assert pipeline.mark()["max_record_count"] == before.mark + 1
    _require_whole(pipeline)
    _require_tidy(pipeline)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_ended_in_the_middle_of_pg_dump_it_leaves_no_child_no_lock_and_no_litter(
    pipeline: Pipeline,
    nights: Nights,
    fake_tool: FakeTool,
    tmp_path: Path,
    number: signal.Signals,
) -> None:
    pipeline.night()
    pipeline.change()
    before = pipeline.picture()
    there = tmp_path / "there"
    tool = fake_tool(
        "pg_dump",
        f'{TELLS_ITS_VERSION}; {REAL_PG_DUMP} "$@" | head -c 20000; touch {there}; exec sleep 60',
    )
    nights.begin(pipeline)
    while not there.exists():
        time.sleep(0.02)
    assert "pg_dump" in pipeline.children() or "sleep" in pipeline.children()
    assert nights.end(number) == ("", -number)
    after = pipeline.picture()
    if number != signal.SIGINT:  # an end without a last word: the next run clears up
        assert after.pop("staged") != before.pop("staged") == []
    assert after == before
    tool.unlink()
    assert pipeline.night()[1].status == "published"
    _require_tidy(pipeline)


@pytest.mark.parametrize("offset", [0.0, 0.4])
def test_two_runs_at_once_publish_once(
    pipeline: Pipeline, nights: Nights, other_nights: Nights, offset: float
) -> None:
    pipeline.night()
    pipeline.change()
    both = [nights, other_nights]
    for one in both:
        one.begin(pipeline)
        time.sleep(offset)
    said = sorted(one.end()[0] for one in both)
    assert len([words for words in said if words.endswith("published")]) == 1, said
    assert set(said) <= {"Busy", "staged published", "staged unchanged", "unchanged unchanged"}
    assert _number_of_dumps(pipeline) == 2
    _require_whole(pipeline)
    _require_tidy(pipeline)
