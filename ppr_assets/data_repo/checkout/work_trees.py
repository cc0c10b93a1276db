"""The work trees of the clone: which branch each is on, and whether somebody is at work there.

``git worktree add`` gives a clone several of them. A move of the branch concerns every one that
has it checked out, not only the one at DATA_REPO_PATH.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep, time

from msgspec import Struct

from ppr_assets.data_repo.git.command import run
from ppr_assets.data_repo.git.listings import work_tree_facts
from ppr_assets.data_repo.git.lock_files import told
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.errors import DataRepoError

LOCK_SECONDS = 10.0
"""How long somebody's git may hold an index before we give up; a checkout takes seconds."""

QUIET_SECONDS = 3.0
"""How long we wait for a moment in which nobody is at work, before we go on all the same."""

_PAUSE_SECONDS = 0.05
MOMENT_SECONDS = 0.3

_ON_A_BRANCH = re.compile(rb"ref: (refs/heads/\S+)\n")
_COMMIT = re.compile(rb"([0-9a-f]{40}|[0-9a-f]{64})\n")


class WorkTree(Struct, frozen=True):
    """One work tree; ``git_dir`` has its own HEAD and index, ``head`` is None before any commit."""

    path: Path
    git_dir: Path
    branch: str | None
    head: str | None


def work_trees(repo: DataRepo) -> list[WorkTree]:
    """The work trees that are there at this moment."""
    if (alone := _the_only_one(repo)) is not None:
        return [alone]
    listing = repo.git("worktree", "list", "--porcelain", "-z")
    found = []
    for number, facts in enumerate(work_tree_facts(listing)):
        if b"HEAD" not in facts:  # a bare repository, or the end of the list
            continue
        main = number == 0 and not repo.linked
        # git does not know the main one's path where its git folder stands elsewhere.
        path = repo.path if main else Path(os.fsdecode(facts[b"worktree"]))
        if not path.is_dir():
            continue
        head = facts[b"HEAD"].decode()
        found.append(
            WorkTree(
                path=path,
                git_dir=repo.git_dir if main else _own_git_dir(repo, path),
                branch=os.fsdecode(facts.get(b"branch", b"")).removeprefix("refs/heads/") or None,
                head=head if head.strip("0") else None,
            )
        )
    return found


def _the_only_one(repo: DataRepo) -> WorkTree | None:
    """The main work tree, where there is no other and its branch has a file of its own. A look at
    these files spares a process on nearly every call; all else is git's to read."""
    git_dir = repo.git_dir
    head = git_dir / "HEAD"
    if repo.bare or repo.linked or (git_dir / "worktrees").exists() or head.is_symlink():
        return None
    try:
        said = head.read_bytes()
        on = _ON_A_BRANCH.fullmatch(said)
        at = _COMMIT.fullmatch((git_dir / os.fsdecode(on[1])).read_bytes() if on else said)
    except OSError:
        return None
    if at is None or not repo.path.is_dir():
        return None
    branch = os.fsdecode(on[1]).removeprefix("refs/heads/") if on else None
    return WorkTree(repo.path, git_dir, branch, at[1].decode())


def wait_until_idle(work_tree: WorkTree) -> None:
    """Wait while somebody's git changes the index or HEAD. Raises :class:`DataRepoError` when it
    stays at it."""
    for lock in _locks(work_tree):
        wait_until_gone(lock)


def wait_until_gone(lock: Path) -> None:
    """Wait while somebody's git holds ``lock``. Raises :class:`DataRepoError` when it stays."""
    deadline = monotonic() + LOCK_SECONDS
    while lock.exists():
        if monotonic() > deadline:
            raise locked(lock)
        sleep(_PAUSE_SECONDS)


def is_idle(work_tree: WorkTree) -> bool:
    """True if no git holds the index or HEAD."""
    return not any(lock.exists() for lock in _locks(work_tree))


def wait_for_quiet(some: list[WorkTree]) -> None:
    """Wait a little for a moment in which nobody is at work in any of them.

    A merge of somebody's that meets a branch moving under it stops half-way, and leaves the mess
    to them.
    """
    deadline = monotonic() + QUIET_SECONDS
    while monotonic() < deadline and not all(
        is_idle(work_tree) and is_quiet(work_tree) for work_tree in some
    ):
        sleep(_PAUSE_SECONDS)


def is_quiet(work_tree: WorkTree) -> bool:
    """True if for a moment nobody has written the index or moved HEAD."""
    files = (work_tree.git_dir / name for name in ("index", "HEAD", "logs/HEAD"))
    times = []
    for file in files:
        with suppress(FileNotFoundError):
            times.append(file.stat().st_mtime)
    return not 0 <= time() - max(times, default=0.0) < MOMENT_SECONDS


def locked(lock: Path) -> DataRepoError:
    """The error for a lock that somebody does not give back."""
    message, hint = told(lock)
    return DataRepoError(f"{message}; {LOCK_SECONDS:g} seconds were waited", hint=hint)


def _locks(work_tree: WorkTree) -> list[Path]:
    return [work_tree.git_dir / "index.lock", work_tree.git_dir / "HEAD.lock"]


def require_no_rebase(work_tree: WorkTree, branch: str) -> None:
    """Raise :class:`DataRepoError` while ``branch`` is rebased there: it would fail then."""
    for state in ("rebase-merge", "rebase-apply"):
        name = work_tree.git_dir / state / "head-name"
        if name.is_file() and name.read_text(encoding="utf-8").strip() == f"refs/heads/{branch}":
            raise DataRepoError(
                f"branch `{branch}` is being rebased in `{work_tree.path}`",
                hint="finish it (`git rebase --continue`) or give it up (`git rebase --abort`).",
            )


def _own_git_dir(repo: DataRepo, path: Path) -> Path:
    limit = repo.settings.timeout_seconds
    answer = run(path, "rev-parse", "--absolute-git-dir", timeout=limit).stdout
    return Path(os.fsdecode(answer.rstrip(b"\n")))
