"""Where no commit lands, however often it is built: what is said, word by word."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.git.tree import tip
from ppr_assets.errors import DataRepoError
from ppr_assets.operations.publishing.delivery import Ground
from ppr_assets.operations.publishing.landing import land
from ppr_assets_tests.fix_git import Somebody

pytestmark = pytest.mark.usefixtures("nobody_else")


def _made(somebody: Somebody, ground: Ground) -> str:
    assert ground.base is not None
    tree = f"{ground.base}^{{tree}}"
    return somebody.git("commit-tree", tree, "-p", ground.base, "-m", "Ours")


def test_a_branch_that_never_stands_still_is_told(data_repo: DataRepo, owner: Somebody) -> None:
    def build(ground: Ground) -> tuple[None, str]:
        made = _made(owner, ground)
        owner.git("commit", "-q", "--allow-empty", "-m", "Theirs")
        return None, made

    alone = replace(data_repo, settings=replace(data_repo.settings, push_enabled=False))
    with pytest.raises(DataRepoError) as told:
        land(alone, build)
    assert told.value.render() == (
        "branch `main` moved 5 times while a commit was made for it\n"
        "HINT: is another program committing in a loop? Nothing is lost; run again."
    )
    assert owner.git("log", "-1", "--format=%s") == "Theirs"


def test_a_remote_branch_that_is_never_free_leaves_the_commit_in_the_clone(
    data_repo: DataRepo, owner: Somebody, bare_remote: Path
) -> None:
    (bare_remote / "refs" / "heads" / "main.lock").touch()
    _, delivery = land(data_repo, lambda ground: (None, _made(owner, ground)))
    assert delivery.failure is not None
    assert delivery.failure.message.startswith(
        "branch `main` of the remote moved, or stayed locked, 5 times in a row: [remote rejected] "
        "(failed to update ref) / error: cannot lock ref 'refs/heads/main': "
    )
    assert delivery.failure.hint == (
        "the commit is kept in the clone; the next run that is not refused delivers it."
    )
    assert owner.git("log", "-1", "--format=%s", tip(data_repo) or "") == "Ours"
