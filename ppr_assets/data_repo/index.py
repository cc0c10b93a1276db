"""Read and change entries of a work tree's index, those asked for and no others."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import copy2

from ppr_assets.data_repo.git import run
from ppr_assets.data_repo.moves import Side
from ppr_assets.data_repo.places import Place, is_quiet, places
from ppr_assets.data_repo.repository import DataRepo

# Longer lists do not go on a command line; git then looks at everything.
_FEW = 200
_UNSOLVED: Side = ("", "")


@dataclass(frozen=True)
class Staged:
    """An entry; ``skipped``: left out of a sparse checkout. One that a merge left unsolved is
    no side of anything."""

    side: Side
    skipped: bool = False


NOTHING = Staged(None)


@dataclass(frozen=True)
class Index:
    """The index of a place, or a ``copy`` of it to work on while the real one is held."""

    repo: DataRepo
    place: Place
    copy: Path | None = None

    def read(self, paths: Collection[bytes]) -> dict[bytes, Staged]:
        """The entries at ``paths``, where there are any."""
        if not paths:
            return {}
        found = {}
        for line in self._git("ls-files", "-z", "-s", "-t", "--", *_few(paths)).split(b"\0"):
            facts, _, path = line.partition(b"\t")
            if path in paths:
                tag, mode, sha, stage = facts.decode().split()
                found[path] = Staged((mode, sha) if stage == "0" else _UNSOLVED, tag == "S")
        return found

    def write(self, entries: Mapping[bytes, Side], skipped: Collection[bytes]) -> None:
        """Set each entry, None removing it; those ``skipped`` stay out of a sparse checkout."""
        if not entries:
            return
        nothing = ("0", "0" * len(self.place.head or "0" * 40))
        left_out = {path: side for path, side in entries.items() if side and path in skipped}
        marking = _marking(left_out) if len(left_out) <= _FEW else []
        lines = b"".join(
            index_line(path, side or nothing)
            for path, side in entries.items()
            if not (marking and path in left_out)
        )
        self._git("update-index", *marking, "-z", "--index-info", stdin=lines)
        if left_out and not marking:
            paths = b"".join(path + b"\0" for path in left_out)
            self._git("update-index", "--skip-worktree", "-z", "--stdin", stdin=paths)

    def refresh(self, paths: Collection[bytes]) -> None:
        """Let git note times and sizes of files, or every status would read the dump anew.

        It does so only if nobody holds the index at that moment.
        """
        options = ("--porcelain", "--untracked-files=no", "--ignore-submodules=all")
        self._git("status", *options, "--", *_few(paths), env={"GIT_OPTIONAL_LOCKS": "1"})

    def _git(
        self, *args: str | bytes, stdin: bytes | None = None, env: Mapping[str, str] | None = None
    ) -> bytes:
        own = {"GIT_LITERAL_PATHSPECS": "1", **(env or {})}
        if self.copy:
            own["GIT_INDEX_FILE"] = str(self.copy)
        limit = self.repo.settings.timeout_seconds
        words = [os.fsdecode(word) for word in args]
        return run(self.place.path, *words, timeout=limit, stdin=stdin, env=own).stdout


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
def held_index(repo: DataRepo, place: Place) -> Iterator[Index | None]:
    """Hold the index of ``place`` as git does, and put the copy worked on in its place afterwards.

    None when somebody else holds it, or is in the middle of something: a checkout and a commit let
    go of the index a moment before they move HEAD. Our lock is a second name of a file of ours,
    so that :func:`release_held` knows it after a kill.
    """
    ours, lock, real = _ours(repo), place.git_dir / "index.lock", place.git_dir / "index"
    ours.touch()
    try:
        lock.hardlink_to(ours)
    except FileExistsError:
        yield None
        return
    try:
        if not is_quiet(place):
            yield None
            return
        copy = repo.state_dir / "index.copy"
        copy2(real, copy)
        yield Index(repo, place, copy)
        copy.replace(real)
    finally:
        lock.unlink()
        ours.unlink()


def release_held(repo: DataRepo) -> None:
    """Remove the index lock of a run of ours that was killed while it held one."""
    ours = _ours(repo)
    if not ours.exists():
        return
    for place in places(repo):
        lock = place.git_dir / "index.lock"
        if lock.exists() and lock.samefile(ours):
            lock.unlink()
    (repo.state_dir / "index.copy").unlink(missing_ok=True)
    ours.unlink()


def _ours(repo: DataRepo) -> Path:
    return repo.state_dir / "index.lock"


def _few(paths: Collection[bytes]) -> list[bytes]:
    return sorted(paths) if len(paths) <= _FEW else []
