"""One opening of the data repository for all the steps of a run."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from ppr_assets.data_repo.clone.clone import DataRepoOfRun
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.git.tree import read_file, tip
from ppr_assets.errors import DataRepoError
from ppr_assets.settings import DataRepoSettings
from ppr_assets_tests.fix_git import Somebody, own_children

pytestmark = pytest.mark.slow


def test_what_never_changes_is_asked_once_and_refs_each_time(
    data_repo: DataRepo, owner: Somebody
) -> None:
    before = own_children()
    with DataRepoOfRun(data_repo.settings) as of_run:
        assert own_children() == before  # nothing is opened that nobody has asked for
        first = of_run.opened()
        assert read_file(first, tip(first) or "", "README.md") is not None
        new = owner.commit("More data", {"daily/2025-08-10/a.json": "{}\n"})
        assert of_run.opened() is first
        assert tip(first) == new
    assert own_children() == before


def test_what_came_to_be_in_the_way_since_the_step_before_is_met(
    data_repo: DataRepo, owner: Somebody
) -> None:
    with DataRepoOfRun(data_repo.settings) as of_run:
        of_run.opened()
        (data_repo.git_dir / "info").mkdir(exist_ok=True)
        (data_repo.git_dir / "info" / "attributes").write_text("*.sql filter=lfs\n")
        with pytest.raises(DataRepoError, match="filter `lfs`"):
            of_run.opened()


def test_a_clone_that_went_away_is_made_anew(
    bare_remote: Path, repo_settings: DataRepoSettings
) -> None:
    with DataRepoOfRun(replace(repo_settings, url=str(bare_remote))) as of_run:
        shutil.rmtree(of_run.opened().path)
        again = of_run.opened()
        assert tip(again) is not None
        assert again.path.is_dir()


def test_somebody_may_pack_the_clone_between_two_steps(
    data_repo: DataRepo, owner: Somebody
) -> None:
    files = {f"daily/{number}.json": f"{number}" * 100 for number in range(5)}
    commits = [owner.commit(path, {path: text}) for path, text in files.items()]
    owner.git("repack", "-adq")
    with DataRepoOfRun(data_repo.settings) as of_run:
        repo = of_run.opened()
        assert read_file(repo, commits[0], "daily/0.json") is not None
        for (path, text), commit in zip(files.items(), commits, strict=True):
            owner.commit("More", {f"more/{path}": text})
            owner.git("repack", "-adqF", "--window=0")
            file = read_file(of_run.opened(), commit, path)
            assert file is not None
            assert file.data == text.encode()
            assert tip(repo) == owner.git("rev-parse", "HEAD")
