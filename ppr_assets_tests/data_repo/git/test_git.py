"""Running git: limits, children, the environment, and what its failures become."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from ppr_assets.data_repo.git.command import run
from ppr_assets.data_repo.git.errors import GitCommandFailed, scrub
from ppr_assets.errors import DataRepoError, GitTimeout
from ppr_assets_tests.fix_git import own_children
from ppr_assets_tests.fix_tools import FakeTool

PATIENCE_SECONDS = 60
"""For what takes no time: far more than a busy machine needs, far less than what hangs does."""

# A git that answers what is asked first, and hangs then; and a process that asks it.
_HANGING = """
test "$1" = version && {{ echo git version 2.39.5; exit; }}
echo $$ > {pid_file}
exec sleep 1000
"""
_ASKING = """
import pathlib
from ppr_assets.data_repo.git.command import run
run(pathlib.Path("."), "status", timeout=60)
"""


def test_a_git_that_hangs_is_cut_off_with_its_children(
    tmp_path: Path, git_environment: None, fake_tool: FakeTool
) -> None:
    run(tmp_path, "version", timeout=30)
    fake_tool("git", "sleep 1000 & sleep 1000")
    started = time.monotonic()
    with pytest.raises(GitTimeout) as caught:
        run(tmp_path, "status", timeout=0.3)
    assert caught.value.render() == (
        "`git status` did not end within 0.3 seconds and was stopped\n"
        "HINT: is the remote or the disk hanging? DATA_REPO_TIMEOUT_SECONDS is the limit."
    )
    assert time.monotonic() - started < PATIENCE_SECONDS
    assert own_children() == []


def test_a_hanging_child_of_a_git_that_has_ended_is_ended_too(
    tmp_path: Path, git_environment: None, fake_tool: FakeTool
) -> None:
    """It keeps the pipes open, as a hook's background job does."""
    run(tmp_path, "version", timeout=30)
    pid_file = tmp_path / "pid"
    fake_tool("git", f"sleep 1000 & echo $! > {pid_file}")
    with pytest.raises(GitTimeout):
        run(tmp_path, "status", timeout=3)  # time enough to write the file
    _assert_gone(int(pid_file.read_text()))


def test_a_git_that_ignores_being_asked_is_killed(
    tmp_path: Path, git_environment: None, fake_tool: FakeTool
) -> None:
    run(tmp_path, "version", timeout=30)
    fake_tool("git", "trap '' TERM; while :; do sleep 0.1; done")
    with pytest.raises(GitTimeout):
        run(tmp_path, "gc", timeout=0.2)
    assert own_children() == []


def test_an_interrupt_leaves_no_git(
    tmp_path: Path, git_environment: None, fake_tool: FakeTool
) -> None:
    pid_file = tmp_path / "pid"
    fake_tool("git", _HANGING.format(pid_file=pid_file))
    with subprocess.Popen([sys.executable, "-c", _ASKING], stderr=subprocess.PIPE) as parent:
        _wait_for(pid_file)
        parent.send_signal(signal.SIGINT)
        assert b"KeyboardInterrupt" in parent.communicate(timeout=PATIENCE_SECONDS)[1]
    _assert_gone(int(pid_file.read_text()))


def test_a_git_ends_with_its_parent_even_by_kill_9(
    tmp_path: Path, git_environment: None, fake_tool: FakeTool
) -> None:
    pid_file = tmp_path / "pid"
    fake_tool("git", _HANGING.format(pid_file=pid_file))
    with subprocess.Popen([sys.executable, "-c", _ASKING]) as parent:
        _wait_for(pid_file)
        parent.kill()
    _assert_gone(int(pid_file.read_text()))


def test_a_failure_has_gits_own_words(tmp_path: Path, git_environment: None) -> None:
    with pytest.raises(GitCommandFailed) as caught:
        run(tmp_path, "-c", "color.ui=false", "rev-parse", "HEAD", timeout=30)
    assert caught.value.status == 128
    assert caught.value.message.startswith(
        "`git rev-parse` ended with exit code 128: fatal: not a git"
    )


def test_the_repository_around_a_folder_is_not_taken(tmp_path: Path, git_environment: None) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    inside = tmp_path / "inside"
    inside.mkdir()
    with pytest.raises(GitCommandFailed, match="not a git repository"):
        run(inside, "status", timeout=30)


def test_the_variables_of_a_surrounding_hook_do_not_count(
    tmp_path: Path, git_environment: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "other"):
        subprocess.run(["git", "init", "-q", str(tmp_path / name)], check=True)
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other" / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(tmp_path / "other"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "other" / ".git" / "index"))
    told = run(tmp_path / "one", "rev-parse", "--absolute-git-dir", timeout=30).stdout
    assert told.decode().strip() == str(tmp_path / "one" / ".git")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")
def test_a_repository_of_another_user_is_an_error_with_the_way_out(
    tmp_path: Path, git_environment: None
) -> None:
    repository = tmp_path / "theirs"
    subprocess.run(["git", "init", "-q", str(repository)], check=True)
    for path in (repository, *repository.rglob("*")):
        os.chown(path, 12345, 12345)
    with pytest.raises(DataRepoError) as caught:
        run(repository, "status", timeout=30)
    assert caught.value.render() == (
        "git does not trust the repository: it belongs to another user\n"
        f"HINT: `git config --global --add safe.directory {repository}` for the user that runs "
        "this, or change the owner."
    )


def test_credentials_in_urls_do_not_pass() -> None:
    said = b"fatal: unable to access 'https://me:ghp_secret@example.com/x.git/': 403"
    assert scrub(said) == "fatal: unable to access 'https://example.com/x.git/': 403"


@pytest.mark.parametrize(
    ("script", "answer"),
    [("echo git version 2.30.2", "git version 2.30.2"), ("exit 3", "exit code 3")],
)
def test_an_unusable_git_is_named_before_anything_is_done(
    tmp_path: Path, git_environment: None, fake_tool: FakeTool, script: str, answer: str
) -> None:
    fake_tool("git", script)
    assert _told_by_fresh_process() == (
        f"`git version` says `{answer}`, 2.38 or newer needed\n"
        "HINT: install a newer git: older ones cannot merge without a work tree.\n"
    )


def test_a_missing_git_is_named(
    tmp_path: Path, git_environment: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.setenv("PATH", str(empty))
    assert _told_by_fresh_process() == (
        "no `git` on PATH, 2.38 or newer needed\nHINT: install git, and run again.\n"
    )


def _told_by_fresh_process() -> str:
    """What the first call says in a process that has not asked git yet."""
    script = (
        "import pathlib\n"
        "from ppr_assets.data_repo.git.command import run\n"
        "from ppr_assets.errors import DataRepoError\n"
        "try:\n"
        "    run(pathlib.Path('.'), 'status', timeout=30)\n"
        "except DataRepoError as error:\n"
        "    print(error.render())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return done.stdout


def _wait_for(pid_file: Path) -> None:
    while not (pid_file.exists() and pid_file.read_text()):
        time.sleep(0.05)


def _assert_gone(pid: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, f"process {pid} is still there"
        time.sleep(0.05)
