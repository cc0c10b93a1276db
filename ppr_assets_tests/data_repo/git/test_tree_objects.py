"""What git lists is what its trees hold, whatever they are called."""

from __future__ import annotations

import pytest

from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.git.tree_objects import changed, listed, read_folder, root_of
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
