"""The commit to publish on when clone and remote have both moved."""

from __future__ import annotations

import json

import pytest

from ppr_assets.data_repo.checkout.advance import advance_branch
from ppr_assets.data_repo.checkout.lock import data_repo_lock
from ppr_assets.data_repo.git.repository import DataRepo, is_ancestor
from ppr_assets.data_repo.git.tree import read_file, tip
from ppr_assets.data_repo.history.dump_folder import dump_folder
from ppr_assets.data_repo.history.integrate import base_for_publishing
from ppr_assets.data_repo.remote.remote import fetch
from ppr_assets.errors import DataRepoError
from ppr_assets_tests.fix_git import Somebody, commit_dump, publish_dump, stage_dump

pytestmark = [pytest.mark.usefixtures("nobody_else"), pytest.mark.slow]

FIRST = "pantry_pirate_radio_2026-11-22_02-00-00.sql"
SECOND = "pantry_pirate_radio_2026-11-23_02-00-00.sql"
THIRD = "pantry_pirate_radio_2026-11-24_02-00-00.sql"
RATCHET = "sql_dumps/.record_count_ratchet"


def _dump(repo: DataRepo, name: str, mark: int) -> str:
    """Publish in the clone."""
    with data_repo_lock(repo):
        old = tip(repo)
        dump = stage_dump(repo, name, f"{name}\n")
        new = commit_dump(repo, old, dump, mark)
        advance_branch(repo, old, new, staged=dump)
    return new


def _their_dump(publisher: Somebody, name: str, mark: int) -> str:
    """Another producer publishes to the remote."""
    publisher.git("pull", "-q", "--rebase", "origin", "main")
    folder = publisher.path / "sql_dumps"
    folder.mkdir(exist_ok=True)
    (folder / "latest.sql").unlink(missing_ok=True)
    (folder / "latest.sql").symlink_to(name)
    publisher.write(f"sql_dumps/{name}", f"{name}\n")
    publisher.write(f"sql_dumps/{name.removesuffix('.sql')}.json", "{}\n")
    publisher.write(RATCHET, json.dumps({"max_record_count": mark}) + "\n")
    publisher.git("add", "-A")
    publisher.git("commit", "-q", "-m", f"Their {name}")
    publisher.git("push", "-q", "origin", "main")
    return publisher.git("rev-parse", "HEAD")


def _base(repo: DataRepo) -> str:
    base = base_for_publishing(repo, tip(repo), fetch(repo))
    assert base is not None
    return base


def _mark(repo: DataRepo, commit: str) -> int:
    file = read_file(repo, commit, RATCHET)
    assert file is not None
    return int(json.loads(file.data)["max_record_count"])


def test_nothing_on_one_side_is_the_other_side(data_repo: DataRepo) -> None:
    commit = tip(data_repo)
    assert base_for_publishing(data_repo, None, None) is None
    assert base_for_publishing(data_repo, commit, None) == commit
    assert base_for_publishing(data_repo, None, commit) == commit


def test_the_newer_of_two_in_a_line_is_taken(data_repo: DataRepo, publisher: Somebody) -> None:
    assert _base(data_repo) == tip(data_repo)
    theirs = publisher.commit("Data", {"daily/b.json": "{}"})
    publisher.git("push", "-q", "origin", "main")
    assert _base(data_repo) == theirs
    with data_repo_lock(data_repo):
        advance_branch(data_repo, tip(data_repo), theirs)
    ours = _dump(data_repo, FIRST, 2500)
    assert _base(data_repo) == ours


def test_diverged_sides_are_merged_without_a_work_tree(
    data_repo: DataRepo, owner: Somebody, publisher: Somebody
) -> None:
    ours = _dump(data_repo, FIRST, 2500)
    theirs = publisher.commit("Data", {"daily/b.json": "{}", "README.md": "# more\n"})
    publisher.git("push", "-q", "origin", "main")
    owner.write("README.md", "somebody's own\n")
    merged = _base(data_repo)
    assert owner.git("rev-list", "--parents", "-1", merged) == f"{merged} {ours} {theirs}"
    assert owner.git("show", f"{merged}:README.md") == "# more"
    assert dump_folder(data_repo, merged).latest == FIRST
    assert tip(data_repo) == ours
    assert owner.status() == " M README.md"
    assert owner.git("log", "-1", "--format=%an", merged) == "Pantry Pirate Radio Publisher"
    owner.git("fsck", "--strict")


@pytest.mark.parametrize(
    ("here", "there", "latest"), [(SECOND, THIRD, THIRD), (THIRD, SECOND, THIRD)]
)
def test_dumps_of_both_sides_stay_and_latest_is_the_newer(
    data_repo: DataRepo, publisher: Somebody, here: str, there: str, latest: str
) -> None:
    _dump(data_repo, FIRST, 2500)
    data_repo.git("push", "-q", "origin", "main")
    _dump(data_repo, here, 2600)
    _their_dump(publisher, there, 2700)
    merged = _base(data_repo)
    assert list(dump_folder(data_repo, merged).dumps) == [FIRST, SECOND, THIRD]
    assert read_file(data_repo, merged, f"sql_dumps/{there.removesuffix('.sql')}.json") is not None
    assert dump_folder(data_repo, merged).latest == latest
    assert _mark(data_repo, merged) == 2700
    with data_repo_lock(data_repo):
        advance_branch(data_repo, tip(data_repo), merged)
    assert Somebody(data_repo.path).status() == ""


def test_both_sides_first_dumps_meet(data_repo: DataRepo, publisher: Somebody) -> None:
    _dump(data_repo, SECOND, 2500)
    _their_dump(publisher, FIRST, 2400)
    merged = _base(data_repo)
    assert list(dump_folder(data_repo, merged).dumps) == [FIRST, SECOND]
    assert dump_folder(data_repo, merged).latest == SECOND
    assert _mark(data_repo, merged) == 2500


def test_a_mark_that_one_side_lowered_on_purpose_stays_lowered(
    data_repo: DataRepo, owner: Somebody, publisher: Somebody
) -> None:
    _dump(data_repo, FIRST, 2500)
    data_repo.git("push", "-q", "origin", "main")
    publisher.git("pull", "-q", "--rebase", "origin", "main")
    publisher.commit("Reset the mark", {RATCHET: '{"max_record_count": 900}\n'})
    publisher.git("push", "-q", "origin", "main")
    owner.commit("Something else", {"a.txt": "a"})
    assert _mark(data_repo, _base(data_repo)) == 900


def test_a_mark_that_one_side_removed_is_that_of_the_other(
    data_repo: DataRepo, publisher: Somebody
) -> None:
    _dump(data_repo, FIRST, 2500)
    data_repo.git("push", "-q", "origin", "main")
    publisher.git("pull", "-q", "--rebase", "origin", "main")
    publisher.git("rm", "-q", RATCHET)
    publisher.git("commit", "-q", "-m", "Remove the mark")
    publisher.git("push", "-q", "origin", "main")
    _dump(data_repo, SECOND, 2600)
    assert _mark(data_repo, _base(data_repo)) == 2600


def test_a_dump_that_one_side_retired_is_no_rename_of_a_new_one(
    data_repo: DataRepo, owner: Somebody, publisher: Somebody
) -> None:
    """Both retire the same dump and add another that resembles it: to git two renames of one."""
    _dump(data_repo, FIRST, 2500)
    owner.write(f"sql_dumps/{FIRST}", "the same line\n" * 500)
    owner.git("commit", "-q", "-a", "-m", "Make it long")
    owner.git("push", "-q", "origin", "main")
    publisher.git("pull", "-q", "--rebase", "origin", "main")
    for somebody, name in ((owner, SECOND), (publisher, THIRD)):
        somebody.git("rm", "-q", f"sql_dumps/{FIRST}")
        (somebody.path / "sql_dumps/latest.sql").unlink()
        (somebody.path / "sql_dumps/latest.sql").symlink_to(name)
        somebody.write(f"sql_dumps/{name}", "the same line\n" * 500 + name)
        somebody.git("add", "-A")
        somebody.git("commit", "-q", "-m", name)
    publisher.git("push", "-q", "origin", "main")
    merged = _base(data_repo)
    assert list(dump_folder(data_repo, merged).dumps) == [SECOND, THIRD]
    assert dump_folder(data_repo, merged).latest == THIRD


def test_unrelated_histories_of_a_first_night_offline_are_merged(
    data_repo: DataRepo, owner: Somebody
) -> None:
    theirs = fetch(data_repo)
    owner.git("checkout", "-q", "--orphan", "alone")
    owner.git("rm", "-rfq", ".")
    owner.git("commit", "-q", "--allow-empty", "-m", "Alone")
    alone = owner.git("rev-parse", "HEAD")
    merged = base_for_publishing(data_repo, alone, theirs)
    assert merged is not None
    assert theirs is not None
    assert is_ancestor(data_repo, theirs, merged)
    assert is_ancestor(data_repo, alone, merged)


def test_a_conflict_elsewhere_is_named_and_left_to_people(
    data_repo: DataRepo, owner: Somebody, publisher: Somebody
) -> None:
    before = owner.commit("Ours", {"README.md": "ours\n", "kept.txt": "kept\n"})
    publisher.commit("Theirs", {"README.md": "theirs\n"})
    publisher.git("push", "-q", "origin", "main")
    with pytest.raises(DataRepoError) as caught:
        _base(data_repo)
    assert caught.value.render() == (
        "`main` here and on the remote cannot be merged, both have changed `README.md`\n"
        f"HINT: merge them by hand (`git pull` in `{owner.path}`); the dump is pending until then."
    )
    assert tip(data_repo) == before
    assert owner.status() == ""


def test_one_dump_with_two_contents_is_a_conflict_too(
    data_repo: DataRepo, publisher: Somebody
) -> None:
    publish_dump(data_repo, FIRST, "ours\n")
    _their_dump(publisher, FIRST, 2500)
    with pytest.raises(DataRepoError, match=FIRST):
        _base(data_repo)
