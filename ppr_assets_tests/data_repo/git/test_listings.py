"""What git prints is read as it was meant, whatever trees and commits hold."""

from __future__ import annotations

import pytest

from ppr_assets.data_repo.git.listings import (
    changed,
    default_branch,
    heads,
    listed,
    log_format,
    log_rows,
    work_tree_facts,
)
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.git.tree import read_folder, root_of
from ppr_assets_tests.fix_git import Somebody

FOLDER = 'odd "é\tone'


@pytest.fixture
def commit(owner: Somebody) -> str:
    owner.write(f"{FOLDER}/a", "a\n")
    return owner.commit("odd", {f"{FOLDER}/b c": "b\n"})


def test_a_listing_is_read_as_the_tree_itself(data_repo: DataRepo, commit: str) -> None:
    listing = data_repo.git("ls-tree", "-r", "-z", "--full-tree", commit, "--", f"{FOLDER}/")
    found = {path.decode().removeprefix(f"{FOLDER}/"): one for path, one in listed(listing)}
    assert found == read_folder(data_repo.objects, root_of(data_repo.objects, commit), FOLDER)
    assert {name: one.mode for name, one in found.items()} == {"b c": "100644"}
    assert [*listed(b"")] == []


def test_a_line_of_a_log_tells_name_mode_and_blob(data_repo: DataRepo, commit: str) -> None:
    (line,) = data_repo.word("log", "-1", "--raw", "--no-abbrev", "--format=", commit).splitlines()
    path, mode, sha = changed(line)
    assert path.rpartition("/")[2] == "b c"
    assert (mode, data_repo.objects.read(sha).data) == ("100644", b"b\n")


def test_a_log_tells_fields_and_changes_of_each_commit(
    data_repo: DataRepo, owner: Somebody, commit: str
) -> None:
    last = owner.commit("of\x1e two\n\n\tlines\n", {"c": "c\n"})
    asked = ("log", "-2", "--name-status", *log_format("%s", "%B", "%H"))
    newer, older = log_rows(data_repo.git(*asked, last), 3)
    assert newer == ("of\x1e two", "of\x1e two\n\n\tlines\n", last, "\n\nA\tc\n")
    assert older[:3] == ("odd", "odd\n", commit)
    assert [*log_rows(b"", 3)] == []


def test_what_a_remote_has_is_read_by_branch() -> None:
    listing = b"ref: refs/heads/main\tHEAD\naa\tHEAD\naa\trefs/heads/main\n"
    nested = b"bb\trefs/remotes/refs/heads/main\ncc\trefs/heads/a/main\n"
    assert heads(listing.partition(b"\n")[2] + nested) == {"main": "aa", "a/main": "cc"}
    assert default_branch(listing) == "main"
    assert default_branch(nested) is None


def test_each_work_tree_has_its_facts() -> None:
    listing = b"worktree /a b\0HEAD aa\0branch refs/heads/x\0\0worktree /c\0bare\0\0"
    first, second, *rest = work_tree_facts(listing)
    assert first == {b"worktree": b"/a b", b"HEAD": b"aa", b"branch": b"refs/heads/x"}
    assert second == {b"worktree": b"/c", b"bare": b""}
    assert not any(facts.get(b"HEAD") for facts in rest)
