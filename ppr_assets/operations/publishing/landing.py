"""Land a commit on the branch: build it on what is there, push, move the branch, try again.

The commit stays invisible until it is accepted. With pushing enabled the remote takes it first
and the local branch moves after, so that what is refused against somebody else's newer commits
never appears anywhere. Killed in between, the next run finds the remote ahead and goes on there.
"""

from __future__ import annotations

from msgspec.structs import replace

from ppr_assets.data_repo.checkout.advance import BranchMoved, require_movable
from ppr_assets.data_repo.checkout.staging import StagedDump
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.git.tree import tip
from ppr_assets.data_repo.history.integrate import base_for_publishing
from ppr_assets.data_repo.history.merge_dumps import Unmergeable
from ppr_assets.data_repo.remote.errors import Outrun, Refused
from ppr_assets.data_repo.remote.remote import fetch, require_not_rewritten
from ppr_assets.errors import DataRepoError, PushFailed
from ppr_assets.operations.publishing.delivery import (
    ATTEMPTS,
    NOT_PUSHED,
    Build,
    Delivery,
    Ground,
    T,
    Unfit,
    deliver,
    follow,
)
from ppr_assets.operations.publishing.refused import (
    another_way,
    delivered_in_part,
    set_aside_what_waits,
)


def land(
    repo: DataRepo, build: Build[T], *, staged: StagedDump | None = None
) -> tuple[T, Delivery]:
    """Build and land a commit, under the data repository's lock.

    ``staged`` is the file that the commit publishes, so that it need not be written twice. Raises
    what ``build`` raises, :class:`DataRepoError` when the branch does not stand still, and
    :class:`ContentRefused` when the remote refuses the commit for what it holds: no branch has
    moved then, or the remote would refuse it each night anew, and a ref keeps the commit. Any other
    push that fails is part of the delivery: the commit is kept on the branch.
    """
    told = ""
    for remaining in reversed(range(ATTEMPTS)):
        try:
            outcome, delivery = _attempt(repo, build, staged, last=not remaining)
        except (Outrun, BranchMoved):
            continue
        except Unfit as event:
            if delivered_in_part(repo, event):
                continue
            told = set_aside_what_waits(repo, event, staged)
            if staged is None:
                raise PushFailed(
                    told, hint=f"{event.error.hint} The next run dumps anew.".strip()
                ) from event.error
        else:
            return outcome, replace(delivery, set_aside=told or delivery.set_aside)
    raise DataRepoError(
        f"branch `{repo.branch}` moved {ATTEMPTS} times while a commit was made for it",
        hint="is another program committing in a loop? Nothing is lost; run again.",
    )


def _attempt(
    repo: DataRepo, build: Build[T], staged: StagedDump | None, *, last: bool
) -> tuple[T, Delivery]:
    """Raises :class:`Outrun` or :class:`BranchMoved` when what it stood on changed meanwhile, and
    :class:`Unfit` when what waited cannot be delivered."""
    local = tip(repo)
    pushing = repo.settings.push_enabled and repo.remote is not None
    remote, unreachable = _fetched(repo) if pushing else (None, None)
    require_not_rewritten(repo, local, remote)
    try:
        base = base_for_publishing(repo, local, remote)
    except Unmergeable as conflict:
        if not conflict.ours:
            raise
        raise Unfit(conflict, remote) from conflict
    outcome, commit = build(Ground(base, remote))
    if commit is None:
        return outcome, NOT_PUSHED
    if commit != local:
        require_movable(repo)
    if unreachable is not None:
        delivery = Delivery(pushed=False, failure=unreachable)
    elif pushing:
        delivery = deliver(repo, commit, remote, last=last)
    else:
        delivery = NOT_PUSHED
    if isinstance(delivery.failure, Refused) and local is not None:
        another = another_way(repo, build, staged, Ground(local, remote), delivery.failure)
        if another is not None:
            return another
    if commit != local:
        delivery = follow(repo, local, commit, staged, delivery)
    return outcome, delivery


def _fetched(repo: DataRepo) -> tuple[str | None, PushFailed | None]:
    """The remote's tip, or the failure to learn it: the commit is then made on what is here."""
    try:
        return fetch(repo), None
    except PushFailed as failure:
        return None, failure
