"""kill -9 at every step of a move: before and after each call of git, and at random moments."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from ppr_assets.data_repo.checkout.advance import BranchMoved, advance_branch, recover
from ppr_assets.data_repo.checkout.lock import data_repo_lock
from ppr_assets.data_repo.checkout.staging import StagedDump, discard, staged, sweep_partials
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.git.tree import tip
from ppr_assets.data_repo.history.dump_folder import dump_folder
from ppr_assets_tests.fix_campaign import Campaign
from ppr_assets_tests.fix_git import (
    Somebody,
    commit_dump,
    in_a_child,
    killing_git,
    publish_dump,
    stage_dump,
)

FIRST = "pantry_pirate_radio_2026-11-22_02-00-00.sql"
SECOND = "pantry_pirate_radio_2026-11-23_02-00-00.sql"


pytestmark = [pytest.mark.usefixtures("nobody_else"), pytest.mark.slow]


def _finish(repo: DataRepo, dump: StagedDump) -> None:
    """What the next run does: recover, and publish what is staged unless that has been done."""
    with data_repo_lock(repo, wait_seconds=10):
        recover(repo)
        sweep_partials(repo)
        now = tip(repo)
        assert now is not None
        if dump_folder(repo, now).latest != dump.name:
            advance_branch(repo, now, commit_dump(repo, now, dump), staged=dump)
        discard(dump)


def _assert_converged(repo: DataRepo, owner: Somebody, state: str) -> None:
    assert owner.status() == "", state
    assert (repo.path / "sql_dumps" / "latest.sql").read_text() == "two\n", state
    assert (
        owner.git("log", "--format=%s")
        .splitlines()
        .count(f"Dump {SECOND[:-4]}: 2500 organizations")
        == 1
    )
    assert staged(repo) == []
    litter = {path.name for path in repo.state_dir.iterdir()}
    assert litter <= {"lock", "staged", "writing"}, state
    locks = [str(path) for path in repo.git_dir.rglob("*.lock")]
    assert locks == [], state


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_kill_around_any_call_of_git_is_mended_by_the_next_run(
    data_repo: DataRepo,
    owner: Somebody,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    moment: str,
) -> None:
    publish_dump(data_repo, FIRST, "one\n")
    sweep_partials(data_repo)
    start = tip(data_repo)
    assert start is not None
    path = os.environ["PATH"]
    killed = 0
    for call in range(1, 60):
        owner.git("reset", "-q", "--hard", start)
        dump = stage_dump(data_repo, SECOND, "two\n")
        new = commit_dump(data_repo, start, dump)

        def work(new: str = new, dump: StagedDump = dump) -> None:
            with data_repo_lock(data_repo):
                advance_branch(data_repo, start, new, staged=dump)

        fake = killing_git(tmp_path / f"git-{call}", call, moment)
        monkeypatch.setenv("PATH", f"{fake}:{path}")
        died_of = in_a_child(work)
        monkeypatch.setenv("PATH", path)
        assert died_of in (0, signal.SIGKILL)
        head = owner.git("rev-parse", "main")
        assert head in (start, new)
        # Whatever latest.sql is by now, in the work tree too, it leads to a whole dump.
        assert (data_repo.path / "sql_dumps" / "latest.sql").read_text() in ("one\n", "two\n")
        _finish(data_repo, dump)
        _assert_converged(data_repo, owner, f"killed {moment} call {call}")
        if died_of == 0:
            break
        killed += 1
    else:
        pytest.fail("the move calls git more often than this test is made for")
    assert killed >= 8


def test_kills_at_random_moments_are_mended_by_the_next_run(
    data_repo: DataRepo, owner: Somebody, campaign: Campaign
) -> None:
    publish_dump(data_repo, FIRST, "one\n")
    sweep_partials(data_repo)
    start = tip(data_repo)
    assert start is not None
    dice = campaign.dice
    duration = 0.0  # of the first one, which is left alone
    for number in campaign.rounds(5):
        owner.git("reset", "-q", "--hard", start)
        dump = stage_dump(data_repo, SECOND, "two\n")
        new = commit_dump(data_repo, start, dump)

        def work(new: str = new, dump: StagedDump = dump) -> None:
            with replace(data_repo) as own, data_repo_lock(own):
                advance_branch(own, start, new, staged=dump)

        began = time.monotonic()
        delay = dice.uniform(0.0, duration)
        in_a_child(work, kill_after=delay if number else None)
        duration = duration or time.monotonic() - began
        assert owner.git("rev-parse", "main") in (start, new)
        assert (data_repo.path / "sql_dumps" / "latest.sql").read_text() in ("one\n", "two\n")
        _finish(data_repo, dump)
        _assert_converged(data_repo, owner, f"killed after {delay:.3f} s")


def test_a_kill_while_our_files_are_taken_back_is_mended_too(
    data_repo: DataRepo,
    owner: Somebody,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Somebody commits at the last moment, and the index is held while ours goes back."""
    start = tip(data_repo)
    assert start is not None
    theirs = owner.git("commit-tree", "-m", "theirs", "-p", start, f"{start}^{{tree}}")
    hook = data_repo.git_dir / "hooks" / "reference-transaction"
    hook.write_text(f"#!/bin/sh\necho {theirs} > .git/refs/heads/main\nexit 1\n")
    path = os.environ["PATH"]
    held = False
    for call in range(1, 60):
        owner.git("update-ref", "refs/heads/main", start)
        owner.git("reset", "-q", "--hard", start)
        dump = stage_dump(data_repo, FIRST, "one\n")
        new = commit_dump(data_repo, start, dump)

        def work(new: str = new, dump: StagedDump = dump) -> None:
            with data_repo_lock(data_repo), suppress(BranchMoved):
                advance_branch(data_repo, start, new, staged=dump)

        hook.chmod(0o755)
        fake = killing_git(tmp_path / f"git-{call}", call, "before")
        monkeypatch.setenv("PATH", f"{fake}:{path}")
        died_of = in_a_child(work)
        monkeypatch.setenv("PATH", path)
        hook.chmod(0o644)
        held |= (fake / "held").exists()
        with data_repo_lock(data_repo, wait_seconds=10):
            recover(data_repo)
        state = f"killed before call {call}"
        assert owner.git("rev-parse", "main") in (start, theirs), state
        assert owner.status() == "", state
        assert not (owner.path / "sql_dumps").exists(), state
        assert {entry.name for entry in data_repo.state_dir.iterdir()} <= {
            "lock",
            "staged",
            "writing",
        }, state
        discard(dump)
        if died_of == 0:
            break
    else:
        pytest.fail("the move calls git more often than this test is made for")
    assert held


def test_recovering_twice_changes_nothing(data_repo: DataRepo, owner: Somebody) -> None:
    publish_dump(data_repo, FIRST)
    assert recover(data_repo) is False
    assert recover(data_repo) is False
    assert owner.status() == ""
