"""Other people's work in the same clone stays exactly as it was, whatever they are doing."""

from __future__ import annotations

import subprocess

from ppr_assets_tests.fix_git import commit_files, git
from ppr_assets_tests.fix_pipeline import Pipeline
from ppr_assets_tests.opened import dump


def _published(pipeline: Pipeline) -> None:
    """A night has published, here and on the remote, and left no trace in git's status."""
    before = git(pipeline.clone, "status", "--porcelain", "-uall")
    _, published = pipeline.night()
    assert published.status == "published"
    assert pipeline.head() == pipeline.remote_head() == published.commit
    assert git(pipeline.clone, "status", "--porcelain", "-uall") == before


def test_changed_staged_and_new_files_stay(pipeline: Pipeline) -> None:
    (pipeline.clone / "README.md").write_text("# half-written\n")
    (pipeline.clone / "staged.md").write_text("staged\n")
    git(pipeline.clone, "add", "staged.md")
    (pipeline.clone / "staged.md").write_text("staged, and changed since\n")
    (pipeline.clone / "sql_dumps").mkdir()
    (pipeline.clone / "sql_dumps" / "notes.txt").write_text("mine\n")
    _published(pipeline)
    assert (pipeline.clone / "README.md").read_text() == "# half-written\n"
    assert git(pipeline.clone, "show", ":staged.md") == "staged"
    assert (pipeline.clone / "sql_dumps" / "notes.txt").read_text() == "mine\n"
    assert (pipeline.dumps / "latest.sql").exists()
    assert "staged.md" not in git(pipeline.clone, "ls-tree", "-r", "--name-only", "main")


def test_another_branch_stays_checked_out(pipeline: Pipeline) -> None:
    git(pipeline.clone, "checkout", "-q", "-b", "data-update-2025-08-10")
    theirs = commit_files(pipeline.clone, "Work", {"daily/a.json": "{}\n"})
    (pipeline.clone / "daily/a.json").write_text('{"half": "written"}\n')
    _published(pipeline)
    assert git(pipeline.clone, "symbolic-ref", "--short", "HEAD") == "data-update-2025-08-10"
    assert git(pipeline.clone, "rev-parse", "HEAD") == theirs
    assert not pipeline.dumps.exists()


def test_a_detached_head_stays_where_it_is(pipeline: Pipeline) -> None:
    git(pipeline.clone, "checkout", "-q", "--detach")
    here = git(pipeline.clone, "rev-parse", "HEAD")
    _published(pipeline)
    assert git(pipeline.clone, "rev-parse", "HEAD") == here
    assert not pipeline.dumps.exists()


def test_a_merge_in_progress_can_be_finished_and_keeps_the_dump(pipeline: Pipeline) -> None:
    git(pipeline.clone, "checkout", "-q", "-b", "theirs")
    commit_files(pipeline.clone, "Theirs", {"README.md": "# theirs\n"})
    git(pipeline.clone, "checkout", "-q", "main")
    commit_files(pipeline.clone, "Ours", {"README.md": "# ours\n"})
    merge = subprocess.run(["git", "merge", "-q", "theirs"], cwd=pipeline.clone, check=False)
    assert merge.returncode == 1
    conflict = (pipeline.clone / "README.md").read_text()
    _published(pipeline)
    assert (pipeline.clone / "README.md").read_text() == conflict
    assert (pipeline.clone / ".git" / "MERGE_HEAD").exists()
    (pipeline.clone / "README.md").write_text("# both\n")
    git(pipeline.clone, "commit", "-qam", "Merge theirs")
    assert pipeline.latest() in git(pipeline.clone, "ls-tree", "--name-only", "main:sql_dumps")


def test_a_publisher_who_adds_everything_never_takes_a_waiting_dump(pipeline: Pipeline) -> None:
    dump(pipeline.settings)
    (pipeline.clone / "new.json").write_text("{}\n")
    git(pipeline.clone, "add", "-A")
    git(pipeline.clone, "commit", "-qm", "Auto-commit content store updates")
    assert git(pipeline.clone, "diff", "--name-only", "main^", "main") == "new.json"
