"""Land a commit on the branch: build it on what is there, push, move the branch, try again.

The commit stays invisible until it is accepted. With pushing enabled the remote takes it first
and the local branch moves after, so that what is refused against somebody else's newer commits
never appears anywhere. Killed in between, the next run finds the remote ahead and goes on there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from ppr_assets.data_repo.clone import DataRepo
from ppr_assets.data_repo.delivered import remember_delivered, require_not_rewritten
from ppr_assets.data_repo.integrate import base_for_publishing
from ppr_assets.data_repo.merge_dumps import Unmergeable
from ppr_assets.data_repo.remote import Outrun, TooLarge, fetch, push
from ppr_assets.data_repo.set_aside import SetAside, set_aside
from ppr_assets.data_repo.staging import StagedDump
from ppr_assets.data_repo.tree import tip
from ppr_assets.data_repo.worktree import BranchMoved, advance_branch, require_movable
from ppr_assets.errors import DataRepoError, PushFailed
from ppr_assets.rules.mark import merged_mark, parse_mark, render_mark

ATTEMPTS = 5
"""How often a commit that somebody outran is built anew on theirs."""

LOCK_WAIT_SECONDS = 10.0
"""How long a run waits for the data repository's lock before it is told "busy"."""

T = TypeVar("T")


@dataclass(frozen=True)
class Ground:
    """What a new commit stands on: ``base`` holds both branches, ``remote`` is the fetched tip
    (None without pushing, offline, or while the remote has no such branch)."""

    base: str | None
    remote: str | None


Build = Callable[[Ground], tuple[T, str | None]]
"""Makes an outcome, and the commit to land (None: land nothing), from the ground to stand on."""


@dataclass(frozen=True)
class Delivery:
    """Whether the remote has the commit; bytes and seconds of the push.

    ``failure`` says why it has not, where pushing was wished (the commit is then kept), or why
    the clone could not follow what the remote took. ``set_aside`` tells of dumps that had waited
    in the clone and could not go with it.
    """

    pushed: bool
    bytes: int = 0
    seconds: float = 0.0
    failure: PushFailed | None = None
    set_aside: str = ""


NOT_PUSHED = Delivery(pushed=False)
"""Nothing was to be pushed, or nothing could be."""


class Unfit(Exception):  # an event, like being outrun
    """What waits in the clone cannot go to the remote as it is, for the reason of ``error``.

    ``remote`` is the tip that was fetched. The answer is to set aside what is ours of it.
    """

    def __init__(self, error: DataRepoError, remote: str | None) -> None:
        super().__init__(error.message)
        self.error = error
        self.remote = remote


def land(
    repo: DataRepo, build: Build[T], *, staged: StagedDump | None = None
) -> tuple[T, Delivery]:
    """Build and land a commit, under the data repository's lock.

    ``staged`` is the file that the commit publishes, so that it need not be written twice. Raises
    what ``build`` raises, :class:`DataRepoError` when the branch does not stand still, and
    :class:`TooLarge` when the remote refuses the commit for its size: nothing has moved then, or
    the remote would refuse it each night anew. Any other push that fails is part of the delivery:
    the commit is kept.
    """
    told = ""
    for remaining in reversed(range(ATTEMPTS)):
        try:
            outcome, delivery = _attempt(repo, build, staged, last=not remaining)
        except (Outrun, BranchMoved):
            continue
        except Unfit as event:
            told = _set_aside(repo, event)
            if staged is None:
                raise PushFailed(
                    told, hint=f"{event.error.hint} The next run dumps anew.".strip()
                ) from event.error
        else:
            return outcome, replace(delivery, set_aside=told)
    raise DataRepoError(
        f"branch `{repo.branch}` moved {ATTEMPTS} times while a commit was made for it",
        hint="is another program committing in a loop? Nothing is lost; run again.",
    )


def _set_aside(repo: DataRepo, event: Unfit) -> str:
    """What was set aside and why. Raises the event's own error where nothing of ours is at the
    tip of the branch."""
    local = tip(repo)
    aside: SetAside | None = set_aside(repo, local, event.remote) if local else None
    if aside is None:
        raise event.error
    dumps = ", ".join(aside.dumps)
    return f"{dumps} waited in the clone and was set aside (`{aside.ref}`): {event.error.message}"


def merge_ratchet(ours: bytes | None, theirs: bytes | None) -> bytes:
    """The ratchet file of a merge: the higher mark of both, table by table; one of them if only
    one side has any."""
    if ours is None or theirs is None:
        return ours or theirs or b""
    return render_mark(merged_mark(parse_mark(ours), parse_mark(theirs))).encode()


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
        base = base_for_publishing(repo, local, remote, merge_ratchet=merge_ratchet)
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
        delivery = _deliver(repo, commit, remote, last=last)
    else:
        delivery = NOT_PUSHED
    if commit != local:
        delivery = _follow(repo, local, commit, staged, delivery)
    return outcome, delivery


def _follow(
    repo: DataRepo,
    local: str | None,
    commit: str,
    staged: StagedDump | None,
    delivery: Delivery,
) -> Delivery:
    """Move the local branch. When that fails after the remote took the commit, it is published
    all the same: the delivery says so, and the next run lets the clone follow."""
    try:
        advance_branch(repo, local, commit, staged=staged)
    except DataRepoError as error:
        if not delivery.pushed:
            raise
        behind = PushFailed(
            f"the remote has the dump, but the clone could not follow: {error.message}",
            hint=f"{error.hint} The next run lets it follow.".strip(),
        )
        return replace(delivery, failure=behind)
    return delivery


def _fetched(repo: DataRepo) -> tuple[str | None, PushFailed | None]:
    """The remote's tip, or the failure to learn it: the commit is then made on what is here."""
    try:
        return fetch(repo), None
    except PushFailed as failure:
        return None, failure


def _deliver(repo: DataRepo, commit: str, remote: str | None, *, last: bool) -> Delivery:
    if commit == remote:
        remember_delivered(repo, commit)
        return Delivery(pushed=True)
    try:
        result = push(repo, commit)
    except TooLarge as failure:
        raise Unfit(failure, remote) from failure
    except PushFailed as failure:
        return Delivery(pushed=False, failure=failure)
    except Outrun as outrun:
        if not last:
            raise
        outrun_for_good = PushFailed(
            f"branch `{repo.branch}` of the remote moved, or stayed locked, {ATTEMPTS} times in a "
            f"row: {outrun}",
            hint="the commit is kept in the clone; the next run that is not refused delivers it.",
        )
        return Delivery(pushed=False, failure=outrun_for_good)
    remember_delivered(repo, commit)
    return Delivery(pushed=True, bytes=result.bytes, seconds=result.seconds)
