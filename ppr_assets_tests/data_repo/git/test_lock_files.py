"""Locks that git has left or holds: whose, how old, what to do; nobody's is ever removed by us."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from ppr_assets.data_repo.checkout import work_trees as work_trees
from ppr_assets.data_repo.checkout.advance import recover
from ppr_assets.data_repo.checkout.index import index_lock, release_index
from ppr_assets.data_repo.checkout.lock import data_repo_lock
from ppr_assets.data_repo.git.errors import LockHeld
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.remote.remote import fetch
from ppr_assets.errors import DataRepoError
from ppr_assets_tests.fix_git import Somebody, publish_dump

FIRST = "pantry_pirate_radio_2026-11-22_02-00-00.sql"
PATIENCE_SECONDS = 60


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work_trees, "LOCK_SECONDS", 0.3)


def _until(condition: object, *, seconds: float = PATIENCE_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.02)


@contextmanager
def _committing(owner: Somebody, tmp_path: Path, **how: str) -> Iterator[psutil.Process]:
    """Somebody's ``git commit`` that holds the index, and stays at it."""
    lock = owner.path / ".git" / "index.lock"
    owner.write("a.txt", "a\n")
    owner.git("add", "a.txt")
    with subprocess.Popen(
        ["git", "commit", "-q", "a.txt"],
        cwd=owner.path,
        env=os.environ | how,
        start_new_session=True,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            _until(lock.exists)
            yield psutil.Process(process.pid)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def _refused(repo: DataRepo) -> DataRepoError:
    """What publishing says while a lock is in the way; nothing has moved."""
    before = Somebody(repo.path).git("rev-parse", "main")
    with pytest.raises(DataRepoError) as caught:
        publish_dump(repo, FIRST)
    assert Somebody(repo.path).git("rev-parse", "main") == before
    return caught.value


def _do_what_is_said(error: DataRepoError) -> None:
    command = re.search(r"`(rm [^`]+)`", error.hint)
    assert command is not None, error.hint
    subprocess.run(shlex.split(command[1]), check=True)


def test_a_living_git_is_named_and_keeps_its_lock(
    data_repo: DataRepo, owner: Somebody, tmp_path: Path
) -> None:
    """It has closed the file while an editor is open, and owns it all the same."""
    lock = data_repo.git_dir / "index.lock"
    with _committing(owner, tmp_path, GIT_EDITOR="sleep 60 #") as committing:
        _until(committing.children)  # the editor: nothing is written to the lock any more
        os.utime(lock, (time.time() - 86400 * 3,) * 2)
        error = _refused(data_repo)
        assert error.render() == (
            f"`{lock}` is there for 3 days; no process has it open, but process {committing.pid} "
            "(git commit -q a.txt) is at work in that repository; 0.3 seconds were waited\n"
            "HINT: wait for it, or end it: if the file is its own, it removes it. If it stays, "
            f"`rm {shlex.quote(str(lock))}`."
        )
        assert lock.exists()


def test_a_process_that_has_the_lock_open_is_named(data_repo: DataRepo) -> None:
    lock = data_repo.git_dir / "index.lock"
    holder = subprocess.Popen(["sh", "-c", f"exec 9>{lock}; exec sleep 60"], cwd="/")
    with holder:
        try:
            _until(lock.exists)
            _until(lambda: psutil.Process(holder.pid).name() == "sleep")
            error = _refused(data_repo)
            assert re.sub(r"\d+ seconds by", "a while by", error.render()) == (
                f"`{lock}` is held for a while by process {holder.pid} (sleep 60); 0.3 seconds "
                "were waited\nHINT: wait for it, or end it: it removes the file itself."
            )
            assert lock.exists()
        finally:
            holder.kill()


def test_what_a_killed_git_left_is_told_with_its_age_and_the_command_that_helps(
    data_repo: DataRepo, owner: Somebody, tmp_path: Path
) -> None:
    lock = data_repo.git_dir / "index.lock"
    with _committing(owner, tmp_path, GIT_EDITOR="sleep 60 #") as committing:
        os.killpg(committing.pid, signal.SIGKILL)
    os.utime(lock, (time.time() - 3 * 3600,) * 2)
    with data_repo_lock(data_repo):
        recover(data_repo)
    error = _refused(data_repo)
    assert error.message == (
        f"`{lock}` is there for 3 hours; no living process that can be seen from here has it open; "
        "0.3 seconds were waited"
    )
    assert error.hint == (
        "a killed git leaves such a file. When no git works in that repository, in no container "
        f"and on no other machine either, remove it: `rm {shlex.quote(str(lock))}`."
    )
    assert lock.exists()
    _do_what_is_said(error)
    publish_dump(data_repo, FIRST)
    assert owner.git("show", "--stat", "--format=", "HEAD", "--", "a.txt") == ""
    assert owner.status() == "A  a.txt"


@pytest.mark.parametrize("name", ["HEAD.lock", "refs/heads/main.lock"])
def test_a_lock_on_head_or_branch_stops_the_move_before_it_begins(
    data_repo: DataRepo, owner: Somebody, name: str
) -> None:
    lock = data_repo.git_dir / name
    lock.touch()
    error = _refused(data_repo)
    assert f"`{lock}` is there for" in error.message
    assert not (data_repo.state_dir / "moving.json").exists()
    assert owner.status() == ""
    _do_what_is_said(error)
    publish_dump(data_repo, FIRST)
    assert owner.status() == ""


def test_a_lock_that_stops_a_fetch_is_not_blamed_on_the_remote(
    data_repo: DataRepo, publisher: Somebody
) -> None:
    new = publisher.commit("Data", {"daily/b.json": "{}"})
    publisher.git("push", "-q", "origin", "main")
    lock = data_repo.git_dir / "refs/ppr_assets/remote/main.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.touch()
    with pytest.raises(LockHeld, match=r"`git fetch`: .*remote/main\.lock` is there for") as caught:
        fetch(data_repo)
    _do_what_is_said(caught.value)
    assert fetch(data_repo) == new


def _holding_child(repo: DataRepo) -> int:
    """A run that holds the index and is in the middle of its work."""
    child = os.fork()
    if child == 0:
        with index_lock(repo, work_trees.work_trees(repo)[0], quiet=False):
            time.sleep(60)
        os._exit(0)
    _until((repo.git_dir / "index.lock").exists)
    return child


def test_a_killed_run_of_ours_does_not_leave_the_index_locked(
    data_repo: DataRepo, owner: Somebody
) -> None:
    data_repo.state_dir.mkdir(exist_ok=True)
    child = _holding_child(data_repo)
    lock = data_repo.git_dir / "index.lock"
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    _until(lambda: not lock.exists())
    owner.commit("Somebody goes on at once", {"a.txt": "a"})


def test_after_the_end_of_all_processes_the_next_run_knows_its_lock_from_others(
    data_repo: DataRepo,
) -> None:
    """A power cut, or the end of a container: the guard is gone too."""
    data_repo.state_dir.mkdir(exist_ok=True)
    lock = data_repo.git_dir / "index.lock"
    for whose in ("ours", "theirs"):
        child = _holding_child(data_repo)
        family = [*psutil.Process(child).children(recursive=True), psutil.Process(child)]
        for process in family:
            process.suspend()  # or the guard would be quicker
        for process in family:
            process.kill()
        os.waitpid(child, 0)
        assert lock.exists()
        if whose == "theirs":
            lock.unlink()
            lock.write_text("")
        with data_repo_lock(data_repo):
            release_index(data_repo)
        assert lock.exists() == (whose == "theirs")
        assert sorted(path.name for path in data_repo.state_dir.iterdir()) == ["lock"]
    lock.unlink()
    publish_dump(data_repo, FIRST)
