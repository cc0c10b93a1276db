"""The newest dump stands at a stable path too, which makes a night's push a difference."""

from __future__ import annotations

import pytest

from ppr_assets_tests.fix_git import git
from ppr_assets_tests.fix_pipeline import Pipeline, wait_for_a_later_name

DELTA_BASE = "sql_dumps/.delta_base/dump.sql"


def _blob(pipeline: Pipeline, path: str) -> str:
    return git(pipeline.clone, "rev-parse", f"main:{path}")


def test_the_delta_base_is_the_newest_dump_and_sorts_before_all_dumps(pipeline: Pipeline) -> None:
    for _ in range(2):
        _, published = pipeline.night()
        assert _blob(pipeline, DELTA_BASE) == _blob(
            pipeline, f"sql_dumps/{published.manifest.dump}"
        )
        names = git(pipeline.clone, "ls-tree", "--name-only", "main:sql_dumps").splitlines()
        assert names[0] == ".delta_base"
        pipeline.change()


def test_a_visitor_finds_one_line_that_explains_it(pipeline: Pipeline) -> None:
    pipeline.first_night()
    text = git(pipeline.clone, "show", "main:sql_dumps/.delta_base/README.md")
    assert len(text.splitlines()) == 1
    assert "to restore, use `../latest.sql`" in text


def test_the_second_night_pushes_a_small_part_of_the_first(pipeline: Pipeline) -> None:
    _, first = pipeline.first_night()
    pipeline.change()
    _, second = pipeline.night()
    assert 0 < 10 * second.delivery.bytes < first.delivery.bytes


def test_the_push_takes_the_difference_that_was_made_ready_for_it(pipeline: Pipeline) -> None:
    _, first = pipeline.night()
    pipeline.change()
    hook = pipeline.clone / ".git" / "hooks" / "pre-push"  # from then on git itself looks for none
    hook.write_text("#!/bin/sh\ngit config core.bigFileThreshold 100k\n")
    hook.chmod(0o755)
    _, second = pipeline.night()
    assert 0 < 10 * second.delivery.bytes < first.delivery.bytes
    assert not (pipeline.staged.parent / "ready").exists()


def test_the_first_push_takes_what_was_compressed_for_it(pipeline: Pipeline) -> None:
    git(pipeline.clone, "config", "pack.compression", "0")  # git itself compresses nothing
    _, first = pipeline.night()
    assert 0 < 2 * first.delivery.bytes < first.manifest.bytes
    assert not (pipeline.staged.parent / "ready").exists()


def test_the_work_tree_has_no_second_copy_and_git_misses_none(pipeline: Pipeline) -> None:
    for _ in range(2):
        pipeline.night()
        assert not (pipeline.clone / DELTA_BASE).exists()
        assert git(pipeline.clone, "ls-files", "-t", DELTA_BASE) == f"S {DELTA_BASE}"
        assert git(pipeline.clone, "status", "--porcelain", "-uall") == ""
        pipeline.change()


def test_what_a_checkout_of_somebodys_has_written_follows_as_the_dump_itself(
    pipeline: Pipeline,
) -> None:
    pipeline.first_night()
    git(pipeline.clone, "update-index", "--no-skip-worktree", DELTA_BASE)
    git(pipeline.clone, "checkout", "--", DELTA_BASE)
    pipeline.change()
    _, published = pipeline.night()
    dump = pipeline.dumps / published.manifest.dump
    assert (pipeline.clone / DELTA_BASE).samefile(dump)
    assert git(pipeline.clone, "status", "--porcelain", "-uall") == ""


@pytest.mark.parametrize(
    "work",
    [
        ["stash", "-u"],
        ["checkout", "-q", "-b", "data-update"],
        ["reset", "-q", "--hard"],
        ["commit", "-q", "--allow-empty", "-a", "-m", "Data update"],
        ["add", "-A"],
    ],
    ids=" ".join,
)
def test_nothing_that_a_publisher_does_takes_it_for_removed(
    pipeline: Pipeline, work: list[str]
) -> None:
    pipeline.first_night()
    (pipeline.clone / "daily").mkdir(exist_ok=True)
    (pipeline.clone / "daily" / "new.json").write_text("{}\n")
    git(pipeline.clone, *work)
    git(pipeline.clone, "commit", "-q", "--allow-empty", "-m", "Data update for 2025-08-10")
    assert git(pipeline.clone, "rev-parse", f"HEAD:{DELTA_BASE}") == _blob(pipeline, DELTA_BASE)


def test_a_merge_of_two_that_published_keeps_the_delta_base_of_the_newer(
    pipeline: Pipeline,
) -> None:
    other = pipeline.elsewhere(pipeline.clone_again("other"))
    pipeline.first_night()
    git(other.clone, "fetch", "-q")
    git(other.clone, "reset", "-q", "--hard", "origin/main")
    other.repo(push_enabled=False)
    pipeline.change()
    _, theirs = other.night()
    other.repo(push_enabled=True)
    pipeline.change()
    wait_for_a_later_name(theirs.manifest.dump)
    _, newer = pipeline.night()
    pipeline.change()
    _, newest = other.night()
    assert newest.commit is not None
    merge = git(other.clone, "rev-list", "--merges", "-1", newest.commit)
    assert merge
    dump = newer.manifest.dump
    assert git(other.clone, "show", f"{merge}:sql_dumps/latest.sql") == dump
    assert git(other.clone, "rev-parse", f"{merge}:{DELTA_BASE}") == git(
        other.clone, "rev-parse", f"{merge}:sql_dumps/{dump}"
    )
