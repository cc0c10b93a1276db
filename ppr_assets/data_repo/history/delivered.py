"""What was delivered last, remembered, so that a rewritten remote is noticed.

Somebody who takes a dump out of the remote's history by force has a reason (private data, say).
A clone that still has it would push it back the next night; so it asks first.
"""

from __future__ import annotations

from ppr_assets.data_repo.git.repository import DataRepo, is_ancestor
from ppr_assets.data_repo.git.tree import commit_at
from ppr_assets.errors import DataRepoError


def remember_delivered(repo: DataRepo, commit: str) -> None:
    """Note that the remote's branch had ``commit``."""
    if commit_at(repo, delivered_ref(repo)) != commit:
        repo.git("update-ref", delivered_ref(repo), commit)


def require_not_rewritten(repo: DataRepo, local: str | None, remote: str | None) -> None:
    """Raise :class:`DataRepoError` if the remote no longer has what was delivered to it, while
    the local branch would bring it back. ``remote`` None: nothing is known, nothing is asked."""
    delivered = commit_at(repo, delivered_ref(repo))
    if delivered is None or local is None or remote is None:
        return
    if is_ancestor(repo, delivered, remote) or not is_ancestor(repo, delivered, local):
        return
    raise DataRepoError(
        f"the remote's branch `{repo.branch}` was rewritten: it no longer holds {delivered[:10]}, "
        "which was delivered, and pushing would bring that back",
        hint=f"if that was on purpose, follow it: `git fetch origin && git reset --keep "
        f"origin/{repo.branch}` in `{repo.path}`. If not, push by hand once.",
    )


def delivered_ref(repo: DataRepo) -> str:
    return f"refs/ppr_assets/delivered/{repo.branch}"
