"""Opening the data repository: what is cloned, what is accepted, what is refused and why."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from ppr_assets.data_repo.clone.clone import open_data_repo
from ppr_assets.data_repo.clone.clone_folder import preparing
from ppr_assets.data_repo.git.repository import DataRepo, checked_out_branch
from ppr_assets.data_repo.git.tree import tip
from ppr_assets.data_repo.remote.errors import RemoteUnreachable
from ppr_assets.errors import Busy, DataRepoError
from ppr_assets.rules.attributes import LINE
from ppr_assets.settings import DataRepoSettings
from ppr_assets_tests.fix_git import Somebody, in_a_child, killing_git

pytestmark = pytest.mark.slow


@pytest.fixture
def settings(repo_settings: DataRepoSettings, bare_remote: Path) -> DataRepoSettings:
    """Settings with a remote, and no clone yet."""
    return replace(repo_settings, url=str(bare_remote))


def test_a_missing_clone_is_made(settings: DataRepoSettings) -> None:
    repo = open_data_repo(settings)
    owner = Somebody(repo.path)
    assert checked_out_branch(repo) == "main"
    assert owner.status() == ""
    assert (repo.path / "README.md").read_text() == "# data\n"
    assert owner.git("rev-parse", "main@{upstream}") == tip(repo)
    assert sorted(path.name for path in repo.path.iterdir()) == [".git", "README.md"]
    assert (repo.remote, repo.bare, repo.linked) == ("origin", False, False)
    assert open_data_repo(settings) == repo


def test_an_empty_folder_becomes_the_clone(settings: DataRepoSettings) -> None:
    """A mounted volume, for example, which nothing can be renamed onto."""
    (settings.path / "lost+found").mkdir(parents=True)
    inode = settings.path.stat().st_ino
    open_data_repo(settings)
    assert settings.path.stat().st_ino == inode
    assert (settings.path / "README.md").exists()


def test_an_empty_remote_gives_a_branch_without_commits(
    repo_settings: DataRepoSettings, empty_remote: Path
) -> None:
    repo = open_data_repo(replace(repo_settings, url=str(empty_remote), branch="dumps"))
    assert checked_out_branch(repo) == "dumps"
    assert tip(repo) is None


def test_another_branch_than_the_remotes_own_can_be_cloned(
    settings: DataRepoSettings, publisher: Somebody
) -> None:
    publisher.git("checkout", "-q", "-b", "dumps")
    commit = publisher.commit("Dumps", {"a.txt": "a\n"})
    publisher.git("push", "-q", "origin", "dumps")
    repo = open_data_repo(replace(settings, branch="dumps"))
    assert checked_out_branch(repo) == "dumps"
    assert tip(repo) == commit
    assert Somebody(repo.path).status() == ""


def test_a_remote_without_the_branch_is_named_with_what_it_has(
    settings: DataRepoSettings, publisher: Somebody
) -> None:
    publisher.git("push", "-q", "origin", "main:refs/heads/old")
    with pytest.raises(DataRepoError) as caught:
        open_data_repo(replace(settings, branch="master"))
    assert caught.value.message == (
        "the data repository has no branch `master`, it has `main`, `old`"
    )
    assert "DATA_REPO_BRANCH" in caught.value.hint
    assert not settings.path.exists()


def test_no_clone_and_no_url_is_an_error_with_the_way_out(repo_settings: DataRepoSettings) -> None:
    with pytest.raises(DataRepoError, match="no DATA_REPO_URL to clone it from") as caught:
        open_data_repo(repo_settings)
    assert "DATA_REPO_PATH" in caught.value.hint
    assert not repo_settings.path.exists()


def test_a_remote_that_is_not_there_leaves_no_folder_behind(
    repo_settings: DataRepoSettings, tmp_path: Path
) -> None:
    settings = replace(repo_settings, url=str(tmp_path / "nowhere.git"))
    with pytest.raises(RemoteUnreachable, match="nowhere") as caught:
        open_data_repo(settings)
    assert "DATA_REPO_URL" in caught.value.hint
    assert not settings.path.exists()


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_kill_while_cloning_leaves_no_clone_or_a_whole_one(
    settings: DataRepoSettings,
    bare_remote: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    moment: str,
) -> None:
    Somebody(bare_remote).git("config", "uploadpack.allowFilter", "true")
    path = os.environ["PATH"]
    for call in range(1, 30):
        once = replace(settings, path=tmp_path / f"clone-{call}")
        fake = killing_git(tmp_path / f"git-{call}", call, moment)
        monkeypatch.setenv("PATH", f"{fake}:{path}")
        died_of = in_a_child(partial(open_data_repo, once))
        monkeypatch.setenv("PATH", path)
        whole = (once.path / ".git").exists()
        assert not whole or Somebody(once.path).status() == ""
        repo = _opened(once)
        assert repo.partial
        assert Somebody(repo.path).status() == ""
        assert sorted(path.name for path in repo.path.iterdir()) == [".git", "README.md"]
        if died_of == 0:
            break
        assert died_of == signal.SIGKILL
    assert call > 3


def _opened(settings: DataRepoSettings) -> DataRepo:
    """What a killed process was about to start has its lock until it is another program."""
    until = time.monotonic() + 5
    while True:
        try:
            return open_data_repo(settings)
        except Busy:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


def test_two_processes_do_not_clone_at_once(settings: DataRepoSettings) -> None:
    with preparing(settings.path), pytest.raises(Busy, match="makes the clone"):
        open_data_repo(settings)
    open_data_repo(settings)


def test_a_file_is_no_data_repository(settings: DataRepoSettings) -> None:
    settings.path.write_text("a file")
    with pytest.raises(DataRepoError, match="is a file"):
        open_data_repo(settings)


def test_a_folder_with_other_things_is_not_cloned_into(settings: DataRepoSettings) -> None:
    settings.path.mkdir()
    (settings.path / "thesis.txt").write_text("mine")
    with pytest.raises(DataRepoError, match="is not a git repository"):
        open_data_repo(settings)
    assert [path.name for path in settings.path.iterdir()] == ["thesis.txt"]


def test_a_folder_inside_another_repository_is_not_taken_for_it(
    settings: DataRepoSettings, publisher: Somebody
) -> None:
    inside = publisher.path / "daily"
    with pytest.raises(DataRepoError, match="is not a git repository"):
        open_data_repo(replace(settings, path=inside))


def test_the_git_folder_itself_means_its_work_tree(settings: DataRepoSettings) -> None:
    repo = open_data_repo(settings)
    again = open_data_repo(replace(settings, path=settings.path / ".git"))
    assert (again.path, again.git_dir) == (repo.path, repo.git_dir)


def test_a_repository_without_a_configuration_is_one(settings: DataRepoSettings) -> None:
    repo = open_data_repo(settings)
    (repo.git_dir / "config").unlink()
    assert open_data_repo(replace(settings, url=None)).git_dir == repo.git_dir


@pytest.mark.parametrize("break_", ["\x85", "\u2028"])
def test_a_folder_may_be_named_with_what_only_unicode_calls_a_line_break(
    settings: DataRepoSettings, break_: str
) -> None:
    settings = replace(settings, path=settings.path.with_name(f"data{break_}repo"))
    assert open_data_repo(settings).path == settings.path


def test_a_url_beside_another_origin_is_refused_without_credentials(
    settings: DataRepoSettings,
) -> None:
    repo = open_data_repo(settings)
    origin = "https://me:ghp_recognisable@example.com/theirs.git"
    Somebody(repo.path).git("remote", "set-url", "origin", origin)
    with pytest.raises(DataRepoError) as caught:
        open_data_repo(settings)
    assert "is https://example.com/theirs.git, DATA_REPO_URL is" in caught.value.message
    assert "recognisable" not in caught.value.render()


def test_a_url_that_git_rewrites_to_the_origin_is_the_same(settings: DataRepoSettings) -> None:
    repo = open_data_repo(settings)
    owner = Somebody(repo.path)
    owner.git("config", f"url.{settings.url}.insteadOf", "https://example.com/data.git")
    assert open_data_repo(replace(settings, url="https://example.com/data.git")).remote == "origin"


def test_without_an_origin_the_url_is_the_remote(settings: DataRepoSettings) -> None:
    repo = open_data_repo(settings)
    Somebody(repo.path).git("remote", "remove", "origin")
    assert open_data_repo(settings).remote == settings.url
    assert open_data_repo(replace(settings, url=None)).remote is None


def test_a_branch_that_only_the_remote_has_is_created(
    settings: DataRepoSettings, publisher: Somebody
) -> None:
    repo = open_data_repo(settings)
    commit = publisher.commit("Dumps", {"a.txt": "a\n"})
    publisher.git("push", "-q", "origin", "main:refs/heads/dumps")
    dumps = open_data_repo(replace(settings, branch="dumps"))
    assert tip(dumps) == commit
    assert checked_out_branch(repo) == "main"
    assert Somebody(repo.path).status() == ""


def test_a_fresh_repository_gets_the_remotes_branch_with_its_files(
    settings: DataRepoSettings,
) -> None:
    subprocess.run(["git", "init", "-q", "-b", "main", str(settings.path)], check=True)
    owner = Somebody(settings.path)
    owner.write("README.md", "mine\n")
    repo = open_data_repo(settings)
    assert owner.git("log", "-1", "--format=%s") == "Data update for 2025-08-09 06:56 UTC"
    assert tip(repo) == owner.git("rev-parse", "HEAD")
    assert owner.status() == " M README.md"
    assert (repo.path / "daily/2025-08-09/a.json").exists()


def test_a_branch_that_nobody_has_is_named_with_those_there_are(
    settings: DataRepoSettings,
) -> None:
    open_data_repo(settings)
    with pytest.raises(DataRepoError, match=r"no branch `dumps`, it has `main`$"):
        open_data_repo(replace(settings, branch="dumps"))
    with pytest.raises(DataRepoError, match=r"no branch `dumps`, it has `main`$"):
        open_data_repo(replace(settings, branch="dumps", url=None))


def test_packed_branches_are_found(settings: DataRepoSettings) -> None:
    repo = open_data_repo(settings)
    before = tip(repo)
    Somebody(repo.path).git("pack-refs", "--all")
    assert tip(open_data_repo(settings)) == before


FILTER = "*.sql filter=lfs diff=lfs merge=lfs -text\n"


@pytest.mark.parametrize("place", ["sql_dumps/.gitattributes", ".git/info/attributes"])
def test_a_filter_that_outdoes_our_line_is_refused(settings: DataRepoSettings, place: str) -> None:
    owner = Somebody(open_data_repo(settings).path)
    owner.write(place, f"{LINE}\n{FILTER}")
    with pytest.raises(DataRepoError, match="filter `lfs`") as caught:
        open_data_repo(settings)
    assert f"`{LINE}` last in `sql_dumps/.gitattributes`" in caught.value.hint
    owner.write(place, f"{LINE}\n*.json filter=lfs\n")
    open_data_repo(settings)


@pytest.mark.parametrize("place", [".gitattributes", "sql_dumps/.gitattributes"])
def test_a_filter_that_our_line_will_outdo_is_none(settings: DataRepoSettings, place: str) -> None:
    """Also before the first dump has brought it."""
    owner = Somebody(open_data_repo(settings).path)
    owner.write(place, FILTER)
    open_data_repo(settings)


def test_the_way_out_of_a_filter_works(settings: DataRepoSettings) -> None:
    owner = Somebody(open_data_repo(settings).path)
    owner.write("sql_dumps/.gitattributes", f"{LINE}\n{FILTER}{LINE}\n")
    open_data_repo(settings)


def test_a_forge_has_a_page(settings: DataRepoSettings) -> None:
    repo = open_data_repo(settings)
    Somebody(repo.path).git("remote", "set-url", "origin", "git@github.com:a/b.git")
    assert open_data_repo(replace(settings, url=None)).web_url == "https://github.com/a/b"
