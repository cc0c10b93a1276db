"""A clone that has lost objects: named, nothing built on the hole, and the way out works."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from ppr_assets.errors import DataRepoError
from ppr_assets_tests.fix_git import git
from ppr_assets_tests.fix_pipeline import Pipeline
from ppr_assets_tests.opened import publish

# What is lost, as git's name of it, and what a night needs it for.
LOST = {
    "the tree of the tip": "main^{tree}",
    "the dump folder": "main:sql_dumps",
    "the mark": "main:sql_dumps/.record_count_ratchet",
    "the commit before": "main~1",
}


def _object(pipeline: Pipeline, name: str) -> tuple[str, Path]:
    """An object of the clone, and its file: all are loose as long as they are few."""
    sha = git(pipeline.clone, "rev-parse", name)
    return sha, pipeline.clone / ".git" / "objects" / sha[:2] / sha[2:]


def _told(pipeline: Pipeline) -> DataRepoError:
    remote = pipeline.remote_head()
    ref = (pipeline.clone / ".git/refs/heads/main").read_text()
    with pytest.raises(DataRepoError) as caught:
        pipeline.night()
    assert pipeline.remote_head() == remote
    assert (pipeline.clone / ".git/refs/heads/main").read_text() == ref
    return caught.value


def _do_what_is_said(pipeline: Pipeline, error: DataRepoError) -> None:
    commands = re.findall(r"`((?:rm|git) [^`]+)`", error.hint)
    assert commands, error.hint
    for command in commands:
        done = subprocess.run(
            command, shell=True, cwd=pipeline.clone, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr


def _require_whole(pipeline: Pipeline) -> None:
    _, published = pipeline.night()
    assert (published.status, published.error()) == ("published", None)
    assert pipeline.head() == pipeline.remote_head() == published.commit
    git(pipeline.remote, "fsck", "--full", "--strict")
    assert git(pipeline.clone, "status", "--porcelain", "-uall") == ""


@pytest.mark.parametrize(
    ("what", "damage"),
    [
        *((what, "lost") for what in LOST),
        ("the tree of the tip", "damaged"),
        ("the mark", "damaged"),
    ],
)
def test_an_object_that_a_night_needs_is_named_and_comes_back_as_the_hint_says(
    pipeline: Pipeline, what: str, damage: str
) -> None:
    pipeline.first_night()
    pipeline.change()
    pipeline.night()
    pipeline.change()
    sha, file = _object(pipeline, LOST[what])
    head = pipeline.head()
    content = file.read_bytes()
    file.unlink()
    if damage == "damaged":  # what a power cut leaves
        file.write_bytes(b"" if "tree" in what else content[:-10])
    error = _told(pipeline)
    assert f"the clone has {damage} object" in error.message
    assert sha in error.message or head in error.message
    _do_what_is_said(pipeline, error)
    _require_whole(pipeline)


@pytest.mark.parametrize("what", ["the tip", "all of it"])
def test_what_a_fetch_brings_back_by_itself_is_not_worth_a_word(
    pipeline: Pipeline, what: str
) -> None:
    pipeline.first_night()
    if what == "the tip":
        _object(pipeline, "main")[1].unlink()
    else:
        git(pipeline.clone, "repack", "-a", "-d", "-q")
        for file in (pipeline.clone / ".git/objects/pack").iterdir():
            file.unlink()
    pipeline.change()
    _require_whole(pipeline)


def _lose_what_waits(pipeline: Pipeline) -> str:
    """The bytes of a dump that only the clone has."""
    pipeline.first_night()
    away = pipeline.remote.with_name("away.git")
    pipeline.remote.rename(away)
    pipeline.change()
    pipeline.night()
    away.rename(pipeline.remote)
    sha, file = _object(pipeline, f"main:sql_dumps/{pipeline.latest()}")
    file.unlink()
    pipeline.change()
    return sha


def test_an_undelivered_dump_that_has_lost_its_bytes_is_never_pushed(pipeline: Pipeline) -> None:
    """Nothing brings it back; a new clone goes on without it."""
    sha = _lose_what_waits(pipeline)
    waiting = pipeline.clone / "sql_dumps" / pipeline.latest()
    waiting.write_bytes(waiting.read_bytes()[:-1])
    errors = [_told(pipeline), _told(pipeline)]
    for error in errors:
        assert error.message.startswith(f"the clone has lost object {sha}: `git ")
        assert error.hint == (
            "in the clone, `git -c fetch.unpackLimit=1 fetch --refetch origin` brings back what "
            "the remote has. Should that not be enough, move the clone away and run again with "
            "DATA_REPO_URL set, which makes a new one."
        )
    shutil.move(pipeline.clone, pipeline.clone.with_name("put-away"))
    _require_whole(pipeline)


def test_an_undelivered_dump_is_delivered_from_the_work_tree_where_its_object_is_lost(
    pipeline: Pipeline,
) -> None:
    sha = _lose_what_waits(pipeline)
    waiting = (pipeline.clone / "sql_dumps" / pipeline.latest()).read_bytes()
    pipeline.night()
    git(pipeline.remote, "fsck", "--full", "--strict")
    assert git(pipeline.remote, "cat-file", "blob", sha).encode() == waiting.strip()
    assert pipeline.head() == pipeline.remote_head()
    pipeline.change()
    _require_whole(pipeline)


def test_an_old_dump_that_is_lost_here_and_safe_there_stops_nobody(pipeline: Pipeline) -> None:
    """A night does not read it. An audit of the clone does, and says so."""
    pipeline.first_night()
    first = pipeline.latest()
    pipeline.change()
    pipeline.night()
    _, file = _object(pipeline, f"main:sql_dumps/{first}")
    file.unlink()
    pipeline.change()
    _require_whole(pipeline)
    assert publish(pipeline.settings).status == "unchanged"
