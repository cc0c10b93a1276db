"""The work trees are what git says they are, also where their files are looked at instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from ppr_assets.data_repo.checkout.work_trees import WorkTree, work_trees
from ppr_assets.data_repo.git.errors import GitCommandFailed
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets_tests.fix_git import Somebody
from ppr_assets_tests.fix_tools import FakeTool


def asked(path: Path) -> WorkTree:
    """What git says of the work tree there."""
    there = Somebody(path)
    return WorkTree(
        path,
        Path(there.git("rev-parse", "--absolute-git-dir")),
        there.git("symbolic-ref", "-q", "--short", "HEAD", check=False) or None,
        there.git("rev-parse", "--verify", "-q", "HEAD", check=False) or None,
    )


def test_the_only_one_is_told_without_git(
    data_repo: DataRepo, owner: Somebody, fake_tool: FakeTool
) -> None:
    owner.git("checkout", "-q", "-b", "feature/one")
    expected = asked(owner.path)
    fake_tool("git", "exit 1")
    assert work_trees(data_repo) == [expected]
    (owner.path / ".git" / "worktrees").mkdir()
    with pytest.raises(GitCommandFailed):
        work_trees(data_repo)


@pytest.mark.parametrize(
    "steps",
    [
        ["checkout -q --detach"],
        ["pack-refs --all"],
        ["symbolic-ref refs/heads/other refs/heads/main", "symbolic-ref HEAD refs/heads/other"],
        ["checkout -q --orphan new"],
        ["update-ref refs/remotes/origin/x HEAD", "symbolic-ref HEAD refs/remotes/origin/x"],
    ],
    ids=["detached", "packed", "a branch that is another", "no commit yet", "no branch"],
)
def test_wherever_head_is(data_repo: DataRepo, owner: Somebody, steps: list[str]) -> None:
    for step in steps:
        owner.git(*step.split())
    git = asked(owner.path)
    assert [one.head for one in work_trees(data_repo)] == [git.head]
    if git.branch != "origin/x":
        assert [one.branch for one in work_trees(data_repo)] == [git.branch]


def test_a_head_that_is_a_link_is_on_its_branch(data_repo: DataRepo, owner: Somebody) -> None:
    """As very old versions of git made it."""
    head = owner.path / ".git" / "HEAD"
    head.unlink()
    head.symlink_to("refs/heads/main")
    assert [one.branch for one in work_trees(data_repo)] == ["main"]


def test_another_one_is_told_beside_it(
    data_repo: DataRepo, owner: Somebody, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    owner.git("worktree", "add", "-q", "-b", "elsewhere", str(other))
    assert work_trees(data_repo) == [asked(owner.path), asked(other)]
    owner.git("worktree", "remove", str(other))
    assert work_trees(data_repo) == [asked(owner.path)]
