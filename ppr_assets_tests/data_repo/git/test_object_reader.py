"""Objects by a git that stays: what happens when it hangs, dies, or is not listened to."""

from __future__ import annotations

from pathlib import Path

import pytest

from ppr_assets.data_repo.git.command import run
from ppr_assets.data_repo.git.errors import GitCommandFailed, ObjectLost
from ppr_assets.data_repo.git.object_reader import ObjectMissing, ObjectReader
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.git.tree import read_entries, tip
from ppr_assets.errors import GitTimeout
from ppr_assets_tests.fix_git import Somebody, own_children
from ppr_assets_tests.fix_tools import FakeTool

SHA = "a" * 40


def test_a_git_that_falls_silent_is_ended(
    tmp_path: Path, git_environment: None, fake_tool: FakeTool
) -> None:
    run(tmp_path, "version", timeout=30)
    fake_tool("git", f"echo {SHA} blob 100; echo first; sleep 1000")
    with ObjectReader(tmp_path, 1) as reader:
        pieces = reader.stream(SHA)
        assert next(pieces) == b"first\n"
        with pytest.raises(GitTimeout):
            next(pieces)
    assert own_children() == []


def test_an_object_that_is_removed_between_two_questions_is_missing_at_once(
    tmp_path: Path, git_environment: None, fake_tool: FakeTool
) -> None:
    run(tmp_path, "version", timeout=30)
    fake_tool("git", f"read one; echo {SHA} blob 5; read two; echo {SHA} missing; sleep 1000")
    with ObjectReader(tmp_path, 5) as reader, pytest.raises(ObjectMissing, match=SHA):
        reader.read(SHA)
    assert own_children() == []


def test_one_that_nobody_listens_to_any_more_is_ended(
    tmp_path: Path, git_environment: None, fake_tool: FakeTool
) -> None:
    run(tmp_path, "version", timeout=30)
    fake_tool("git", f"echo {SHA} blob 100000000; while :; do echo more; done")
    with ObjectReader(tmp_path, 30) as reader:
        next(reader.stream(SHA))
        assert len(own_children()) == 1
    assert own_children() == []


def test_one_that_dies_is_told_of(tmp_path: Path, git_environment: None) -> None:
    with (
        ObjectReader(tmp_path, 30) as reader,
        pytest.raises(GitCommandFailed, match=r"cat-file.*not a git repository"),
    ):
        list(reader.stream(SHA))
    assert own_children() == []


def test_what_is_read_again_costs_no_question_and_no_process(data_repo: DataRepo) -> None:
    commit = tip(data_repo)
    assert commit
    entries = read_entries(data_repo, commit)
    (asked,) = own_children()
    data_repo.objects.close()
    assert read_entries(data_repo, commit) == entries
    assert asked not in own_children()


def test_a_tree_that_is_lost_is_not_an_empty_folder(data_repo: DataRepo, owner: Somebody) -> None:
    commit = owner.commit("Bring a file", {"sql_dumps/inside/file": "x"})
    tree = owner.git("rev-parse", f"{commit}:sql_dumps/inside").strip()
    lost = data_repo.git_dir / "objects" / tree[:2] / tree[2:]
    lost.unlink()
    assert read_entries(data_repo, commit, "sql_dumps/")
    with pytest.raises(ObjectLost, match=tree):
        read_entries(data_repo, commit, "sql_dumps/inside/")
