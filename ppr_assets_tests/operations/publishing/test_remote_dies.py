"""A remote that dies, hangs or stays locked in the middle of a push: nothing doubled, nothing lost.

The hooks run inside the real receiving git, and kill it where it stands.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ppr_assets.errors import DataRepoError, PushFailed
from ppr_assets_tests.fix_git import commit_files, git
from ppr_assets_tests.fix_pipeline import Pipeline, settled

KILLS = "kill -9 $PPID"
"""The git that has started the hook: the one that receives."""

HANGS = "exec sleep 1000"

# When the hook runs, and whether the remote has the commit by then.
MOMENTS = {
    "received, nothing moved": ("pre-receive", "", False),
    "the branch is locked": ("reference-transaction", '[ "$1" = prepared ] || exit 0; ', False),
    "the branch has moved": ("reference-transaction", '[ "$1" = committed ] || exit 0; ', True),
    "moved, not answered": ("post-receive", "", True),
}


def _once(pipeline: Pipeline, name: str, script: str) -> Path:
    """A hook of the remote that does this at its first call."""
    hook = pipeline.remote / "hooks" / name
    done = pipeline.remote / f"{name}-done"
    condition, _, act = script.rpartition("; ")
    hook.write_text(f"#!/bin/sh\n{condition}\n[ -e {done} ] && exit 0\ntouch {done}\n{act}\n")
    hook.chmod(0o755)
    return done


def _dumps(pipeline: Pipeline) -> list[str]:
    """Each publication of a dump on the remote's branch."""
    log = ("log", "--format=", "--name-only", "--diff-filter=A", "main")
    return git(pipeline.remote, *log, "--", ":(glob)sql_dumps/pantry*.sql").split()


def _require_convergence(pipeline: Pipeline, commit: str | None, *, dumps: int) -> None:
    """The next run delivers the very commit, or finds it delivered, and makes no second one."""
    _, again = pipeline.night()
    assert (again.status, again.commit, again.error()) == ("unchanged", commit, None)
    assert pipeline.head() == pipeline.remote_head() == commit
    assert len(_dumps(pipeline)) == dumps
    assert settled(pipeline.children) == []
    for repository in (pipeline.clone, pipeline.remote):
        git(repository, "fsck", "--full", "--strict")
    assert git(pipeline.clone, "status", "--porcelain", "-uall") == ""


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_remote_that_is_killed_during_a_push_gets_the_dump_once(
    pipeline: Pipeline, moment: str
) -> None:
    name, condition, arrived = MOMENTS[moment]
    pipeline.first_night()
    pipeline.change()
    before = pipeline.remote_head()
    done = _once(pipeline, name, condition + KILLS)
    _, published = pipeline.night()
    assert done.exists()
    first = published.error()
    assert isinstance(first, PushFailed)
    assert "nothing was pushed" not in first.message
    if moment == "the branch is locked":
        # The killed git has left its locks there: told every night until somebody removes them.
        error = pipeline.night()[1].error()
        assert isinstance(error, PushFailed)
        assert "refs/heads/main.lock': File exists" in error.message
        for lock in pipeline.remote.rglob("*.lock"):
            lock.unlink()
    assert pipeline.remote_head() == (published.commit if arrived else before)
    assert pipeline.head() == published.commit
    _require_convergence(pipeline, published.commit, dumps=2)


@pytest.mark.parametrize("moment", ["received, nothing moved", "moved, not answered"])
def test_a_remote_that_answers_too_slowly_gets_the_dump_once(
    pipeline: Pipeline, moment: str
) -> None:
    name, condition, arrived = MOMENTS[moment]
    pipeline.first_night()
    pipeline.change()
    before = pipeline.remote_head()
    _once(pipeline, name, condition + HANGS)
    pipeline.repo(timeout_seconds=3.0)
    _, published = pipeline.night()
    error = published.error()
    assert isinstance(error, PushFailed)
    assert "did not end within 3 seconds" in error.message
    assert "DATA_REPO_TIMEOUT_SECONDS" in error.hint
    assert pipeline.remote_head() == (published.commit if arrived else before)
    pipeline.repo(timeout_seconds=60.0)
    _require_convergence(pipeline, published.commit, dumps=2)


def test_a_remote_that_hangs_while_it_is_asked_stops_no_night(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not even say where it stands: the dump is committed, and delivered by the next."""
    pipeline.first_night()
    pipeline.change()
    slow = pipeline.remote.parent / "slow-upload-pack"
    slow.write_text("#!/bin/sh\nexec sleep 1000\n")
    slow.chmod(0o755)
    git(pipeline.clone, "config", "remote.origin.uploadpack", str(slow))
    pipeline.repo(timeout_seconds=2.0)
    _, published = pipeline.night()
    assert isinstance(published.error(), PushFailed)
    git(pipeline.clone, "config", "--unset", "remote.origin.uploadpack")
    pipeline.repo(timeout_seconds=60.0)
    _require_convergence(pipeline, published.commit, dumps=2)


def test_a_history_that_is_rewritten_during_our_push_is_not_undone(pipeline: Pipeline) -> None:
    """Somebody takes the newest dump out of the remote, by force, after our fetch."""
    pipeline.first_night()
    pipeline.change()
    other = pipeline.clone_again("other")
    git(other, "reset", "-q", "--hard", "HEAD^")
    theirs = commit_files(other, "Without that dump", {"README.md": "# data, corrected\n"})
    hook = pipeline.clone / ".git" / "hooks" / "pre-push"
    hook.write_text(
        f"#!/bin/sh\n[ -e {other}/done ] && exit 0; touch {other}/done\n"
        f"env -u GIT_DIR -u GIT_PREFIX git -C {other} push -q --force origin main\n"
    )
    hook.chmod(0o755)
    before = pipeline.head()
    with pytest.raises(DataRepoError, match="was rewritten: it no longer holds") as caught:
        pipeline.night()
    assert (pipeline.head(), pipeline.remote_head()) == (before, theirs)
    command = caught.value.hint.split("`")[1]
    subprocess.run(command, shell=True, cwd=pipeline.clone, check=True, capture_output=True)
    _, published = pipeline.night()
    assert git(pipeline.remote, "rev-parse", "main^") == theirs
    _require_convergence(pipeline, published.commit, dumps=1)
