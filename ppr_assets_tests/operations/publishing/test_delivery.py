"""Getting the commit to the remote: a commit is kept until it arrives, and nobody's is lost."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from ppr_assets.errors import GateRefused, PushFailed
from ppr_assets.operations.publishing.publish import PublishOutcome
from ppr_assets_tests.fix_git import commit_files, git
from ppr_assets_tests.fix_pipeline import RATCHET, Pipeline
from ppr_assets_tests.opened import dump, publish


def _hook(repository: Path, name: str, script: str) -> Path:
    hook = repository / "hooks" / name
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\n{script}\n")
    hook.chmod(0o755)
    return hook


def _contains(folder: Path, commit: str | None) -> bool:
    assert commit is not None
    return commit in git(folder, "rev-list", "main").split()


def _somebody_commits(pipeline: Pipeline, files: dict[str, str | None]) -> tuple[Path, str]:
    """A commit in somebody's clone that is not pushed yet."""
    other = pipeline.clone_again("somebody")
    return other, commit_files(other, "Data update for 2025-08-10 06:56 UTC", files)


def _pushes_just_before_us(pipeline: Pipeline, other: Path) -> None:
    """Between our fetch and our push: the moment that no look beforehand can exclude."""
    _hook(
        pipeline.clone / ".git",
        "pre-push",
        f"[ -e {other}/pushed ] && exit 0; touch {other}/pushed; env -u GIT_DIR -u GIT_PREFIX "
        f"git -C {other} push -q origin main",
    )


def test_a_remote_that_is_gone_fails_the_delivery_and_the_next_run_makes_up_for_it(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    theirs = pipeline.remote_head()
    pipeline.remote.rename(tmp_path / "away.git")
    _, published = pipeline.night()
    error = published.error()
    assert isinstance(error, PushFailed) and error.exit_code == 6
    assert published.status == "published" and pipeline.head() == published.commit
    (tmp_path / "away.git").rename(pipeline.remote)
    assert pipeline.remote_head() == theirs
    _, later = pipeline.night()
    assert later.status == "unchanged" and later.error() is None
    assert pipeline.remote_head() == published.commit


def test_a_second_offline_night_is_delivered_with_the_first(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    pipeline.remote.rename(tmp_path / "away.git")
    _, first = pipeline.night()
    pipeline.change()
    _, second = pipeline.night()
    (tmp_path / "away.git").rename(pipeline.remote)
    pipeline.change()
    _, third = pipeline.night()
    assert pipeline.remote_head() == third.commit
    assert _contains(pipeline.remote, first.commit) and _contains(pipeline.remote, second.commit)


def test_a_remote_that_refuses_is_quoted(pipeline: Pipeline) -> None:
    theirs = pipeline.remote_head()
    hook = _hook(pipeline.remote, "pre-receive", "echo 'not on a Sunday' >&2; exit 1")
    _, published = pipeline.night()
    error = published.error()
    assert isinstance(error, PushFailed)
    assert "not on a Sunday" in error.message
    assert (pipeline.head(), pipeline.remote_head()) == (published.commit, theirs)
    hook.unlink()
    pipeline.night()
    assert pipeline.remote_head() == published.commit


def test_commits_that_others_pushed_before_are_built_upon(pipeline: Pipeline) -> None:
    other, theirs = _somebody_commits(pipeline, {"daily/2025-08-10/a.json": "{}\n"})
    git(other, "push", "-q", "origin", "main")
    _, published = pipeline.night()
    assert git(pipeline.clone, "rev-parse", "main^@") == theirs
    assert pipeline.head() == pipeline.remote_head() == published.commit
    assert (pipeline.clone / "daily/2025-08-10/a.json").read_text() == "{}\n"
    assert git(pipeline.clone, "status", "--porcelain") == ""


def test_commits_that_others_push_in_the_last_moment_are_built_upon(pipeline: Pipeline) -> None:
    other, theirs = _somebody_commits(pipeline, {"daily/2025-08-10/a.json": "{}\n"})
    _pushes_just_before_us(pipeline, other)
    _, published = pipeline.night()
    assert published.error() is None
    assert git(pipeline.clone, "rev-parse", "main^@") == theirs
    assert pipeline.remote_head() == published.commit


@pytest.mark.parametrize("moment", ["before", "in the last moment"])
def test_a_higher_mark_that_others_pushed_refuses_the_dump(pipeline: Pipeline, moment: str) -> None:
    pipeline.first_night()
    pipeline.change()
    higher = json.dumps(pipeline.mark() | {"max_record_count": 1000})
    other, theirs = _somebody_commits(pipeline, {RATCHET: higher})
    if moment == "before":
        git(other, "push", "-q", "origin", "main")
    else:
        _pushes_just_before_us(pipeline, other)
    assert dump(pipeline.settings).status == "staged"
    before = pipeline.picture()
    outcome = publish(pipeline.settings)
    error = outcome.error()
    assert outcome.status == "refused" and outcome.commit is None
    assert isinstance(error, GateRefused) and error.exit_code == 3
    assert "organization has 200 records, at least 900 needed (90% of mark 1000)" in error.message
    assert pipeline.picture() == before | {"remote": theirs}


def test_when_both_sides_have_moved_nobodys_commit_is_lost(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    pipeline.repo(push_enabled=False)
    _, ours = pipeline.night()
    other, theirs = _somebody_commits(pipeline, {"daily/2025-08-10/a.json": "{}\n"})
    git(other, "push", "-q", "origin", "main")
    pipeline.repo(push_enabled=True)
    pipeline.change()
    _, published = pipeline.night()
    assert pipeline.head() == pipeline.remote_head() == published.commit
    assert _contains(pipeline.remote, ours.commit) and _contains(pipeline.remote, theirs)


def test_two_clones_that_publish_at_the_same_time_both_arrive(pipeline: Pipeline) -> None:
    other = pipeline.elsewhere(pipeline.clone_again("other"))
    pipeline.first_night()
    together = threading.Barrier(2)
    outcomes: list[PublishOutcome] = []

    def publish_staged(world: Pipeline) -> None:
        together.wait()
        outcomes.append(publish(world.settings))

    pipeline.change()
    assert dump(other.settings).status == "staged"
    (pipeline.clone / "note.md").write_text("a local commit, so that both have something new\n")
    git(pipeline.clone, "add", "note.md")
    git(pipeline.clone, "commit", "-qm", "Note something")
    threads = [threading.Thread(target=publish_staged, args=[world]) for world in (pipeline, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [outcome.error() for outcome in outcomes] == [None, None]
    git(pipeline.remote, "fsck", "--strict")
    dumps = git(pipeline.remote, "ls-tree", "--name-only", "main:sql_dumps").splitlines()
    assert len([name for name in dumps if name.startswith("pantry")]) == 4
    assert "note.md" in git(pipeline.remote, "ls-tree", "--name-only", "main").splitlines()
    newest = max(name for name in dumps if name.endswith(".sql") and name.startswith("pantry"))
    assert git(pipeline.remote, "show", "main:sql_dumps/latest.sql") == newest
