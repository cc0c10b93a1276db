"""Find the commit to publish on when clone and remote have both moved; merge them if they must be.

A merge commit is made without any work tree, and never rewrites a commit that somebody may have
seen. git merges what lies outside of the dump folder; a conflict there is for people to solve.
The dump folder is merged by a rule of our own, see
:mod:`~ppr_assets.data_repo.history.merge_dumps`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

from msgspec.structs import replace

from ppr_assets.data_repo.git.objects import Identity, write_changed_tree, write_commit
from ppr_assets.data_repo.git.repository import DataRepo, is_ancestor
from ppr_assets.data_repo.history.merge_dumps import Unmergeable, merge_dumps
from ppr_assets.data_repo.remote.credentials import asking

MERGE_SUBJECT = "Merge the remote's {branch}"


def base_for_publishing(repo: DataRepo, local: str | None, remote: str | None) -> str | None:
    """The commit that holds both tips: one of them, or a new merge commit that no ref names yet.

    None when there is no commit at all. Raises :class:`Unmergeable` naming the paths that both
    have changed in different ways.
    """
    if local is None or remote is None:
        return local or remote
    if is_ancestor(repo, remote, local):
        return local
    if is_ancestor(repo, local, remote):
        return remote
    return _merged(repo, local, remote)


def _merged(repo: DataRepo, local: str, remote: str) -> str:
    base = repo.word("merge-base", local, remote, ok=(0, 1)) or None
    dumps = merge_dumps(repo, base, local, remote)
    # git would look for renames among dumps of a hundred megabytes, and find some: they resemble
    # each other. So it is given both sides without them.
    start = _without_dumps(repo, base, None) if base else None
    sides = [_without_dumps(repo, side, start) for side in (local, remote)]
    options = ("--write-tree", "-z", "--name-only", "--no-messages", "--allow-unrelated-histories")
    # A file that both sides have changed may be one that a partial clone lacks.
    merge = partial(asking, repo) if repo.partial else repo.git
    answer = merge("merge-tree", *options, *sides, ok=(0, 1))
    tree, *conflicts = answer.rstrip(b"\0").decode("utf-8", "replace").split("\0")
    if conflicts:
        raise Unmergeable(repo, conflicts)
    return write_commit(
        repo,
        write_changed_tree(repo, tree, {repo.dump_dir: dumps}),
        parents=[local, remote],
        message=MERGE_SUBJECT.format(branch=repo.branch) + "\n",
        author=identity(repo),
    )


def _without_dumps(repo: DataRepo, commit: str, parent: str | None) -> str:
    return write_commit(
        repo,
        write_changed_tree(repo, commit, {repo.dump_dir: None}),
        parents=[parent] if parent else [],
        message="Without the dumps\n",
        author=replace(identity(repo), signs=False),
    )


def identity(repo: DataRepo) -> Identity:
    """Who commits now: GIT_USER_NAME and GIT_USER_EMAIL."""
    return Identity(repo.settings.author_name, repo.settings.author_email, datetime.now(UTC))
