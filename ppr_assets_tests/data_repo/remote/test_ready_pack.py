"""A dump made ready for the push as its difference to the one before, in a pack of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from ppr_assets.data_repo.clone.clone import open_data_repo
from ppr_assets.data_repo.git.objects import Blob, write_blob, write_changed_tree, write_commit
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.git.tree import FILE, tip
from ppr_assets.data_repo.history.integrate import identity
from ppr_assets.data_repo.remote.push import push
from ppr_assets.data_repo.remote.ready_pack import Version, made_ready, make_ready, ready
from ppr_assets.settings import DataRepoSettings
from ppr_assets_tests.fix_git import git

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("nobody_else")]

PATH = "sql_dumps/.delta_base/dump.sql"
OLD = b"".join(b"%06d\t%064x\n" % (at, at**11) for at in range(20_000))
NEW = OLD.replace(b"0123", b"otherwise", 40)


def _files(folder: Path) -> tuple[Path, Path]:
    paths = (folder / "old.sql", folder / "new.sql")
    for path, data in zip(paths, (OLD, NEW), strict=True):
        path.write_bytes(data)
    return paths


def _commit(repo: DataRepo, base: str | None, file: Path) -> str:
    tree = write_changed_tree(repo, base, {PATH: Blob(FILE, write_blob(repo, file))})
    parents = [base] if base else []
    return write_commit(repo, tree, parents=parents, message="A night\n", author=identity(repo))


def _asked(repo: DataRepo, *words: str, stdin: Path = Path(os.devnull)) -> bytes:
    environment = {**os.environ, **ready(repo)}
    argv = ["git", *words]
    with stdin.open("rb") as file:
        done = subprocess.run(
            argv, stdin=file, cwd=repo.path, env=environment, capture_output=True, check=True
        )
    assert done.stderr == b""
    return done.stdout


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_git_finds_in_it_the_new_file_as_a_difference(tmp_path: Path, object_format: str) -> None:
    clone = tmp_path / 'a "clone": 1'
    clone.mkdir()
    git(clone, "init", "-q", "-b", "main", f"--object-format={object_format}")
    git(clone, "commit", "-q", "--allow-empty", "-m", "First")
    with open_data_repo(DataRepoSettings(path=clone)) as repo, made_ready(repo):
        old, new = _files(tmp_path)
        sha = git(clone, "hash-object", str(old))
        assert ready(repo) == {}
        assert make_ready(repo, [(Version(sha, old), new)])
        name = git(clone, "hash-object", str(new))
        assert _asked(repo, "cat-file", "blob", name) == NEW
        (index,) = (repo.state_dir / "ready" / "pack").glob("*.idx")
        told = _asked(repo, "verify-pack", "-v", str(index)).decode()
        assert any(line.startswith(name) and line.endswith(sha) for line in told.splitlines())
    assert not (repo.state_dir / "ready").exists()


def test_a_push_sends_it_and_looks_for_nothing(data_repo: DataRepo, tmp_path: Path) -> None:
    old, new = _files(tmp_path)
    first = _commit(data_repo, tip(data_repo), old)
    push(data_repo, first)
    second = _commit(data_repo, first, new)
    git(data_repo.path, "config", "core.bigFileThreshold", "100k")  # git itself looks for none
    sha = git(data_repo.path, "rev-parse", f"{first}:{PATH}")
    with made_ready(data_repo):
        assert make_ready(data_repo, [(Version(sha, old), new)])
        assert 0 < push(data_repo, second).bytes < 4000
    remote = Path(str(data_repo.remote_url))
    git(remote, "fsck", "--full", "--strict")
    assert git(remote, "rev-parse", f"main:{PATH}") == git(data_repo.path, "hash-object", str(new))
    git(data_repo.path, "fsck", "--full")


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_git_finds_in_it_a_file_that_follows_none_whole(tmp_path: Path, object_format: str) -> None:
    clone = tmp_path / "clone"
    git(tmp_path, "init", "-q", "-b", "main", f"--object-format={object_format}", str(clone))
    git(clone, "commit", "-q", "--allow-empty", "-m", "First")
    with open_data_repo(DataRepoSettings(path=clone)) as repo, made_ready(repo):
        files = _files(tmp_path)
        assert make_ready(repo, [(None, file) for file in files])
        for file, data in zip(files, (OLD, NEW), strict=True):
            assert _asked(repo, "cat-file", "blob", git(clone, "hash-object", str(file))) == data
        (index,) = (repo.state_dir / "ready" / "pack").glob("*.idx")
        _asked(repo, "verify-pack", str(index))


def test_a_first_push_sends_what_was_compressed_for_it(data_repo: DataRepo, tmp_path: Path) -> None:
    files = _files(tmp_path)
    first = _commit(data_repo, tip(data_repo), files[0])
    second = _commit(data_repo, first, files[1])
    git(data_repo.path, "config", "pack.compression", "0")  # git itself compresses nothing
    with made_ready(data_repo):
        assert make_ready(data_repo, [(None, file) for file in files])
        assert 0 < push(data_repo, second, whole=True).bytes < (len(OLD) + len(NEW)) * 2 // 3
    remote = Path(str(data_repo.remote_url))
    git(remote, "fsck", "--full", "--strict")
    assert git(remote, "rev-parse", f"main:{PATH}") == git(remote, "hash-object", str(files[1]))


def test_of_many_files_those_that_have_changed_are_made_ready(
    data_repo: DataRepo, tmp_path: Path
) -> None:
    old, _ = _files(tmp_path)
    older, newer = tmp_path / "older.sql", tmp_path / "newer.sql"
    older.write_bytes(OLD[::-1])
    newer.write_bytes(NEW[::-1])
    versions = [Version(write_blob(data_repo, path), path) for path in (old, older)]
    with made_ready(data_repo):
        assert not make_ready(data_repo, [(versions[0], old)])
        assert make_ready(data_repo, [*zip(versions, (old, newer), strict=True)])
        (index,) = (data_repo.state_dir / "ready" / "pack").glob("*.idx")
        told = _asked(
            data_repo, "show-index", f"--object-format={data_repo.object_format}", stdin=index
        )
        names = {versions[1].sha, git(data_repo.path, "hash-object", str(newer))}
        assert {line.split()[1] for line in told.decode().splitlines()} == names


def test_a_push_of_something_else_finds_its_difference_itself(
    data_repo: DataRepo, tmp_path: Path
) -> None:
    old, new = _files(tmp_path)
    between = tmp_path / "between.sql"
    between.write_bytes(OLD.replace(b"4567", b"by others", 40))
    first = _commit(data_repo, tip(data_repo), old)
    outrun_by = _commit(data_repo, first, between)
    push(data_repo, outrun_by)
    sha = git(data_repo.path, "rev-parse", f"{first}:{PATH}")
    with made_ready(data_repo):
        assert make_ready(data_repo, [(Version(sha, old), new)])
        push(data_repo, _commit(data_repo, outrun_by, new))
    remote = Path(str(data_repo.remote_url))
    git(remote, "fsck", "--full", "--strict")
    assert git(remote, "rev-parse", f"main:{PATH}") == git(data_repo.path, "hash-object", str(new))


def test_nothing_is_ready_where_the_old_file_has_other_bytes(
    data_repo: DataRepo, tmp_path: Path
) -> None:
    old, new = _files(tmp_path)
    sha = write_blob(data_repo, old)
    old.write_bytes(OLD[:-1] + b"!")
    with made_ready(data_repo):
        assert not make_ready(data_repo, [(Version(sha, old), new)])
        assert [*(data_repo.state_dir / "ready").rglob("*.idx")] == []


def test_small_files_are_left_to_git(data_repo: DataRepo, tmp_path: Path) -> None:
    old, new = _files(tmp_path)
    new.write_bytes(NEW[:1000])
    with made_ready(data_repo):
        assert not make_ready(data_repo, [(Version(write_blob(data_repo, old), old), new)])
        assert ready(data_repo) == {}


def test_enormous_files_are_left_to_git(data_repo: DataRepo, tmp_path: Path) -> None:
    old, new = _files(tmp_path)
    sha = write_blob(data_repo, old)
    with new.open("r+b") as file:
        file.truncate(1 << 31)
    with made_ready(data_repo):
        assert not make_ready(data_repo, [(Version(sha, old), new)])
        assert ready(data_repo) == {}


def test_a_file_in_another_order_is_left_to_git(data_repo: DataRepo, tmp_path: Path) -> None:
    old, new = _files(tmp_path)
    half = len(OLD) // 2
    new.write_bytes(OLD[half:] + OLD[:half])
    first = _commit(data_repo, tip(data_repo), old)
    push(data_repo, first)
    sha = git(data_repo.path, "rev-parse", f"{first}:{PATH}")
    with made_ready(data_repo):
        assert not make_ready(data_repo, [(Version(sha, old), new)])
        assert 0 < push(data_repo, _commit(data_repo, first, new)).bytes < 4000


def test_a_file_with_a_change_in_each_row_is_left_to_git(
    data_repo: DataRepo, tmp_path: Path
) -> None:
    """It would be found as well, by a long way round."""
    old, new = _files(tmp_path)
    new.write_bytes(OLD.replace(b"0\t", b"1\t"))
    with made_ready(data_repo):
        assert not make_ready(data_repo, [(Version(write_blob(data_repo, old), old), new)])
        assert [*(data_repo.state_dir / "ready").rglob("*")] == [
            data_repo.state_dir / "ready" / "pack"
        ]


def test_a_file_that_stands_there_twice_is_left_to_git(data_repo: DataRepo, tmp_path: Path) -> None:
    old, new = _files(tmp_path)
    version = Version(write_blob(data_repo, old), old)
    with made_ready(data_repo):
        assert not make_ready(data_repo, [(version, new)] * 2)
        assert not make_ready(data_repo, [(None, new)] * 2)


def test_nothing_is_made_ready_where_there_is_little_room(
    data_repo: DataRepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = _files(tmp_path)
    version = Version(write_blob(data_repo, old), old)
    little = shutil.disk_usage(tmp_path)._replace(free=2 * len(OLD))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: little)
    with made_ready(data_repo):
        assert not make_ready(data_repo, [(version, new)])
    little = little._replace(free=2 * len(NEW))
    with made_ready(data_repo):
        assert not make_ready(data_repo, [(None, new)])


def test_what_a_killed_run_left_is_gone_before_the_next_one(data_repo: DataRepo) -> None:
    left = data_repo.state_dir / "ready" / "pack" / "unfinished"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"PACK")
    with made_ready(data_repo):
        assert ready(data_repo) == {}
