"""Set aside what waits in the clone and cannot go to the remote any more.

A dump that was committed while the remote was away is delivered by a later run. Meanwhile others
may have published one of the same name, or raised the mark above it; or the remote may refuse a
file for its size, each night anew. Then the branch goes back to where it was before our own dumps
at its tip, and the next one is built on what the remote has. Only commits that this project makes
by itself are taken off, never one of a human, and none is lost: a ref of ours keeps them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ppr_assets.data_repo.commit import parse_trailers
from ppr_assets.data_repo.integrate import MERGE_SUBJECT, is_ancestor
from ppr_assets.data_repo.repository import DataRepo
from ppr_assets.data_repo.worktree import advance_branch


@dataclass(frozen=True)
class SetAside:
    """``dumps`` are the names of those that were taken off, newest first; ``ref`` keeps them."""

    dumps: tuple[str, ...]
    ref: str


@dataclass(frozen=True)
class _Commit:
    sha: str
    parents: tuple[str, ...]
    subject: str
    dump: str | None
    """The dump that it publishes, as its message says."""


def set_aside(repo: DataRepo, local: str, remote: str | None) -> SetAside | None:
    """Take our own undelivered dumps off the branch, which is at ``local``; under the lock.

    ``remote`` is the fetched tip. None where a human's commit is at the tip, or nothing would be
    left: then nothing has changed. Raises what :func:`advance_branch` raises.
    """
    found = list(_ours_at_tip(repo, local, remote))
    dumps = tuple(commit.dump for commit in found if commit.dump)
    if not dumps or not found[-1].parents:
        return None
    ref = f"refs/ppr_assets/set_aside/{local[:12]}"
    repo.git("update-ref", ref, local)
    advance_branch(repo, local, found[-1].parents[0])
    return SetAside(dumps, ref)


def _ours_at_tip(repo: DataRepo, local: str, remote: str | None) -> Iterator[_Commit]:
    """From the tip down, by first parents, what this project made and the remote does not have."""
    sha = local
    while remote is None or not is_ancestor(repo, sha, remote):
        commit = _commit(repo, sha)
        if not _made_by_us(repo, commit, remote):
            return
        yield commit
        if not commit.parents:
            return
        sha = commit.parents[0]


def _commit(repo: DataRepo, sha: str) -> _Commit:
    fields = ("log", "-1", "--no-show-signature", "--encoding=UTF-8", "--format=%P%x00%B")
    parents, _, message = repo.word(*fields, sha, "--").partition("\0")
    trailers = parse_trailers(message)
    dump = trailers.get("Dump") if {"Dump", "Sha256"} <= trailers.keys() else None
    return _Commit(sha, tuple(parents.split()), message.partition("\n")[0], dump)


def _made_by_us(repo: DataRepo, commit: _Commit, remote: str | None) -> bool:
    """A dump that touches nothing but the dump folder, or our merge with what the remote has.

    A merge is made anew. A reset of the mark is a human's decision, and stays.
    """
    if len(commit.parents) == 2:
        if commit.subject != MERGE_SUBJECT.format(branch=repo.branch) or remote is None:
            return False
        return is_ancestor(repo, commit.parents[1], remote)
    if len(commit.parents) > 2 or commit.dump is None:
        return False
    options = ("diff-tree", "--root", "-r", "--name-only", "--no-commit-id")
    elsewhere = f":(top,exclude,literal){repo.dump_dir}"
    return repo.word(*options, commit.sha, "--", ":(top)", elsewhere) == ""
