"""Real git: a bare remote, the clone that dumps are published in, and other people at work."""

from __future__ import annotations

import gc
import hashlib
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pytest

from ppr_assets.child_process import GUARD
from ppr_assets.data_repo.checkout import advance, work_trees
from ppr_assets.data_repo.checkout.advance import advance_branch
from ppr_assets.data_repo.checkout.lock import data_repo_lock
from ppr_assets.data_repo.checkout.staging import StagedDump, staging_folder
from ppr_assets.data_repo.clone.clone import open_data_repo
from ppr_assets.data_repo.git.objects import Blob, write_blob, write_changed_tree, write_commit
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.git.tree import FILE, SYMLINK, tip
from ppr_assets.data_repo.history.integrate import identity
from ppr_assets.data_repo.history.message import dump_message
from ppr_assets.rules.naming import LATEST, RATCHET, manifest_name
from ppr_assets.rules.recorded.manifest import Manifest
from ppr_assets.rules.recorded.parts import DatabaseIdentity, TableRecord
from ppr_assets.settings import DataRepoSettings
from ppr_assets_tests import forked

PUBLICATION = "Data update for 2025-08-09 06:56 UTC"


@dataclass(frozen=True)
class Somebody:
    """A person or a program that uses git in a folder, and knows nothing of us."""

    path: Path

    def git(self, *arguments: str, check: bool = True) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=self.path, capture_output=True, text=True, check=False
        )
        if check and done.returncode:
            raise AssertionError(f"git {' '.join(arguments)}: {done.stderr}")
        return done.stdout.rstrip("\n")

    def write(self, path: str, text: str) -> Path:
        file = self.path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def commit(self, subject: str, files: Mapping[str, str | None]) -> str:
        """Commit these files (None: removed); the commit."""
        for path, text in files.items():
            if text is None:
                (self.path / path).unlink()
            else:
                self.write(path, text)
        self.git("add", "-A", "--", *files)
        self.git("commit", "-q", "--no-verify", "-m", subject)
        return self.git("rev-parse", "HEAD")

    def status(self) -> str:
        return self.git("status", "--porcelain")


def git(folder: Path, *arguments: str) -> str:
    """Run git in ``folder`` as somebody else would; what it says."""
    return Somebody(folder).git(*arguments)


def commit_files(folder: Path, subject: str, files: Mapping[str, str | None]) -> str:
    """Commit these files as somebody else would (None: removed); the commit."""
    return Somebody(folder).commit(subject, files)


GIT_ENVIRONMENT = {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Somebody Else",
    "GIT_AUTHOR_EMAIL": "somebody@example.com",
    "GIT_COMMITTER_NAME": "Somebody Else",
    "GIT_COMMITTER_EMAIL": "somebody@example.com",
}
"""Nothing that the machine, the user or a surrounding git has configured."""


def set_git_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    for name, value in GIT_ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def git_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """See :data:`GIT_ENVIRONMENT`."""
    set_git_environment(monkeypatch)


@dataclass(frozen=True)
class GitWorld:
    """``remote.git``, a bare repository; ``publisher``, the clone of somebody who has published
    once; ``data-repo``, a clone of somebody who came later. Made once, and copied for each test."""

    folder: Path

    def copy(self, name: str, target: Path) -> Path:
        """A copy among others of the same world: the remote of a clone is the one beside it."""
        shutil.copytree(self.folder / name, target, symlinks=True)
        config = target / ".git" / "config"
        if config.exists():
            theirs, ours = str(self.folder / "remote.git"), str(target.parent / "remote.git")
            config.write_text(config.read_text().replace(theirs, ours))
            Somebody(target).git("update-index", "-q", "--refresh")
        return target


@pytest.fixture(scope="session")
def git_world(tmp_path_factory: pytest.TempPathFactory) -> GitWorld:
    """See :class:`GitWorld`."""
    folder = tmp_path_factory.mktemp("git-world")
    template = folder / "template"  # without samples of hooks
    for name in ("hooks", "info"):
        (template / name).mkdir(parents=True)
    with pytest.MonkeyPatch.context() as monkeypatch:
        set_git_environment(monkeypatch)
        monkeypatch.setenv("GIT_TEMPLATE_DIR", str(template))
        above = Somebody(folder)
        above.git("init", "-q", "--bare", "-b", "main", "remote.git")
        # A forge tidies up when it likes, and not at the end of each push.
        Somebody(folder / "remote.git").git("config", "receive.autogc", "false")
        above.git("clone", "-q", str(folder / "remote.git"), "publisher")
        publisher = Somebody(folder / "publisher")
        publisher.git("checkout", "-q", "-B", "main")
        publisher.commit(PUBLICATION, {"README.md": "# data\n", "daily/2025-08-09/a.json": "{}\n"})
        publisher.git("push", "-q", "origin", "main")
        above.git("clone", "-q", "--no-tags", str(folder / "remote.git"), "data-repo")
    return GitWorld(folder)


@pytest.fixture
def nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else works in the clone of this test, so that no moment has to be waited for in which
    they do not: as many looks as ever and more, in less time."""
    monkeypatch.setattr(work_trees, "MOMENT_SECONDS", 0.02)
    monkeypatch.setattr(advance, "BETWEEN_LOOKS_SECONDS", 0.02)
    monkeypatch.setattr(advance, "LOOKS", 500)


@pytest.fixture
def empty_remote(tmp_path: Path, git_environment: None) -> Path:
    """A bare repository without any commit."""
    path = tmp_path / "remote.git"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(path)], check=True)
    return path


@pytest.fixture
def bare_remote(tmp_path: Path, git_environment: None, git_world: GitWorld) -> Path:
    """The remote with one publishing commit on main."""
    return git_world.copy("remote.git", tmp_path / "remote.git")


@pytest.fixture
def publisher(bare_remote: Path, tmp_path: Path, git_world: GitWorld) -> Somebody:
    """Somebody with a clone of their own, who has published once."""
    return Somebody(git_world.copy("publisher", tmp_path / "publisher"))


@pytest.fixture
def repo_settings(tmp_path: Path, git_environment: None) -> DataRepoSettings:
    """Settings for a clone that is not there yet, without a remote."""
    return DataRepoSettings(
        path=tmp_path / "data-repo",
        url=None,
        branch="main",
        token=None,
        dump_dir="sql_dumps",
        push_enabled=True,
        author_name="Pantry Pirate Radio Publisher",
        author_email="pantry-pirate-radio@example.com",
        timeout_seconds=60.0,
        warn_gigabytes=5.0,
        max_gigabytes=10.0,
    )


@pytest.fixture
def data_repo(
    bare_remote: Path, repo_settings: DataRepoSettings, git_world: GitWorld
) -> Iterator[DataRepo]:
    """A clone that somebody has made, and works in too, opened."""
    git_world.copy("data-repo", repo_settings.path)
    with open_data_repo(replace(repo_settings, url=str(bare_remote))) as repo:
        yield repo


@pytest.fixture
def owner(data_repo: DataRepo) -> Somebody:
    """Somebody who works in the very clone that dumps are published in."""
    return Somebody(data_repo.path)


def stage_dump(repo: DataRepo, name: str, text: str) -> StagedDump:
    """A finished dump that waits to be published."""
    folder = staging_folder(repo)
    dump = StagedDump(name, folder / name, folder / manifest_name(name))
    dump.path.write_text(text)
    dump.manifest_path.write_text(json.dumps({"dump": name}))
    return dump


def described(name: str, sha256: str, records: Mapping[str, int], **facts: Any) -> Manifest:
    """A manifest with these rows by table, as far as a commit's message tells of it."""
    return Manifest(
        dump=name,
        bytes=1,
        sha256=sha256,
        tables={table: TableRecord(rows, "00" * 32) for table, rows in records.items()},
        snapshot_at=datetime(2026, 11, 22, 2, tzinfo=UTC),
        database=DatabaseIdentity("1", "pantry_pirate_radio", "18.6"),
        tools={},
        verdict={},
        **facts,
    )


def commit_dump(repo: DataRepo, base: str | None, dump: StagedDump, mark: int = 2500) -> str:
    """The commit that publishes a staged dump on ``base``, as publishing makes it."""
    folder = repo.dump_dir
    ratchet = json.dumps({"max_record_count": mark}) + "\n"
    changes = {
        f"{folder}/{dump.name}": Blob(FILE, write_blob(repo, dump.path)),
        f"{folder}/{dump.manifest_path.name}": Blob(FILE, write_blob(repo, dump.manifest_path)),
        f"{folder}/{LATEST}": Blob(SYMLINK, write_blob(repo, dump.name.encode())),
        f"{folder}/{RATCHET}": Blob(FILE, write_blob(repo, ratchet.encode())),
    }
    sha256 = hashlib.sha256(dump.path.read_bytes()).hexdigest()
    message = dump_message(described(dump.name, sha256, {"organization": mark}), mark)
    return write_commit(
        repo,
        write_changed_tree(repo, base, changes),
        parents=[base] if base else [],
        message=message,
        author=identity(repo),
    )


def publish_dump(repo: DataRepo, name: str, text: str = "SELECT 1;\n") -> str:
    """Stage, commit, move the branch; the new tip."""
    with data_repo_lock(repo):
        dump = stage_dump(repo, name, text)
        old = tip(repo)
        new = commit_dump(repo, old, dump)
        advance_branch(repo, old, new, staged=dump)
    return new


def own_children() -> list[str]:
    """What this process has started and is still there; ended processes that wait do not count.

    Nor does what an earlier test has left to the garbage, as an exception keeps an open repository.
    """
    gc.collect()
    found = []
    for child in psutil.Process().children(recursive=True):
        try:
            command = " ".join(child.cmdline())
            # What stays for this worker's next tests: Python's own helpers, our command line's, and
            # the guard.
            helps = any(
                name in command
                for name in ("resource_tracker", "forkserver", forked.__file__, GUARD.SCRIPT)
            )
            if child.status() != psutil.STATUS_ZOMBIE and not helps:
                found.append(command)
        except psutil.NoSuchProcess:
            continue
    return found


def in_a_child(work: Callable[[], object], *, kill_after: float | None = None) -> int:
    """Do ``work`` in a forked process, kill it after some seconds; the signal it died of, or 0.

    It must not use what this process reads git by: its last answer would wait there.
    """
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(0)
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


def killing_git(folder: Path, call: int, moment: str) -> Path:
    """A git, to stand first on PATH, that kills its caller at the given call of it. It leaves a
    file ``held`` if the index was held then: whoever outlives the caller lets go of it at once."""
    real = shutil.which("git")
    folder.mkdir()
    (folder / "count").write_text("0")
    held = f"test -e .git/index.lock && touch {folder}/held"
    kill = f"if test $n = {call}; then {held}; kill -9 $PPID; exit 1; fi"
    before, after = (kill, "") if moment == "before" else ("", kill)
    script = folder / "git"
    script.write_text(
        f"#!/bin/sh\nn=$(($(cat {folder}/count) + 1)); echo $n > {folder}/count\n"
        f'{before}\n{real} "$@"; code=$?\n{after}\nexit $code\n'
    )
    script.chmod(0o755)
    return folder
