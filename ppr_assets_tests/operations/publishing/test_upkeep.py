"""The clone stays small by itself: packed when bytes call for it, and nobody is at work in it."""

from __future__ import annotations

import os

import pytest

from ppr_assets.data_repo.clone import upkeep
from ppr_assets_tests.fix_pipeline import FakeTool, Pipeline, git
from ppr_assets_tests.opened import keep_small


@pytest.fixture
def heavy(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """A clone of three nights; a tenth of a megabyte is much here."""
    monkeypatch.setattr(upkeep, "LOOSE_BYTES", 100_000)
    for _ in range(3):
        pipeline.night()
        pipeline.change()
    return pipeline


def _objects(pipeline: Pipeline) -> list[str]:
    form = "--batch-check=%(objectname) %(objecttype) %(objectsize)"
    return sorted(git(pipeline.clone, "cat-file", form, "--batch-all-objects").splitlines())


def test_loose_dumps_become_differences_and_nothing_is_lost(heavy: Pipeline) -> None:
    unreachable = git(heavy.clone, "commit-tree", "main^{tree}", "-m", "nobody's yet")
    before, objects = upkeep_size(heavy), _objects(heavy)
    state = keep_small(heavy.settings.data_repo)
    assert (state.remark, state.packed_seconds > 0) == ("", True)
    assert state.size.loose <= 4096  # the unreachable one stays as it was
    assert state.size.total < before / 3
    assert _objects(heavy) == objects
    assert git(heavy.clone, "cat-file", "-t", unreachable) == "commit"
    assert git(heavy.clone, "fsck", "--no-dangling") == ""
    assert git(heavy.clone, "status", "--porcelain", "-uall") == ""


def test_a_little_is_left_alone(pipeline: Pipeline) -> None:
    pipeline.night()
    before = upkeep_size(pipeline)
    state = keep_small(pipeline.settings.data_repo)
    assert (state.size.total, state.packed_seconds, state.remark) == (before, 0, "")


def test_a_publisher_at_work_is_left_alone(heavy: Pipeline) -> None:
    (heavy.clone / ".git" / "MERGE_HEAD").write_text(heavy.head() + "\n")
    before = upkeep_size(heavy)
    state = keep_small(heavy.settings.data_repo)
    assert "somebody is at work in" in state.remark
    assert state.size.total == before


def test_an_upkeep_that_fails_is_said_and_loses_nothing(
    heavy: Pipeline, fake_tool: FakeTool
) -> None:
    objects = _objects(heavy)
    real = next(path for path in os.get_exec_path() if os.access(f"{path}/git", os.X_OK))
    fake_tool(
        "git",
        f'case " $* " in *" repack "*) echo "fatal: no space left" >&2; exit 128;; esac\n'
        f'exec {real}/git "$@"',
    )
    state = keep_small(heavy.settings.data_repo)
    assert "the clone was not packed: " in state.remark
    assert "no space left" in state.remark
    assert _objects(heavy) == objects


def upkeep_size(pipeline: Pipeline) -> int:
    """Bytes of all objects on the disk, without the code under test."""
    folder = pipeline.clone / ".git" / "objects"
    return sum(
        file.stat().st_blocks * 512 if len(file.parent.name) == 2 else file.stat().st_size
        for file in folder.rglob("*")
        if file.is_file()
    )
