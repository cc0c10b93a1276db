"""Make index and files of one work tree follow a move of the branch, and touch nothing else.

Path by path, three ways: only a path that differs between the old and the new commit, only an
index entry that is the old or the new one, only a file that has the old or the new content. What
anybody has staged, changed, deleted or put there stays as it is, and nothing here can fail on it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from ppr_assets.data_repo.checkout.changes import Change, Side
from ppr_assets.data_repo.checkout.file_states import FileStates
from ppr_assets.data_repo.checkout.index import NOTHING, Index, Staged
from ppr_assets.data_repo.checkout.putting_files import put_files
from ppr_assets.data_repo.checkout.sparse import outside
from ppr_assets.rules.naming import DELTA_BASE_FILE, DELTA_BASE_PARTS

_SUBMODULE = "160000"


class FollowPlan(Struct, frozen=True):
    """What has to change: ``files`` in the work tree, ``entries`` in the index.

    ``skipped`` are paths outside of a sparse checkout. ``takes_back``: something of the new
    commit would go away again, which is right only where HEAD does not have it.
    """

    files: Mapping[bytes, Side]
    entries: Mapping[bytes, Side]
    skipped: frozenset[bytes]
    takes_back: bool

    def __bool__(self) -> bool:
        return bool(self.files or self.entries)


def plan(index: Index, change: Change, target: str | None, states: FileStates) -> FollowPlan:
    """How the paths of ``change`` become what they are in the commit ``target``."""
    wanted = change.wanted_at(index.repo, target)
    staged = index.read(wanted.keys())
    ours = {
        path: side
        for path, side in wanted.items()
        if staged.get(path, NOTHING).side in change.paths[path]
    }
    skipped = frozenset(path for path in ours if staged.get(path, NOTHING).skipped)
    folders = {_folder(path) for path in skipped}
    skipped |= {path for path in ours if path not in staged and _folder(path) in folders}
    skipped |= {path for path in ours if _stays_out(index, path, staged)}
    shown = {path: side for path, side in ours.items() if path not in skipped}
    skipped |= outside(index.repo, index.work_tree, shown)
    followed = {
        path: side
        for path, side in ours.items()
        if path not in skipped and not (side and side[0] == _SUBMODULE)
    }
    present = states.look(index.work_tree.path, followed)
    files = {
        path: side
        for path, side in followed.items()
        if present[path] != side and present[path] in change.paths[path]
    }
    entries = {
        path: side
        for path, side in ours.items()
        if staged.get(path, NOTHING) != Staged(side, bool(side) and path in skipped)
    }
    takes_back = any(side != change.paths[path][1] for path, side in {**files, **entries}.items())
    return FollowPlan(files, entries, skipped, takes_back)


def carry_out(
    plan: FollowPlan, index: Index, states: FileStates, ready: Mapping[bytes, Path]
) -> None:
    """Do what was planned; ``ready`` has files that are the content of a path already.

    Files first, then the index, then (by the caller) the branch: whatever somebody commits in
    between is the old state or the new one, and never takes a published dump back. Raises
    :class:`GitCommandFailed` when somebody holds the index.
    """
    put_files(index.repo, index.work_tree, plan.files, ready)
    for path, side in plan.files.items():
        if side is not None:
            states.remember(index.work_tree.path, path, side[1])
    index.write(plan.entries, plan.skipped)


def _stays_out(index: Index, path: bytes, staged: Mapping[bytes, Staged]) -> bool:
    """Whether this is of the delta base and the work tree goes without it: it would be a second
    copy of the dump.

    Somebody's checkout may have written it, as git does where no sparse checkout is configured;
    then it is followed like any other file.
    """
    folder = index.repo.dump_dir
    names = (f"{folder}/{DELTA_BASE_FILE}".encode(), f"{folder}/{DELTA_BASE_PARTS}/".encode())
    if path != names[0] and not path.startswith(names[1]):
        return False
    if path in staged and not staged[path].skipped:
        return False
    return not os.path.lexists(index.work_tree.path / os.fsdecode(path))


def _folder(path: bytes) -> bytes:
    return path.rpartition(b"/")[0]
