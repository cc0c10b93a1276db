"""Moving the branch while other people's work lies in the clone."""

from __future__ import annotations

import subprocess
import threading
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from ppr_assets.data_repo.checkout import work_trees as work_trees
from ppr_assets.data_repo.checkout.advance import BranchMoved, advance_branch, recover
from ppr_assets.data_repo.checkout.lock import data_repo_lock
from ppr_assets.data_repo.clone.clone import open_data_repo
from ppr_assets.data_repo.git.objects import Blob, write_blob, write_changed_tree, write_commit
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.git.tree import SYMLINK, tip
from ppr_assets.data_repo.history.dump_folder import dump_folder
from ppr_assets.data_repo.history.integrate import identity
from ppr_assets.data_repo.remote.remote import fetch
from ppr_assets.errors import DataRepoError
from ppr_assets.settings import DataRepoSettings
from ppr_assets_tests.fix_git import Somebody, commit_dump, publish_dump, stage_dump

pytestmark = pytest.mark.slow

FIRST = "pantry_pirate_radio_2026-11-22_02-00-00.sql"
SECOND = "pantry_pirate_radio_2026-11-23_02-00-00.sql"
RATCHET = "sql_dumps/.record_count_ratchet"


def _latest(folder: Path) -> str:
    return (folder / "sql_dumps" / "latest.sql").read_text()


def _retire(repo: DataRepo, dump: str, latest: str) -> str:
    """A commit that removes a dump."""
    base = tip(repo)
    assert base is not None
    folder = repo.dump_dir
    return write_commit(
        repo,
        write_changed_tree(
            repo,
            base,
            {
                f"{folder}/{dump}": None,
                f"{folder}/{dump.removesuffix('.sql')}.json": None,
                f"{folder}/latest.sql": Blob(SYMLINK, write_blob(repo, latest.encode())),
            },
        ),
        parents=[base],
        message="Retire a dump\n",
        author=identity(repo),
    )


def test_a_checked_out_branch_follows_with_index_and_files(
    data_repo: DataRepo, owner: Somebody
) -> None:
    new = publish_dump(data_repo, FIRST, "one\n")
    assert owner.git("rev-parse", "HEAD") == new
    assert owner.status() == ""
    assert _latest(data_repo.path) == "one\n"
    publish_dump(data_repo, SECOND, "two\n")
    assert owner.status() == ""
    assert _latest(data_repo.path) == "two\n"
    owner.git("fsck", "--strict")
    assert recover(data_repo) is False


def test_git_knows_the_new_files_times_and_need_not_read_them_again(
    data_repo: DataRepo, owner: Somebody
) -> None:
    publish_dump(data_repo, FIRST)
    # The plumbing reports whatever a status would have to read.
    assert owner.git("diff-files", "--name-only") == ""


def test_whoever_reads_latest_meanwhile_finds_a_whole_dump(data_repo: DataRepo) -> None:
    names = [f"pantry_pirate_radio_2026-11-22_02-00-{number:02}.sql" for number in range(6)]
    publish_dump(data_repo, names[0], "whole\n" * 1000)
    latest = data_repo.path / "sql_dumps" / "latest.sql"
    done = threading.Event()
    broken: list[str] = []

    def read() -> None:
        while not done.is_set():
            try:
                text = latest.read_text()
            except FileNotFoundError:
                text = "nothing"
            if text != "whole\n" * 1000:
                broken.append(text)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for old, new in pairwise(names):
            publish_dump(data_repo, new, "whole\n" * 1000)
            with data_repo_lock(data_repo):
                advance_branch(data_repo, tip(data_repo), _retire(data_repo, old, latest=new))
    finally:
        done.set()
        reader.join()
    assert broken == []


def test_the_staged_file_is_linked_and_not_written_again(data_repo: DataRepo) -> None:
    old = tip(data_repo)
    with data_repo_lock(data_repo):
        dump = stage_dump(data_repo, FIRST, "one\n")
        written = dump.path.stat().st_ino
        advance_branch(data_repo, old, commit_dump(data_repo, old, dump), staged=dump)
    assert (data_repo.path / "sql_dumps" / FIRST).stat().st_ino == written
    assert not dump.path.exists()


def test_without_the_staged_file_the_dump_is_written_from_the_commit(
    data_repo: DataRepo, owner: Somebody
) -> None:
    old = tip(data_repo)
    with data_repo_lock(data_repo):
        new = commit_dump(data_repo, old, stage_dump(data_repo, FIRST, "one\n"))
        advance_branch(data_repo, old, new)
    assert _latest(data_repo.path) == "one\n"
    assert owner.status() == ""


def test_changed_staged_deleted_and_unknown_files_of_somebody_stay(
    data_repo: DataRepo, owner: Somebody
) -> None:
    owner.commit("More", {"a.txt": "a\n", "b.txt": "b\n", "c.txt": "c\n"})
    owner.write("a.txt", "changed\n")
    owner.write("b.txt", "staged\n")
    owner.git("add", "b.txt")
    owner.write("b.txt", "staged and changed\n")
    (owner.path / "c.txt").unlink()
    owner.write("unknown.txt", "unknown\n")
    owner.write("sql_dumps/notes.txt", "beside the dumps\n")
    before = owner.status().replace("?? sql_dumps/", "?? sql_dumps/notes.txt")
    publish_dump(data_repo, FIRST)
    assert owner.status() == before
    assert owner.git("diff", "--cached", "--name-only") == "b.txt"
    assert (owner.path / "a.txt").read_text() == "changed\n"
    assert owner.git("show", ":b.txt") == "staged"


def test_our_own_files_stay_as_somebody_left_them(data_repo: DataRepo, owner: Somebody) -> None:
    publish_dump(data_repo, FIRST)
    owner.write(RATCHET, "a note instead\n")
    link = owner.path / "sql_dumps" / "latest.sql"
    link.unlink()
    owner.git("rm", "-q", "--cached", f"sql_dumps/{FIRST.removesuffix('.sql')}.json")
    publish_dump(data_repo, SECOND)
    assert (owner.path / RATCHET).read_text() == "a note instead\n"
    assert not link.is_symlink()
    status = set(owner.status().splitlines())
    # The mark did not change from one dump to the other here; latest did.
    assert {f" M {RATCHET}", " D sql_dumps/latest.sql"} <= status
    assert not any(SECOND in line for line in status)


def test_a_staged_mark_of_somebody_stays_staged(data_repo: DataRepo, owner: Somebody) -> None:
    publish_dump(data_repo, FIRST)
    owner.write(RATCHET, '{"max_record_count": 7}\n')
    owner.git("add", RATCHET)
    old = tip(data_repo)
    with data_repo_lock(data_repo):
        dump = stage_dump(data_repo, SECOND, "two\n")
        advance_branch(data_repo, old, commit_dump(data_repo, old, dump, mark=2600), staged=dump)
    assert owner.status() == f"M  {RATCHET}"
    assert owner.git("show", f":{RATCHET}") == '{"max_record_count": 7}'


def test_a_file_of_somebody_under_the_dumps_name_is_not_overwritten(
    data_repo: DataRepo, owner: Somebody
) -> None:
    owner.write(f"sql_dumps/{FIRST}", "mine\n")
    publish_dump(data_repo, FIRST, "ours\n")
    assert (owner.path / "sql_dumps" / FIRST).read_text() == "mine\n"
    assert owner.status() == f" M sql_dumps/{FIRST}"


def test_a_dump_folder_that_is_a_symlink_is_not_followed(
    data_repo: DataRepo, owner: Somebody, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (owner.path / "sql_dumps").symlink_to(elsewhere)
    new = publish_dump(data_repo, FIRST)
    assert list(elsewhere.iterdir()) == []
    assert (owner.path / "sql_dumps").is_symlink()
    assert tip(data_repo) == new


def test_another_branch_that_is_checked_out_is_left_alone(
    data_repo: DataRepo, owner: Somebody
) -> None:
    owner.git("checkout", "-q", "-b", "data-update-2025-08-09")
    owner.write("daily/x.json", "{}\n")
    before = owner.status()
    new = publish_dump(data_repo, FIRST)
    assert owner.git("rev-parse", "main") == new
    assert owner.git("symbolic-ref", "HEAD") == "refs/heads/data-update-2025-08-09"
    assert owner.status() == before
    assert not (owner.path / "sql_dumps").exists()


def test_a_detached_head_stays_where_it_is(data_repo: DataRepo, owner: Somebody) -> None:
    owner.git("checkout", "-q", "--detach")
    before = owner.git("rev-parse", "HEAD")
    new = publish_dump(data_repo, FIRST)
    assert owner.git("rev-parse", "HEAD", "main").split() == [before, new]
    assert owner.git("symbolic-ref", "-q", "HEAD", check=False) == ""
    assert owner.status() == ""


def test_a_merge_in_progress_goes_on_afterwards(data_repo: DataRepo, owner: Somebody) -> None:
    owner.git("checkout", "-q", "-b", "side")
    owner.commit("Side", {"README.md": "side\n"})
    owner.git("checkout", "-q", "main")
    owner.commit("Main", {"README.md": "main\n"})
    owner.git("merge", "side", check=False)
    assert owner.status() == "UU README.md"
    new = publish_dump(data_repo, FIRST)
    assert owner.status() == "UU README.md"
    owner.write("README.md", "both\n")
    owner.git("commit", "-q", "-a", "--no-edit")
    assert owner.git("rev-parse", "HEAD^1", "HEAD^2").split() == [
        new,
        owner.git("rev-parse", "side"),
    ]
    assert owner.status() == ""
    assert dump_folder(data_repo, owner.git("rev-parse", "HEAD")).latest == FIRST


def test_the_first_commit_of_an_empty_repository_is_a_root(
    repo_settings: DataRepoSettings,
) -> None:
    subprocess.run(["git", "init", "-q", "-b", "main", str(repo_settings.path)], check=True)
    owner = Somebody(repo_settings.path)
    owner.write("notes.txt", "not committed yet\n")
    repo = open_data_repo(repo_settings)
    new = publish_dump(repo, FIRST, "one\n")
    assert owner.git("rev-list", "--parents", "HEAD") == new
    assert owner.status() == "?? notes.txt"
    assert _latest(repo.path) == "one\n"


def test_a_bare_repository_has_nothing_to_follow(
    bare_remote: Path, repo_settings: DataRepoSettings
) -> None:
    repo = open_data_repo(replace(repo_settings, path=bare_remote))
    new = publish_dump(repo, FIRST)
    assert Somebody(bare_remote).git("rev-parse", "main") == new
    assert dump_folder(repo, new).latest == FIRST


def test_other_work_trees_on_the_branch_follow_too(
    data_repo: DataRepo, owner: Somebody, tmp_path: Path
) -> None:
    owner.git("checkout", "-q", "-b", "elsewhere")
    owner.git("worktree", "add", "-q", str(tmp_path / "on-main"), "main")
    owner.git("worktree", "add", "-q", "-b", "third", str(tmp_path / "third"))
    publish_dump(data_repo, FIRST, "one\n")
    assert Somebody(tmp_path / "on-main").status() == ""
    assert _latest(tmp_path / "on-main") == "one\n"
    assert not (tmp_path / "third" / "sql_dumps").exists()
    assert owner.status() == ""


def test_a_linked_work_tree_serves_as_the_clone(
    data_repo: DataRepo, owner: Somebody, tmp_path: Path
) -> None:
    owner.git("checkout", "-q", "-b", "elsewhere")
    owner.git("worktree", "add", "-q", str(tmp_path / "linked"), "main")
    linked = open_data_repo(replace(data_repo.settings, path=tmp_path / "linked"))
    assert linked.git_dir == data_repo.git_dir
    publish_dump(linked, FIRST, "one\n")
    assert Somebody(linked.path).status() == ""
    assert _latest(linked.path) == "one\n"
    assert owner.status() == ""


def test_a_rebase_of_the_branch_is_not_disturbed(data_repo: DataRepo, owner: Somebody) -> None:
    owner.git("checkout", "-q", "-b", "side")
    owner.commit("Side", {"README.md": "side\n"})
    owner.git("checkout", "-q", "main")
    before = owner.commit("Main", {"README.md": "main\n"})
    owner.git("rebase", "side", check=False)
    with pytest.raises(DataRepoError, match="`main` is being rebased"):
        publish_dump(data_repo, FIRST)
    assert owner.git("rev-parse", "main") == before
    owner.git("rebase", "--abort")
    publish_dump(data_repo, SECOND)


def test_files_outside_a_sparse_checkout_stay_outside(data_repo: DataRepo, owner: Somebody) -> None:
    publish_dump(data_repo, FIRST)
    owner.git("sparse-checkout", "set", "daily")
    assert not (owner.path / "sql_dumps").exists()
    publish_dump(data_repo, SECOND)
    assert owner.status() == ""
    assert not (owner.path / "sql_dumps").exists()


def test_a_retired_dump_leaves_the_folder(data_repo: DataRepo, owner: Somebody) -> None:
    publish_dump(data_repo, FIRST)
    publish_dump(data_repo, SECOND, "two\n")
    with data_repo_lock(data_repo):
        advance_branch(data_repo, tip(data_repo), _retire(data_repo, FIRST, latest=SECOND))
    assert owner.status() == ""
    assert not (owner.path / "sql_dumps" / FIRST).exists()
    assert _latest(owner.path) == "two\n"


def test_commits_of_others_arrive_as_a_checkout_would_write_them(
    data_repo: DataRepo, owner: Somebody, publisher: Somebody
) -> None:
    run = publisher.write("run.sh", "#!/bin/sh\n")
    run.chmod(0o755)
    (publisher.path / "link").symlink_to("README.md")
    publisher.commit(
        "Data",
        {
            ".gitattributes": "*.csv text eol=crlf\n",
            "a.csv": "1\n2\n",
            "run.sh": "#!/bin/sh\n",
            "späti/ß\n.txt": "ok\n",
        },
    )
    publisher.git("add", "link")
    publisher.git("rm", "-q", "daily/2025-08-09/a.json")
    publisher.git("commit", "-q", "-m", "Data")
    publisher.git("push", "-q", "origin", "main")
    theirs = fetch(data_repo)
    assert theirs is not None
    with data_repo_lock(data_repo):
        advance_branch(data_repo, tip(data_repo), theirs)
    assert owner.status() == ""
    assert (owner.path / "run.sh").stat().st_mode & 0o111
    assert (owner.path / "link").is_symlink()
    assert not (owner.path / "daily").exists()
    assert (owner.path / "späti/ß\n.txt").read_text() == "ok\n"


def test_a_branch_that_has_moved_is_not_moved_back(data_repo: DataRepo, owner: Somebody) -> None:
    old = tip(data_repo)
    dump = stage_dump(data_repo, FIRST, "one\n")
    new = commit_dump(data_repo, old, dump)
    theirs = owner.commit("Meanwhile", {"a.txt": "a\n"})
    with data_repo_lock(data_repo), pytest.raises(BranchMoved):
        advance_branch(data_repo, old, new, staged=dump)
    assert tip(data_repo) == theirs
    assert owner.status() == ""
    assert recover(data_repo) is False


def test_a_commit_in_the_last_moment_is_kept_and_our_files_go_back(
    data_repo: DataRepo, owner: Somebody, tmp_path: Path
) -> None:
    """Their commit comes when our files and our index are in place already."""
    hook = data_repo.git_dir / "hooks" / "reference-transaction"
    hook.write_text(
        "#!/bin/sh\n"
        'test "$1" = prepared || exit 0\n'
        f"test -e {tmp_path}/done && exit 0; touch {tmp_path}/done\n"
        "commit=$(git commit-tree -m theirs -p main 'main^{tree}')\n"
        f"echo $commit > {data_repo.git_dir}/refs/heads/main\n"
        "exit 1\n"
    )
    hook.chmod(0o755)
    old = tip(data_repo)
    dump = stage_dump(data_repo, FIRST, "one\n")
    new = commit_dump(data_repo, old, dump)
    with data_repo_lock(data_repo), pytest.raises(BranchMoved):
        advance_branch(data_repo, old, new, staged=dump)
    assert owner.git("log", "-1", "--format=%s") == "theirs"
    assert owner.status() == ""
    assert not (owner.path / "sql_dumps").exists()
    assert dump.path.read_text() == "one\n"


def test_an_index_that_somebody_holds_stops_the_move_before_it_begins(
    data_repo: DataRepo, owner: Somebody, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work_trees, "LOCK_SECONDS", 0.3)
    lock = data_repo.git_dir / "index.lock"
    lock.touch()
    before = owner.git("rev-parse", "main")
    with pytest.raises(DataRepoError, match=r"index\.lock") as caught:
        publish_dump(data_repo, FIRST)
    assert str(lock) in caught.value.message
    assert not (data_repo.state_dir / "moving.json").exists()
    lock.unlink()
    assert owner.git("rev-parse", "main") == before
    assert owner.status() == ""
    publish_dump(data_repo, SECOND)
    assert owner.status() == ""


def test_an_index_that_somebody_holds_for_a_moment_is_waited_for(
    data_repo: DataRepo, owner: Somebody, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = data_repo.git_dir / "index.lock"
    lock.touch()
    # The pause before it looks again.
    monkeypatch.setattr(work_trees, "sleep", lambda _: lock.unlink(missing_ok=True))
    publish_dump(data_repo, FIRST)
    assert not lock.exists()
    assert owner.status() == ""
