"""What lies at a path of a work tree, as the mode and object that git would make of it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path

from ppr_assets.data_repo.checkout.changes import Side
from ppr_assets.data_repo.git.command import run
from ppr_assets.data_repo.git.errors import GitCommandFailed
from ppr_assets.data_repo.git.objects import blob_name
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.git.tree import FILE, SYMLINK

FOREIGN: Side = ("", "")
"""A folder, a device, something behind a symlink of somebody's: nothing that we may replace."""

_AT_ONCE = 200


class FileStates:
    """Looks at files, and does not read one again whose inode, size and time are as they were."""

    def __init__(self, repo: DataRepo) -> None:
        self._repo = repo
        self._known: dict[tuple[Path, int, int, int], str] = {}

    def look(self, root: Path, paths: Iterable[bytes]) -> dict[bytes, Side]:
        """The state of each path below ``root``."""
        found: dict[bytes, Side] = {}
        files: dict[bytes, str] = {}
        for path in paths:
            mode = _mode(root, path)
            if mode is None:
                found[path] = None
            elif mode == SYMLINK:
                target = (root / os.fsdecode(path)).readlink()
                # git's filters do not apply to it
                found[path] = (mode, blob_name(self._repo, os.fsencode(target)))
            elif mode:
                files[path] = mode
            else:
                found[path] = FOREIGN
        for path, sha in self._objects(root, list(files)).items():
            found[path] = (files[path], sha) if sha else FOREIGN
        return found

    def remember(self, root: Path, path: bytes, sha: str) -> None:
        """What was just put at ``path`` is ``sha``: a dump is not read again to know it."""
        self._known[_signature(root, path)] = sha

    def _objects(self, root: Path, paths: list[bytes]) -> dict[bytes, str]:
        found = {}
        unread = []
        for path in paths:
            known = self._known.get(_signature(root, path))
            if known:
                found[path] = known
            else:
                unread.append(path)
        for start in range(0, len(unread), _AT_ONCE):
            some = unread[start : start + _AT_ONCE]
            for path, sha in zip(some, self._hash(root, some), strict=True):
                found[path] = sha
                self._known[_signature(root, path)] = sha
        return found

    def _hash(self, root: Path, paths: list[bytes]) -> list[str]:
        """The object of each file, after the filters that git applies to it; "" if unreadable."""
        limit = self._repo.settings.timeout_seconds
        names = [os.fsdecode(path) for path in paths]
        try:
            answer = run(root, "hash-object", "--", *names, timeout=limit)
        except GitCommandFailed:
            if len(paths) == 1:
                return [""]
            return [sha for path in paths for sha in self._hash(root, [path])]
        return answer.stdout.decode().split()


def _mode(root: Path, path: bytes) -> str | None:
    """git's mode for what lies there: None for nothing, "" for what is not ours to replace."""
    place = root / os.fsdecode(path)
    for folder in reversed(place.relative_to(root).parents[:-1]):
        above = _lstat(root / folder)
        if above is None:
            return None
        if not stat.S_ISDIR(above.st_mode):
            return ""
    facts = _lstat(place)
    if facts is None:
        return None
    if stat.S_ISLNK(facts.st_mode):
        return SYMLINK
    if stat.S_ISREG(facts.st_mode):
        return "100755" if facts.st_mode & stat.S_IXUSR else FILE
    return ""


def _lstat(path: Path) -> os.stat_result | None:
    try:
        return path.lstat()
    except FileNotFoundError:
        return None


def _signature(root: Path, path: bytes) -> tuple[Path, int, int, int]:
    place = root / os.fsdecode(path)
    facts = _lstat(place)
    if facts is None:
        return (place, 0, 0, 0)
    return (place, facts.st_ino, facts.st_size, facts.st_mtime_ns)
