"""Make index and files of one work tree follow a move of the branch, and touch nothing else.

Path by path, three ways: only a path that differs between the old and the new commit, only an
index entry that is the old or the new one, only a file that has the old or the new content. What
anybody has staged, changed, deleted or put there stays as it is, and nothing here can fail on it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ppr_assets.data_repo.file_states import FileStates
from ppr_assets.data_repo.git import run
from ppr_assets.data_repo.place_files import put_files
from ppr_assets.data_repo.places import Place
from ppr_assets.data_repo.repository import DataRepo

Side = tuple[str, str] | None
"""Mode and object of a path on one side; None where there is nothing."""

# Longer lists do not go on a command line; git then looks at everything.
_FEW = 200
_SUBMODULE = "160000"
_LITERAL = {"GIT_LITERAL_PATHSPECS": "1"}


@dataclass(frozen=True)
class Move:
    """The paths that differ between two commits, with both sides of each."""

    old: str | None
    new: str
    paths: Mapping[bytes, tuple[Side, Side]]

    @classmethod
    def between(cls, repo: DataRepo, old: str | None, new: str) -> Move:
        return cls(old, new, _differences(repo, old, new))


def follow(
    repo: DataRepo,
    place: Place,
    move: Move,
    target: str | None,
    states: FileStates,
    ready: Mapping[bytes, Path],
) -> bool:
    """Bring the paths of ``move`` to what they are in ``target``; True if anything was changed.

    ``target`` is the commit moved to, or whatever HEAD is when that is to be caught up with;
    ``ready`` has files that are the content of a path already.
    Raises :class:`GitCommandFailed` when the index is locked; calling again goes on from there.
    """
    wanted = _wanted(repo, move, target)
    staged = _index(repo, place, wanted)
    ours = {
        path: side
        for path, side in wanted.items()
        if staged.get(path, (None, ""))[0] in move.paths[path]
    }
    hidden = _left_out(ours, staged)
    files = {
        path: side
        for path, side in ours.items()
        if path not in hidden and not (side and side[0] == _SUBMODULE)
    }
    present = states.look(place.path, files)
    stale = {
        path: side
        for path, side in files.items()
        if present[path] != side and present[path] in move.paths[path]
    }
    entries = {p: side for p, side in ours.items() if staged.get(p, (None, ""))[0] != side}
    # Files first, then the index, then (by the caller) the branch: whatever somebody commits in
    # between is the old state or the new one, and never takes a published dump back.
    put_files(repo, place, stale, ready)
    for path, side in stale.items():
        if side is not None and path in ready:
            states.remember(place.path, path, side[1])
    if entries:
        _update_index(repo, place, entries, hidden)
    return bool(stale or entries)


def refresh(repo: DataRepo, place: Place, move: Move) -> None:
    """Let git note times and sizes of the files, or every status would read the dump anew.

    It does so only if nobody holds the index at that moment.
    """
    few = list(move.paths) if len(move.paths) <= _FEW else []
    options = ("--porcelain", "--untracked-files=no", "--ignore-submodules=all")
    _in(repo, place, "status", *options, "--", *few, env={"GIT_OPTIONAL_LOCKS": "1"})


def _wanted(repo: DataRepo, move: Move, target: str | None) -> dict[bytes, Side]:
    """What is to stand at each path; paths that have a third version in ``target`` are left out."""
    wanted = {path: new for path, (_, new) in move.paths.items()}
    if target != move.new:
        for path, (side, _) in _differences(repo, target, move.new).items():
            if path in wanted:
                wanted[path] = side
    return {path: side for path, side in wanted.items() if side in move.paths[path]}


def _differences(repo: DataRepo, old: str | None, new: str) -> dict[bytes, tuple[Side, Side]]:
    """Path → both sides, for what differs between two commits."""
    nothing = repo.word("hash-object", "-t", "tree", "--stdin", stdin=b"") if old is None else ""
    options = ("-r", "-z", "--no-renames", "--no-abbrev", "--ignore-submodules=none")
    words = repo.git("diff-tree", *options, old or nothing, new).split(b"\0")
    found = {}
    for facts, path in zip(words[:-1:2], words[1::2], strict=True):
        modes_and_objects = facts.decode().lstrip(":").split()
        before, after, old_sha, new_sha, _ = modes_and_objects
        found[path] = (_side(before, old_sha), _side(after, new_sha))
    return found


def _side(mode: str, sha: str) -> Side:
    return None if mode == "000000" else (mode, sha)


def _index(repo: DataRepo, place: Place, paths: Iterable[bytes]) -> dict[bytes, tuple[Side, str]]:
    """Entry and git's tag of each path in the index; ``U`` for one that a merge left unsolved."""
    wanted = set(paths)
    few = sorted(wanted) if len(wanted) <= _FEW else []
    found: dict[bytes, tuple[Side, str]] = {}
    listing = _in(repo, place, "ls-files", "-z", "-s", "-t", "--", *few) if wanted else b""
    for line in listing.split(b"\0"):
        facts, _, path = line.partition(b"\t")
        if path in wanted:
            tag, mode, sha, stage = facts.decode().split()
            found[path] = ((mode, sha), tag) if stage == "0" else (("", ""), "U")
    return found


def _left_out(ours: Mapping[bytes, Side], staged: Mapping[bytes, tuple[Side, str]]) -> set[bytes]:
    """Paths outside of a sparse checkout: those git says so of, and new ones beside them."""
    skipped = {path for path in ours if staged.get(path, (None, ""))[1] == "S"}
    folders = {path.rpartition(b"/")[0] for path in skipped}
    beside = {p for p in ours if p not in staged and p.rpartition(b"/")[0] in folders}
    return skipped | beside


def _update_index(
    repo: DataRepo, place: Place, entries: Mapping[bytes, Side], hidden: set[bytes]
) -> None:
    def line(path: bytes, side: Side) -> bytes:
        mode, sha = side or ("0", "0" * 40)
        return f"{mode} {sha}\t".encode() + path + b"\0"

    lines = b"".join(line(path, side) for path, side in entries.items())
    _in(repo, place, "update-index", "-z", "--index-info", stdin=lines)
    skipped = b"".join(path + b"\0" for path, side in entries.items() if side and path in hidden)
    if skipped:
        _in(repo, place, "update-index", "--skip-worktree", "-z", "--stdin", stdin=skipped)


def _in(
    repo: DataRepo,
    place: Place,
    *args: str | bytes,
    stdin: bytes | None = None,
    env: Mapping[str, str] | None = None,
) -> bytes:
    limit = repo.settings.timeout_seconds
    words = [os.fsdecode(word) for word in args]
    return run(
        place.path, *words, timeout=limit, stdin=stdin, env={**_LITERAL, **(env or {})}
    ).stdout
