"""Read and change entries of a work tree's index, those asked for and no others.

It is held as git holds it, so that the lock is known for ours whatever kills us: our
``index.lock`` is a second name of a file of ours. Were it made by a git of ours, nobody could
tell it from somebody else's after a power cut or the end of a container, and every night after
that would stand before it. Like this the next run knows it, and removes it: the run that made it
is dead then, since it held the data repository's lock. Should only this process be killed, a guard
beside it removes the lock at once, so that nobody else has to wait for the next run.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from shutil import copy2
from time import sleep

from msgspec import Struct
from msgspec.structs import replace

from ppr_assets.child_process import guarded
from ppr_assets.data_repo.checkout.changes import Side
from ppr_assets.data_repo.checkout.work_trees import WorkTree, is_quiet, work_trees
from ppr_assets.data_repo.git.command import run
from ppr_assets.data_repo.git.errors import GitCommandFailed
from ppr_assets.data_repo.git.repository import DataRepo

# Longer lists do not go on a command line; git then looks at everything.
_FEW = 200
_UNSOLVED: Side = ("", "")

# Only our own file is removed, by its inode.
_GUARD = '[ "$1" -ef "$2" ] && rm -f "$1"'
_GUARD_SECONDS = 0.1


class Staged(Struct, frozen=True):
    """An entry; ``skipped``: left out of a sparse checkout. One that a merge left unsolved is
    no side of anything."""

    side: Side
    skipped: bool = False


NOTHING = Staged(None)


class Index(Struct, frozen=True):
    """The index of a work tree, or a ``copy`` of it to work on while the real one is held."""

    repo: DataRepo
    work_tree: WorkTree
    copy: Path | None = None

    def read(self, paths: Collection[bytes]) -> dict[bytes, Staged]:
        """The entries at ``paths``, where there are any."""
        if not paths:
            return {}
        found = {}
        for line in _git(self, "ls-files", "-z", "-s", "-t", "--", *_few(paths)).split(b"\0"):
            facts, _, path = line.partition(b"\t")
            if path in paths:
                tag, mode, sha, stage = facts.decode().split()
                found[path] = Staged((mode, sha) if stage == "0" else _UNSOLVED, tag == "S")
        return found

    def write(self, entries: Mapping[bytes, Side], skipped: Collection[bytes]) -> None:
        """Set each entry, None removing it; those ``skipped`` stay out of a sparse checkout.

        Raises :class:`GitCommandFailed` when somebody else holds the index.
        """
        if not entries:
            return
        if self.copy is None:
            with index_lock(self.repo, self.work_tree, quiet=False) as copy:
                if copy is None:
                    raise _held(self.work_tree)
                replace(self, copy=copy).write(entries, skipped)
            return
        nothing = ("0", "0" * len(self.work_tree.head or "0" * 40))
        left_out = {path: side for path, side in entries.items() if side and path in skipped}
        marking = _marking(left_out) if len(left_out) <= _FEW else []
        lines = b"".join(
            index_line(path, side or nothing)
            for path, side in entries.items()
            if not (marking and path in left_out)
        )
        _git(self, "update-index", *marking, "-z", "--index-info", stdin=lines)
        if left_out and not marking:
            paths = b"".join(path + b"\0" for path in left_out)
            _git(self, "update-index", "--skip-worktree", "-z", "--stdin", stdin=paths)

    def refresh(self, paths: Collection[bytes]) -> None:
        """Let git note times and sizes of files, or every status would read the dump anew.

        It does so only if nobody holds the index at that moment.
        """
        with index_lock(self.repo, self.work_tree, quiet=False) as copy:
            if copy is not None:
                options = ("--porcelain", "--untracked-files=no", "--ignore-submodules=all")
                env = {"GIT_OPTIONAL_LOCKS": "1"}
                _git(replace(self, copy=copy), "status", *options, "--", *_few(paths), env=env)


def _git(
    index: Index,
    *args: str | bytes,
    stdin: bytes | None = None,
    env: Mapping[str, str] | None = None,
) -> bytes:
    own = {"GIT_LITERAL_PATHSPECS": "1", **(env or {})}
    if index.copy:
        own["GIT_INDEX_FILE"] = str(index.copy)
    limit = index.repo.settings.timeout_seconds
    words = [os.fsdecode(word) for word in args]
    return run(index.work_tree.path, *words, timeout=limit, stdin=stdin, env=own).stdout


def _marking(left_out: Mapping[bytes, tuple[str, str]]) -> list[str]:
    """Arguments that write entries and mark them, in one call: between two, a kill would leave
    entries that look like removed files."""
    words = []
    for path, (mode, sha) in left_out.items():
        name = os.fsdecode(path)
        words += ["--add", "--cacheinfo", f"{mode},{sha},{name}", "--skip-worktree", name]
    return words


def index_line(path: bytes, entry: tuple[str, str]) -> bytes:
    """One line for ``git update-index -z --index-info``; mode 0 removes the path."""
    mode, sha = entry
    return f"{mode} {sha}\t".encode() + path + b"\0"


@contextmanager
def held_index(repo: DataRepo, work_tree: WorkTree) -> Iterator[Index | None]:
    """The index of ``work_tree`` held, and a copy of it to work on that takes its place afterwards.

    None when somebody else holds it or is in the middle of something.
    """
    with index_lock(repo, work_tree, quiet=True) as copy:
        yield Index(repo, work_tree, copy) if copy else None


@contextmanager
def index_lock(repo: DataRepo, work_tree: WorkTree, *, quiet: bool) -> Iterator[Path | None]:
    """A copy of the index of ``work_tree`` to work on, which takes its place afterwards.

    None when somebody else holds it, or, if it is to be ``quiet``, is in the middle of something:
    a checkout and a commit let go of the index a moment before they move HEAD.
    """
    ours, lock, real = _ours(repo), work_tree.git_dir / "index.lock", work_tree.git_dir / "index"
    ours.touch()
    with guarded(_GUARD, str(lock), str(ours)):
        try:
            lock.hardlink_to(ours)
        except FileExistsError:
            ours.unlink()
            yield None
            return
        try:
            if quiet and not is_quiet(work_tree):
                yield None
                return
            copy = _copy(repo)
            copy.unlink(missing_ok=True)
            if real.exists():
                copy2(real, copy)
            yield copy
            if copy.exists():
                copy.replace(real)
        finally:
            lock.unlink()
            ours.unlink()


def release_index(repo: DataRepo) -> None:
    """Remove the index lock of a run of ours that was killed while it held one.

    Call it under the data repository's lock. No other lock is touched.
    """
    ours = _ours(repo)
    if not ours.exists():
        return
    sleep(_GUARD_SECONDS)  # the guard of a run that died this moment may be at it
    for work_tree in work_trees(repo):
        lock = work_tree.git_dir / "index.lock"
        if lock.exists() and lock.samefile(ours):
            lock.unlink()
    _copy(repo).unlink(missing_ok=True)
    ours.unlink(missing_ok=True)


def _ours(repo: DataRepo) -> Path:
    return repo.state_dir / "index.lock"


def _copy(repo: DataRepo) -> Path:
    return repo.state_dir / "index.copy"


def _held(work_tree: WorkTree) -> GitCommandFailed:
    """What git itself would have said."""
    lock = work_tree.git_dir / "index.lock"
    said = f"Unable to create '{lock}': File exists."
    return GitCommandFailed(f"the index is held: {said}", status=128, stderr=said)


def _few(paths: Collection[bytes]) -> list[bytes]:
    return sorted(paths) if len(paths) <= _FEW else []
