"""Find the commit to publish on when clone and remote have both moved; merge them if they must be.

A merge commit is made without any work tree, and never rewrites a commit that somebody may have
seen. Only the dump folder is merged by a rule of our own: every dump of both sides stays, latest
becomes the newer one, and the caller decides about the ratchet file. A conflict anywhere else is
for people to solve.
"""

from __future__ import annotations

import stat
from collections.abc import Callable
from datetime import UTC, datetime

from ppr_assets.data_repo.git import run
from ppr_assets.data_repo.objects import FILE, SYMLINK, Blob, Identity, write_blob, write_commit
from ppr_assets.data_repo.repository import DataRepo
from ppr_assets.data_repo.tree import entry_at, latest_name, read_file
from ppr_assets.errors import DataRepoError
from ppr_assets.rules.naming import LATEST, RATCHET

MergeRatchet = Callable[[bytes | None, bytes | None], bytes]
"""From the ratchet file here and the one on the remote to the one that holds for both."""

# Dumps resemble each other: a retired one and a new one are no rename of each other.
_MERGE = ("-c", "merge.renames=false", "-c", "merge.directoryRenames=false", "merge-tree")


def base_for_publishing(
    repo: DataRepo, local: str | None, remote: str | None, *, merge_ratchet: MergeRatchet
) -> str | None:
    """The commit that holds both tips: one of them, or a new merge commit that no ref names yet.

    None when there is no commit at all. Raises :class:`DataRepoError` naming the paths that both
    have changed in different ways.
    """
    if local is None or remote is None:
        return local or remote
    if is_ancestor(repo, remote, local):
        return local
    if is_ancestor(repo, local, remote):
        return remote
    return _merged(repo, local, remote, merge_ratchet)


def is_ancestor(repo: DataRepo, older: str, newer: str) -> bool:
    """True if ``newer`` contains ``older`` or is the same commit; both must be in the clone."""
    limit = repo.settings.timeout_seconds
    arguments = ("merge-base", "--is-ancestor", older, newer)
    return run(repo.path, *arguments, timeout=limit, ok=(0, 1)).status == 0


def _merged(repo: DataRepo, local: str, remote: str, merge_ratchet: MergeRatchet) -> str:
    changes = _dump_folder(repo, local, remote, merge_ratchet)
    options = ("--write-tree", "-z", "--name-only", "--no-messages", "--allow-unrelated-histories")
    answer = repo.git(*_MERGE, *options, local, remote, ok=(0, 1))
    tree, *conflicts = answer.rstrip(b"\0").decode("utf-8", "replace").split("\0")
    unsolved = [path for path in conflicts if path not in changes]
    if unsolved:
        raise DataRepoError(
            f"`{repo.branch}` here and on the remote cannot be merged, both have changed "
            + ", ".join(f"`{path}`" for path in unsolved[:10]),
            hint=f"merge them by hand (`git pull` in `{repo.path}`); the dump waits for it.",
        )
    return write_commit(
        repo,
        parents=[local, remote],
        base_tree=tree,
        changes=changes,
        message=f"Merge the remote's {repo.branch}\n",
        author=identity(repo),
        date=datetime.now(UTC),
    )


def identity(repo: DataRepo) -> Identity:
    """Who commits: GIT_USER_NAME and GIT_USER_EMAIL."""
    return Identity(repo.settings.author_name, repo.settings.author_email)


def _dump_folder(
    repo: DataRepo, local: str, remote: str, merge_ratchet: MergeRatchet
) -> dict[str, Blob]:
    """What stands in the dump folder where both sides have changed a file in different ways.

    A change of one side alone is git's to take over: a mark that somebody lowered on purpose stays
    lowered.
    """
    base = repo.word("merge-base", local, remote, ok=(0, 1)) or None
    changes = {}
    latest, ratchet = f"{repo.dump_dir}/{LATEST}", f"{repo.dump_dir}/{RATCHET}"
    if _both_changed(repo, base, local, remote, latest):
        names = filter(None, (latest_name(repo, local), latest_name(repo, remote)))
        changes[latest] = Blob(SYMLINK, write_blob(repo, max(names).encode()))
    if _both_changed(repo, base, local, remote, ratchet):
        ours, theirs = _regular(repo, local, ratchet), _regular(repo, remote, ratchet)
        changes[ratchet] = Blob(FILE, write_blob(repo, merge_ratchet(ours, theirs)))
    return changes


def _both_changed(repo: DataRepo, base: str | None, local: str, remote: str, path: str) -> bool:
    before = entry_at(repo, base, path) if base else None
    ours, theirs = entry_at(repo, local, path), entry_at(repo, remote, path)
    return ours != theirs and before not in (ours, theirs)


def _regular(repo: DataRepo, commit: str, path: str) -> bytes | None:
    file = read_file(repo, commit, path)
    if file is None:
        return None
    if not stat.S_ISREG(int(file.mode, 8)):
        raise DataRepoError(f"`{path}` is no regular file in {commit[:10]}")
    return file.data
