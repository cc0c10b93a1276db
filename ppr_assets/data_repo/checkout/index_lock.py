"""Hold a work tree's index as git does, so that it is known for ours whatever kills us.

Our ``index.lock`` is a second name of a file of ours. Were it made by a git of ours, nobody could
tell it from somebody else's after a power cut or the end of a container, and every night after
that would stand before it. Like this the next run knows it, and removes it: the run that made it
is dead then, since it held the data repository's lock. Should only this process be killed, a guard
beside it removes the lock at once, so that nobody else has to wait for the next run.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copy2
from time import sleep

from ppr_assets.child_process import guarded
from ppr_assets.data_repo.checkout.work_trees import WorkTree, is_quiet, work_trees
from ppr_assets.data_repo.git.repository import DataRepo

# Only our own file is removed, by its inode.
_GUARD = '[ "$1" -ef "$2" ] && rm -f "$1"'
_GUARD_SECONDS = 0.1


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
