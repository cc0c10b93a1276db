"""The dump folder at a commit: its dumps, what is latest, and whether there ever was one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.git.tree import tip
from ppr_assets.data_repo.history.dump_folder import DumpFolders, dump_folder
from ppr_assets.data_repo.history.dump_history import ever_there
from ppr_assets.errors import DataRepoError, DumpDamaged
from ppr_assets.rules.naming import DUMPS, RATCHET
from ppr_assets_tests.fix_git import Somebody, publish_dump

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("nobody_else")]

FIRST = "pantry_pirate_radio_2026-11-22_02-00-00.sql"
SECOND = "pantry_pirate_radio_2026-11-23_02-00-00.sql"


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
    assert not ever_there(data_repo, commit, RATCHET, DUMPS)


def test_latest_is_the_target_of_the_link(data_repo: DataRepo) -> None:
    publish_dump(data_repo, SECOND)
    commit = publish_dump(data_repo, FIRST)
    assert dump_folder(data_repo, commit).latest == FIRST


@pytest.mark.parametrize(
    ("target", "problem"),
    [
        ("../README.md", r"leads to `\.\./README\.md`, which is not a dump beside it"),
        ("/etc/passwd", "which is not a dump beside it"),
        (f"old/{FIRST}", "which is not a dump beside it"),
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


def test_other_files_in_the_folder_are_no_history_of_dumps(
    data_repo: DataRepo, owner: Somebody
) -> None:
    owner.commit("Notes", {"sql_dumps/README.md": "# dumps\n", f"elsewhere/{FIRST}": "x"})
    commit = tip(data_repo)
    assert commit is not None
    assert not ever_there(data_repo, commit, RATCHET, DUMPS)


def test_names_that_are_no_text_do_not_stop_a_listing(data_repo: DataRepo, owner: Somebody) -> None:
    publish_dump(data_repo, FIRST)
    odd = Path(os.fsdecode(os.fsencode(owner.path) + b"/sql_dumps/\xff\n.txt"))
    odd.write_text("odd")
    owner.git("add", "-A")
    owner.git("commit", "-q", "-m", "Odd")
    commit = tip(data_repo)
    assert commit is not None
    assert list(dump_folder(data_repo, commit).dumps) == [FIRST]


def test_a_folder_that_commits_did_not_change_is_read_once(
    data_repo: DataRepo, owner: Somebody
) -> None:
    before = publish_dump(data_repo, FIRST)
    after = owner.commit("More", {"daily/b.json": "{}"})
    folders = DumpFolders(data_repo)
    assert folders.at(after) is folders.at(before)
    assert folders.at(publish_dump(data_repo, SECOND)).dumps == (FIRST, SECOND)
    assert folders.at("0" * 40).dumps == ()


def test_all_that_is_asked_of_a_folder_costs_the_one_reader(
    data_repo: DataRepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = publish_dump(data_repo, FIRST)
    data_repo.objects.rest()
    monkeypatch.setenv("GIT_TRACE2", str(tmp_path / "trace"))
    folder = dump_folder(data_repo, commit)
    assert (folder.latest, folder.newest, folder.newest_described) == (FIRST, FIRST, FIRST)
    assert folder.mark is not None
    assert folder.path(FIRST) == f"sql_dumps/{FIRST}"
    assert isinstance(folder.described()[FIRST], DumpDamaged)  # no manifest of ours
    started = [line for line in (tmp_path / "trace").read_text().splitlines() if " start " in line]
    assert len(started) == 1
