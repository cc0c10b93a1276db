"""Every dump that the branch ever had, as its commits tell of them."""

from __future__ import annotations

import pytest

from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.git.tree import read_file, tip
from ppr_assets.data_repo.history.dump_history import dump_history, ever_there, newest_manifests
from ppr_assets.rules.naming import DUMPS, RATCHET
from ppr_assets_tests.fix_git import Somebody

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("nobody_else")]

FIRST = "pantry_pirate_radio_2026-11-22_02-00-00.sql"


@pytest.mark.parametrize("folded", ["Dump", "Override-By"])
def test_a_trailer_that_somebody_has_folded_ends_no_history(
    data_repo: DataRepo, owner: Somebody, folded: str
) -> None:
    trailers = {"Dump": FIRST, "Records": "organization=2", "Override-By": "Ada"}
    trailers[folded] += "\n  and more"
    words = "\n".join(f"{key}: {value}" for key, value in trailers.items())
    commit = owner.commit(f"By hand\n\n{words}\n", {f"sql_dumps/{FIRST}": "--\n"})
    found = dump_history(data_repo, commit)[FIRST]
    assert found.published.commit == commit
    told = ({}, "") if folded == "Dump" else ({"organization": 2}, "Ada and more")
    assert (found.records, found.override_by) == told


@pytest.mark.parametrize("path", [FIRST, f"{FIRST}.gz", ".record_count_ratchet"])
def test_history_knows_what_is_gone(data_repo: DataRepo, owner: Somebody, path: str) -> None:
    owner.commit("Add", {f"sql_dumps/{path}": "x"})
    owner.git("rm", "-q", f"sql_dumps/{path}")
    owner.git("commit", "-q", "-m", "Remove")
    commit = tip(data_repo)
    assert commit is not None
    assert ever_there(data_repo, commit, RATCHET, DUMPS)


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
    assert ever_there(data_repo, commit, RATCHET, DUMPS)


def test_manifests_of_retired_dumps_are_found_on_the_branch_that_was_published(
    data_repo: DataRepo, owner: Somebody
) -> None:
    names = [f"pantry_pirate_radio_2026-11-2{day}_02-00-00.json" for day in range(5)]
    retired, dropped, merged, *standing = names
    owner.commit("Dump", {f"sql_dumps/{retired}": "old"})
    owner.git("rm", "-q", f"sql_dumps/{retired}")
    owner.git("commit", "-q", "-m", "Retire")
    for side, name in (("ours", dropped), ("recursive", merged)):
        owner.git("checkout", "-q", "-b", side)
        owner.commit("Dump", {f"sql_dumps/{name}": side, f"sql_dumps/a/{name}": "deeper"})
        owner.git("checkout", "-q", "main")
        owner.commit("Main", {"a.txt": side})
        owner.git("merge", "-q", "-s", side, "--no-edit", side)
    for name in standing:
        owner.commit("Dump", {f"sql_dumps/{name}": name})
    commit = tip(data_repo)
    assert commit is not None
    found = newest_manifests(data_repo, commit, 60)
    assert [*found] == [*reversed(standing), merged, retired]
    assert data_repo.objects.read(found[retired]).data == b"old"
    assert [*newest_manifests(data_repo, commit, 2)] == [*reversed(standing)]
