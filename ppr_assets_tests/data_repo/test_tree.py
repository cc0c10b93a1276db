"""Reading the branch at a commit."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from ppr_assets.data_repo.git import tree
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.git.tree import (
    read_file,
    sha256_at,
    tip,
)
from ppr_assets.data_repo.history.dump_folder import dump_folder, dumps_ever
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


def test_dumps_are_listed_oldest_first_and_nothing_else(
    data_repo: DataRepo, owner: Somebody
) -> None:
    publish_dump(data_repo, SECOND)
    publish_dump(data_repo, FIRST)
    upstreams = "pantry_pirate_radio_2025-08-09_06-00-00.sql.gz"
    owner.commit(
        "More",
        {
            f"sql_dumps/{upstreams}": "gz",
            "sql_dumps/README.md": "",
            "sql_dumps/old/pantry_pirate_radio_2024-01-01_00-00-00.sql": "",
            "pantry_pirate_radio_2024-01-01_00-00-00.sql": "",
        },
    )
    commit = tip(data_repo)
    assert commit is not None
    assert list(dump_folder(data_repo, commit).dumps) == [upstreams, FIRST, SECOND]


def test_before_the_first_dump_there_is_nothing(data_repo: DataRepo) -> None:
    commit = tip(data_repo)
    assert commit is not None
    assert list(dump_folder(data_repo, commit).dumps) == []
    assert dump_folder(data_repo, commit).latest is None
    assert not dumps_ever(data_repo, commit)


def test_latest_is_the_target_of_the_link(data_repo: DataRepo) -> None:
    publish_dump(data_repo, SECOND)
    commit = publish_dump(data_repo, FIRST)
    assert dump_folder(data_repo, commit).latest == FIRST


@pytest.mark.parametrize(
    ("target", "problem"),
    [
        ("../README.md", r"leads to `\.\./README\.md`, which is no dump beside it"),
        ("/etc/passwd", "which is no dump beside it"),
        (f"old/{FIRST}", "which is no dump beside it"),
        (SECOND, f"leads to `{SECOND}`, which is not there"),
        (None, "is not a symlink"),
    ],
)
def test_a_latest_that_leads_elsewhere_is_an_error(
    data_repo: DataRepo, owner: Somebody, target: str | None, problem: str
) -> None:
    publish_dump(data_repo, FIRST)
    link = owner.path / "sql_dumps" / "latest.sql"
    link.unlink()
    if target is None:
        link.write_text("SELECT 1;\n")
    else:
        link.symlink_to(target)
    owner.git("commit", "-q", "-a", "-m", "Break latest")
    commit = tip(data_repo)
    assert commit is not None
    with pytest.raises(DataRepoError, match=problem):
        assert dump_folder(data_repo, commit).latest


def test_a_link_with_a_dot_before_it_is_fine(data_repo: DataRepo, owner: Somebody) -> None:
    publish_dump(data_repo, FIRST)
    link = owner.path / "sql_dumps" / "latest.sql"
    link.unlink()
    link.symlink_to(f"./{FIRST}")
    owner.git("commit", "-q", "-a", "-m", "Write it otherwise")
    commit = tip(data_repo)
    assert commit is not None
    assert dump_folder(data_repo, commit).latest == FIRST


@pytest.mark.parametrize("path", [FIRST, f"{FIRST}.gz", ".record_count_ratchet"])
def test_history_knows_what_is_gone(data_repo: DataRepo, owner: Somebody, path: str) -> None:
    owner.commit("Add", {f"sql_dumps/{path}": "x"})
    owner.git("rm", "-q", f"sql_dumps/{path}")
    owner.git("commit", "-q", "-m", "Remove")
    commit = tip(data_repo)
    assert commit is not None
    assert dumps_ever(data_repo, commit)


def test_history_that_a_merge_has_dropped_still_counts(
    data_repo: DataRepo, owner: Somebody
) -> None:
    """The merge takes the other side's tree: the usual simplification would follow that alone."""
    owner.git("checkout", "-q", "-b", "side")
    owner.commit("Ratchet", {"sql_dumps/.record_count_ratchet": "{}"})
    owner.git("checkout", "-q", "main")
    owner.commit("Main", {"a.txt": "a"})
    owner.git("merge", "-q", "-s", "ours", "--no-edit", "side")
    commit = tip(data_repo)
    assert commit is not None
    assert read_file(data_repo, commit, "sql_dumps/.record_count_ratchet") is None
    assert dumps_ever(data_repo, commit)


def test_other_files_in_the_folder_are_no_history_of_dumps(
    data_repo: DataRepo, owner: Somebody
) -> None:
    owner.commit("Notes", {"sql_dumps/README.md": "# dumps\n", f"elsewhere/{FIRST}": "x"})
    commit = tip(data_repo)
    assert commit is not None
    assert not dumps_ever(data_repo, commit)


def test_names_that_are_no_text_do_not_stop_a_listing(data_repo: DataRepo, owner: Somebody) -> None:
    publish_dump(data_repo, FIRST)
    odd = Path(os.fsdecode(os.fsencode(owner.path) + b"/sql_dumps/\xff\n.txt"))
    odd.write_text("odd")
    owner.git("add", "-A")
    owner.git("commit", "-q", "-m", "Odd")
    commit = tip(data_repo)
    assert commit is not None
    assert list(dump_folder(data_repo, commit).dumps) == [FIRST]


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
