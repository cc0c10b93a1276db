"""Reading the branch at a commit."""

from __future__ import annotations

import hashlib

import pytest

from ppr_assets.data_repo.git import tree
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.git.tree import (
    read_file,
    sha256_at,
    tip,
)
from ppr_assets.data_repo.history.dump_folder import dump_folder
from ppr_assets.errors import DataRepoError
from ppr_assets_tests.fix_git import Somebody, own_children, publish_dump

pytestmark = pytest.mark.usefixtures("nobody_else")

FIRST = "pantry_pirate_radio_2026-11-22_02-00-00.sql"
SECOND = "pantry_pirate_radio_2026-11-23_02-00-00.sql"


def test_files_symlinks_and_folders_are_told_apart(data_repo: DataRepo) -> None:
    commit = publish_dump(data_repo, FIRST, "one\n")
    link = read_file(data_repo, commit, "sql_dumps/latest.sql")
    file = read_file(data_repo, commit, f"sql_dumps/{FIRST}")
    folder = read_file(data_repo, commit, "sql_dumps")
    assert link is not None
    assert (link.mode, link.data) == ("120000", FIRST.encode())
    assert file is not None
    assert (file.mode, file.data) == ("100644", b"one\n")
    assert folder is not None
    assert (folder.mode, folder.data) == ("040000", b"")
    assert read_file(data_repo, commit, "sql_dumps/nothing") is None
    assert read_file(data_repo, commit, "nowhere/at/all") is None


def test_what_lies_in_the_work_tree_does_not_count(data_repo: DataRepo, owner: Somebody) -> None:
    commit = publish_dump(data_repo, FIRST, "one\n")
    owner.write(f"sql_dumps/{FIRST}", "changed\n")
    owner.write(f"sql_dumps/{SECOND}", "not committed\n")
    assert list(dump_folder(data_repo, commit).dumps) == [FIRST]
    assert (
        sha256_at(data_repo, commit, f"sql_dumps/{FIRST}") == hashlib.sha256(b"one\n").hexdigest()
    )


def test_a_large_file_is_hashed_but_not_read_into_memory(
    data_repo: DataRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "a line of a dump\n" * 300_000
    commit = publish_dump(data_repo, FIRST, text)
    path = f"sql_dumps/{FIRST}"
    assert sha256_at(data_repo, commit, path) == hashlib.sha256(text.encode()).hexdigest()
    monkeypatch.setattr(tree, "SMALL_BYTES", 1000)
    with pytest.raises(DataRepoError, match=f"has {len(text)} bytes"):
        read_file(data_repo, commit, path)
    assert sha256_at(data_repo, commit, "sql_dumps") is None


@pytest.mark.parametrize("packed", [False, True])
def test_the_tip_is_where_it_is_now_and_costs_no_process(
    data_repo: DataRepo, owner: Somebody, packed: bool
) -> None:
    assert tip(data_repo) is not None
    reader = own_children()
    for text in ("one", "two"):
        new = owner.commit("More", {"file": text})
        if packed:
            owner.git("pack-refs", "--all")
        assert tip(data_repo) == new
    owner.git("update-ref", "-d", "refs/heads/main")
    assert tip(data_repo) is None
    assert own_children() == reader


def test_the_tip_is_told_also_where_its_commit_is_lost(
    data_repo: DataRepo, owner: Somebody
) -> None:
    new = owner.commit("More", {"file": "x"})
    (data_repo.git_dir / "objects" / new[:2] / new[2:]).unlink()
    assert tip(data_repo) == new
