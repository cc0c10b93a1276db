"""Set aside what waits in the clone and cannot go to the remote any more.

A dump that was committed while the remote was away is delivered by a later run. Meanwhile others
may have published one of the same name, or raised the mark above it; or the remote may refuse what
is in it, each night anew. Then the branch goes back to where it was before our own dumps at its
tip, and the next one is built on what the remote has. Only commits that this project makes by
itself are taken off, never one of a human, and none is lost: a ref of ours keeps them, and its log
tells why.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from ppr_assets.data_repo.checkout.advance import advance_branch
from ppr_assets.data_repo.git.listings import log_format, log_rows
from ppr_assets.data_repo.git.objects import write_commit
from ppr_assets.data_repo.git.pathspec import outside
from ppr_assets.data_repo.git.repository import DataRepo, is_ancestor
from ppr_assets.data_repo.history.integrate import MERGE_SUBJECT, identity
from ppr_assets.data_repo.history.kept_dumps import SetAside, keep
from ppr_assets.data_repo.history.message import parse_trailers


class _Commit(Struct, frozen=True):
    sha: str
    parents: tuple[str, ...]
    message: str
    dump: str | None
    """The dump that it publishes, as its message says."""

    @property
    def subject(self) -> str:
        return self.message.partition("\n")[0]


class Waiting(Struct, frozen=True):
    """Our own commits at the branch's tip that the remote lacks: ``commits`` oldest first, their
    ``dumps`` newest first; ``below`` is the commit that they stand on."""

    dumps: tuple[str, ...]
    commits: tuple[_Commit, ...]
    below: str


def waiting_at(repo: DataRepo, local: str, remote: str | None) -> Waiting | None:
    """What of ours waits at ``local``, the branch's tip; ``remote`` is the fetched one.

    None where a human's commit is at the tip, or nothing would be left without ours.
    """
    found = list(_ours_at_tip(repo, local, remote))
    dumps = tuple(commit.dump for commit in found if commit.dump)
    if not dumps or not found[-1].parents:
        return None
    return Waiting(dumps, tuple(reversed(found)), found[-1].parents[0])


def set_aside(repo: DataRepo, local: str, remote: str | None, reason: str) -> SetAside | None:
    """Take our own undelivered dumps off the branch, which is at ``local``; under the lock.

    None where there are none, see :func:`waiting_at`: then nothing has changed. Raises what
    :func:`advance_branch` raises.
    """
    found = waiting_at(repo, local, remote)
    if found is None:
        return None
    kept = keep(repo, local, reason, found.dumps)
    advance_branch(repo, local, found.below)
    return kept


def made_anew(repo: DataRepo, waiting: Waiting) -> str | None:
    """The same commits as they would be made now, signed or by whom the settings say; the last of
    them, which no ref names yet. None where a merge is among them."""
    parent = waiting.below
    for commit in waiting.commits:
        if len(commit.parents) != 1:
            return None
        parent = write_commit(
            repo,
            commit.sha,
            parents=[parent],
            message=commit.message,
            author=identity(repo),
        )
    return parent


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
    log = repo.git("log", "-1", *log_format("%P", "%B"), sha, "--")
    ((parents, message, _),) = log_rows(log, 2)
    trailers = parse_trailers(message)
    dump = trailers.get("Dump") if {"Dump", "Sha256"} <= trailers.keys() else None
    return _Commit(sha, tuple(parents.split()), message, dump)


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
    return repo.word(*options, commit.sha, "--", *outside(repo.dump_dir)) == ""
