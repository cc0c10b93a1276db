"""The branch in a clone that does not have it yet."""

from __future__ import annotations

from ppr_assets.data_repo.checkout.advance import advance_branch
from ppr_assets.data_repo.checkout.lock import data_repo_lock
from ppr_assets.data_repo.clone.first_clone import missing_branch
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.remote.remote import fetch, remote_branches


def take_branch(repo: DataRepo) -> None:
    """Create it from the remote's; nothing is needed where no branch is anywhere yet.

    Raises :class:`DataRepoError` naming the branches that there are instead.
    """
    theirs = remote_branches(repo)
    if repo.branch in theirs:
        commit = fetch(repo)
        with data_repo_lock(repo):
            advance_branch(repo, None, commit or theirs[repo.branch])
        return
    listing = repo.word("for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads/")
    branches = set(listing.splitlines()) | theirs.keys()
    if branches:
        raise missing_branch(repo.branch, branches)
