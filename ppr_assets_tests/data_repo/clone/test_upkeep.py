"""The clone stays small by itself: packed when bytes call for it, and nobody is at work in it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from ppr_assets.data_repo.clone import upkeep
from ppr_assets_tests.fix_git import git
from ppr_assets_tests.fix_pipeline import Pipeline
from ppr_assets_tests.fix_tools import FakeTool
from ppr_assets_tests.opened import keep_small

pytestmark = pytest.mark.slow


@pytest.fixture
def heavy(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """A clone of three nights; a tenth of a megabyte is much here."""
    monkeypatch.setattr(upkeep, "LOOSE_BYTES", 100_000)
    monkeypatch.setattr(upkeep, "LOOSE_DUMPS", 0)
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
    pipeline.first_night()
    before = upkeep_size(pipeline)
    state = keep_small(pipeline.settings.data_repo)
    assert (state.size.total, state.packed_seconds, state.remark) == (before, 0, "")


@pytest.mark.parametrize("parts", [False, True], ids=["one file", "in parts"])
def test_a_large_dump_is_packed_when_it_lies_there_several_times(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, *, parts: bool
) -> None:
    ours: Pipeline = request.getfixturevalue("in_parts" if parts else "pipeline")
    monkeypatch.setattr(upkeep, "LOOSE_BYTES", 1000)
    for _ in range(2):
        ours.night()
        ours.change()
    state = keep_small(ours.settings.data_repo)
    assert (state.packed_seconds, state.remark) == (0, "")
    monkeypatch.setattr(upkeep, "LOOSE_DUMPS", 0.01)
    assert keep_small(ours.settings.data_repo).packed_seconds > 0


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


MOST = 200_000
"""Of a dump of 1.2 MB; its parts resemble each other enough for git to make differences of them."""

PARTS = "sql_dumps/.delta_base/dump.parts"


@pytest.fixture
def in_parts(pipeline: Pipeline) -> Pipeline:
    """A pipeline of parts, whose remote keeps what it is sent in packs as it came."""
    pipeline.gate(max_file_bytes=MOST)
    git(pipeline.remote, "config", "receive.unpackLimit", "1")
    return pipeline


def _parts(pipeline: Pipeline, revision: str = "main") -> dict[str, str]:
    """The file of each part by its name."""
    listing = git(pipeline.clone, "ls-tree", f"{revision}:{PARTS}")
    rows = (line.split() for line in listing.splitlines())
    return {name: sha for _, _, sha, name in rows}


def _packed(folder: Path) -> dict[str, str]:
    """What lies in packs: each file by what it is a difference to, empty if it lies there whole."""
    found = {}
    for index in folder.glob("objects/pack/*.idx"):
        for line in git(folder, "verify-pack", "-v", str(index)).splitlines():
            match line.split():
                case [sha, "blob", _, _, _]:
                    found[sha] = ""
                case [sha, "blob", _, _, _, _, base]:
                    found[sha] = base
    return found


def _two_at_a_time(fake_tool: FakeTool, call: str, folder: Path) -> None:
    """Let a git of this call wait until another one is there, which the first would do in vain."""
    fake_tool(
        "git",
        f'case " $* " in *--revs*) ;; {call})\n'
        f"  looks=0; mkdir -p {folder}; touch {folder}/$$\n"
        f"  until [ $(ls {folder} | wc -l) -ge 2 ]; do\n"
        "    looks=$((looks + 1)); [ $looks -lt 200 ] || exit 128; sleep 0.02\n"
        "  done;;\nesac\n"
        f'exec {shutil.which("git")} "$@"',
    )


def test_parts_that_are_sent_first_are_compared_with_nothing(
    in_parts: Pipeline, fake_tool: FakeTool, tmp_path: Path
) -> None:
    _two_at_a_time(fake_tool, '*" hash-object -w "*', tmp_path / "storing")
    _, first = in_parts.night()
    parts = _parts(in_parts).values()
    assert len(parts) > 3
    sent = _packed(in_parts.remote)
    assert [sent[sha] for sha in parts] == [""] * len(parts)
    assert _packed(in_parts.clone / ".git") == {}, "compressed for the push alone"
    assert first.delivery.pushed


@pytest.fixture
def waiting(in_parts: Pipeline) -> Pipeline:
    """A first dump in parts waits for the push of the next."""
    in_parts.repo(push_enabled=False)
    in_parts.night()
    in_parts.change()
    in_parts.repo(push_enabled=True)
    return in_parts


def test_of_parts_that_are_sent_first_only_versions_of_one_are_differences(
    waiting: Pipeline, fake_tool: FakeTool, tmp_path: Path
) -> None:
    _two_at_a_time(fake_tool, '*" pack-objects "*', tmp_path / "packing")
    before = _parts(waiting)
    _, outcome = waiting.night()
    newest = _parts(waiting)
    sent = _packed(waiting.remote)
    changed = [name for name in newest.keys() & before.keys() if newest[name] != before[name]]
    assert changed
    for name in changed:
        whole, other = sorted((before[name], newest[name]), key=lambda sha: sent[sha])
        assert (sent[whole], sent[other]) == ("", whole)
    assert _packed(waiting.clone / ".git") == dict.fromkeys(newest.values(), "")
    assert "\npacks: 1\n" in git(waiting.clone, "count-objects", "-v")
    assert git(waiting.clone, "fsck", "--no-dangling") == ""
    assert outcome.delivery.pushed


@pytest.mark.parametrize("which", ["pack.window=0", "--revs"], ids=["shares", "whole"])
def test_they_are_delivered_where_they_cannot_be_packed(
    which: str, waiting: Pipeline, fake_tool: FakeTool
) -> None:
    real = shutil.which("git")
    full = "echo 'fatal: write error: No space left on device' >&2; exit 128"
    fails = f'*pack-objects*) case "$*" in *{which}*) {full};; esac;;'
    fake_tool("git", f'case "$*" in {fails} esac\nexec {real} "$@"')
    _, outcome = waiting.night()
    assert outcome.delivery.pushed
    assert outcome.delivery.failure is None
    assert git(waiting.clone, "fsck", "--no-dangling") == ""
    assert _parts(waiting).keys() == set(
        git(waiting.remote, "ls-tree", "--name-only", f"main:{PARTS}").split()
    )


def test_parts_that_are_sent_next_are_differences_to_those_before(in_parts: Pipeline) -> None:
    _, first = in_parts.night()
    before = _parts(in_parts)
    in_parts.change()
    _, second = in_parts.night()
    changed = {name: sha for name, sha in _parts(in_parts).items() if before.get(name) != sha}
    sent = _packed(in_parts.remote)
    assert changed
    assert {name: sent[sha] for name, sha in changed.items()} == {n: before[n] for n in changed}
    assert second.delivery.bytes * 10 < first.delivery.bytes


@pytest.mark.parametrize("push", [True, False], ids=["pushed", "kept"])
def test_upkeep_compares_a_part_with_its_other_versions_alone(
    in_parts: Pipeline, monkeypatch: pytest.MonkeyPatch, *, push: bool
) -> None:
    monkeypatch.setattr(upkeep, "LOOSE_BYTES", 100_000)
    monkeypatch.setattr(upkeep, "LOOSE_DUMPS", 0)
    in_parts.repo(push_enabled=push)
    versions: dict[str, set[str]] = {}
    for night in range(4):
        in_parts.night()
        if night % 2:  # packed again with what was packed before
            assert keep_small(in_parts.settings.data_repo).remark == ""
        for name, sha in _parts(in_parts).items():
            versions.setdefault(name, set()).add(sha)
        in_parts.change()
    packed = _packed(in_parts.clone / ".git")
    assert f"in-pack: {len(_objects(in_parts))}\npacks: 2\n" in git(
        in_parts.clone, "count-objects", "-v"
    )
    newest = _parts(in_parts)
    for name, shas in versions.items():
        assert {sha for sha in shas if not packed[sha]} == {newest[name]}
        assert {packed[sha] for sha in shas - {newest[name]}} <= shas
    assert git(in_parts.clone, "fsck", "--no-dangling") == ""
