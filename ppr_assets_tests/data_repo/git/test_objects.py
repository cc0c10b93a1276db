"""Commits that are made beside the work tree."""

from __future__ import annotations

import dataclasses
import os
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from msgspec.structs import replace

from ppr_assets.data_repo.checkout.advance import advance_branch
from ppr_assets.data_repo.checkout.lock import data_repo_lock
from ppr_assets.data_repo.clone.clone import open_data_repo
from ppr_assets.data_repo.git.objects import (
    Blob,
    Identity,
    NewFile,
    blob_name,
    write_blob,
    write_changed_tree,
    write_commit,
)
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.git.tree import FILE, SYMLINK, tip
from ppr_assets.errors import DataRepoError
from ppr_assets.settings import DataRepoSettings
from ppr_assets_tests.fix_git import Somebody, publish_dump

pytestmark = pytest.mark.usefixtures("nobody_else")

MOMENT = datetime(2026, 11, 22, 2, 0, 7, tzinfo=UTC)
AUTHOR = Identity("Pantry Pirate Radio Publisher", "pantry-pirate-radio@example.com", MOMENT)


def _commit(
    repo: DataRepo,
    base: str | None,
    changes: Mapping[str, Blob | NewFile | None],
    *,
    message: str = "Message\n",
    author: Identity = AUTHOR,
) -> str:
    tree = write_changed_tree(repo, base, changes)
    return write_commit(repo, tree, parents=[base] if base else [], message=message, author=author)


def test_a_commit_changes_what_was_asked_and_keeps_the_rest(
    data_repo: DataRepo, owner: Somebody
) -> None:
    base = owner.commit("More", {"a/b/c.txt": "c", "a/d.txt": "d", "e.txt": "e", "ä/\n.txt": "ä"})
    blob = Blob(FILE, write_blob(data_repo, b"new\n"))
    new = _commit(
        data_repo,
        base,
        {
            "a/b/c.txt": blob,
            "a/b/new/x.txt": blob,
            "a/d.txt": None,
            "link": Blob(SYMLINK, blob.sha),
        },
    )
    owner.git("fsck", "--strict")
    changed = owner.git("diff-tree", "-r", "--name-status", base, new)
    assert changed.split() == ["M", "a/b/c.txt", "A", "a/b/new/x.txt", "D", "a/d.txt", "A", "link"]
    assert owner.git("ls-tree", new, "link").startswith("120000 blob")


def test_new_files_and_their_folders_are_one_process(
    data_repo: DataRepo, owner: Somebody, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = owner.commit("More", {"a/x": "x", "b/c": "x"})  # git sorts `a.b` before the folder `a/`
    changes = {
        "a.b": NewFile(FILE, b""),
        **{f"b/{number}/{number}": NewFile(FILE, b"x" * number) for number in (15, 16, 2047, 2048)},
        "b/link": NewFile(SYMLINK, b"c"),
    }
    trace = tmp_path / "trace"
    monkeypatch.setenv("GIT_TRACE2", str(trace))
    new = _commit(data_repo, base, changes)
    started = [line for line in trace.read_text().splitlines() if " cmd_name " in line]
    verbs = [line.split()[-2] for line in started]
    assert verbs == ["cat-file", "unpack-objects", "config", "commit-tree"]
    owner.git("fsck", "--strict")
    for path, change in changes.items():
        assert change is not None
        assert owner.git("cat-file", "blob", f"{new}:{path}").encode() == change.data


def test_a_folder_that_becomes_empty_goes(data_repo: DataRepo, owner: Somebody) -> None:
    base = owner.commit("More", {"a/b/c.txt": "c"})
    new = _commit(data_repo, base, {"a/b/c.txt": None})
    assert "a" not in owner.git("ls-tree", "--name-only", new).splitlines()


def test_the_last_file_of_all_may_go(data_repo: DataRepo, owner: Somebody) -> None:
    root = _commit(data_repo, None, {"only.txt": Blob(FILE, write_blob(data_repo, b""))})
    nothing = _commit(data_repo, root, {"only.txt": None})
    assert owner.git("ls-tree", nothing) == ""
    owner.git("fsck", "--strict")


def test_author_date_and_message_are_those_given(data_repo: DataRepo, owner: Somebody) -> None:
    base = tip(data_repo)
    late = datetime(2026, 11, 22, 4, 0, 7, tzinfo=timezone(timedelta(hours=2)))
    new = _commit(
        data_repo, base, {}, message="Über 2500 📦\n\nBody\n", author=replace(AUTHOR, at=late)
    )
    told = owner.git("log", "-1", "--format=%an <%ae> %cn <%ce> %aI %cI%n%B", new)
    who = "Pantry Pirate Radio Publisher <pantry-pirate-radio@example.com>"
    when = "2026-11-22T04:00:07+02:00"
    assert told.strip() == f"{who} {who} {when} {when}\nÜber 2500 📦\n\nBody"


def test_the_same_commit_twice_is_one_commit(data_repo: DataRepo) -> None:
    base = tip(data_repo)
    blob = Blob(FILE, write_blob(data_repo, b"x"))
    assert _commit(data_repo, base, {"x": blob}) == _commit(data_repo, base, {"x": blob})


@pytest.mark.parametrize("kind", ["file", "symlink", "submodule"])
def test_something_else_in_place_of_the_folder_is_an_error(
    data_repo: DataRepo, owner: Somebody, kind: str
) -> None:
    place = owner.path / "sql_dumps"
    if kind == "file":
        place.write_text("a file")
    elif kind == "symlink":
        place.symlink_to("README.md")
    else:
        subprocess.run(["git", "init", "-q", str(place)], check=True)
        Somebody(place).commit("Inner", {"x": "x"})
    owner.git("-c", "advice.addEmbeddedRepo=false", "add", "-A")
    owner.git("commit", "-q", "-m", "In the way")
    with pytest.raises(DataRepoError, match="`sql_dumps` is a file in the data repository"):
        publish_dump(data_repo, "pantry_pirate_radio_2026-11-22_02-00-00.sql")


def test_a_file_is_stored_as_it_is_whatever_git_would_make_of_it(
    data_repo: DataRepo, owner: Somebody, tmp_path: Path
) -> None:
    owner.write(".gitattributes", "* text=auto eol=crlf\n*.sql filter=x\n")
    owner.git("config", "filter.x.clean", "tr a-z A-Z")
    owner.git("config", "core.autocrlf", "true")
    content = b"one\r\ntwo\n" + os.urandom(2_000_000)
    file = tmp_path / "dump.sql"
    file.write_bytes(content)
    for given in (content, file):
        sha = write_blob(data_repo, given)
        assert data_repo.git("cat-file", "blob", sha) == content


def test_a_partial_clone_fetches_nothing_to_commit(
    bare_remote: Path, publisher: Somebody, repo_settings: DataRepoSettings
) -> None:
    publisher.commit("Data", {f"daily/{number}.json": str(number) for number in range(50)})
    publisher.git("push", "-q", "origin", "main")
    Somebody(bare_remote).git("config", "uploadpack.allowFilter", "true")
    place = str(repo_settings.path)
    clone = [
        "git",
        "clone",
        "-q",
        "--no-checkout",
        "--filter=blob:none",
        f"file://{bare_remote}",
        place,
    ]
    subprocess.run(clone, check=True)
    repo = open_data_repo(repo_settings)
    packs = sorted(path.name for path in (repo.git_dir / "objects/pack").iterdir())
    base = tip(repo)
    blob = Blob(FILE, write_blob(repo, b"new"))
    new = _commit(repo, base, {"sql_dumps/x.sql": blob, "daily/3.json": blob})
    assert sorted(path.name for path in (repo.git_dir / "objects/pack").iterdir()) == packs
    Somebody(repo.path).git("push", "-q", "origin", f"{new}:refs/heads/main")
    Somebody(bare_remote).git("fsck", "--strict")


@pytest.mark.parametrize("data", [b"", b"one\r\n\0", b"x" * 300_000])
def test_a_files_bytes_have_gits_name_for_them(
    data_repo: DataRepo, tmp_path: Path, data: bytes
) -> None:
    (tmp_path / "one\nfile").write_bytes(data)
    assert blob_name(data_repo, tmp_path / "one\nfile") == write_blob(data_repo, data)


def test_a_file_that_cannot_be_read_has_no_name(data_repo: DataRepo, tmp_path: Path) -> None:
    with pytest.raises(DataRepoError, match=r"none` cannot be read: No such file") as refused:
        blob_name(data_repo, tmp_path / "none")
    assert refused.value.hint == "let the user that runs this read the clone's files."


def test_an_object_format_of_the_future_works_too(repo_settings: DataRepoSettings) -> None:
    init = ["git", "init", "-q", "--object-format=sha256", "-b", "main", str(repo_settings.path)]
    subprocess.run(init, check=True)
    repo = open_data_repo(dataclasses.replace(repo_settings, dump_dir="a/b"))
    publish_dump(repo, "pantry_pirate_radio_2026-11-22_02-00-00.sql", "one\n")
    new = publish_dump(repo, "pantry_pirate_radio_2026-11-23_02-00-00.sql", "two\n")
    assert len(new) == 64
    there = repo.path / "a/b/latest.sql"
    assert blob_name(repo, there) == repo.word("hash-object", "--no-filters", str(there.resolve()))
    assert Somebody(repo.path).status() == ""
    assert (repo.path / "a/b/latest.sql").read_text() == "two\n"
    retired = _commit(repo, new, {"a/b/pantry_pirate_radio_2026-11-22_02-00-00.sql": None})
    with data_repo_lock(repo):
        advance_branch(repo, new, retired)
    assert Somebody(repo.path).status() == ""
