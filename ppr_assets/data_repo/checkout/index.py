"""Read and change entries of a work tree's index, those asked for and no others."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from ppr_assets.data_repo.checkout.changes import Side
from ppr_assets.data_repo.checkout.index_lock import index_lock
from ppr_assets.data_repo.checkout.work_trees import WorkTree
from ppr_assets.data_repo.git.command import run
from ppr_assets.data_repo.git.errors import GitCommandFailed
from ppr_assets.data_repo.git.repository import DataRepo

# Longer lists do not go on a command line; git then looks at everything.
_FEW = 200
_UNSOLVED: Side = ("", "")


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


def _held(work_tree: WorkTree) -> GitCommandFailed:
    """What git itself would have said."""
    lock = work_tree.git_dir / "index.lock"
    said = f"Unable to create '{lock}': File exists."
    return GitCommandFailed(f"the index is held: {said}", status=128, stderr=said)


def _few(paths: Collection[bytes]) -> list[bytes]:
    return sorted(paths) if len(paths) <= _FEW else []
