"""Deliver a commit: give it to the remote, and let the clone follow."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from ppr_assets.data_repo.checkout.advance import advance_branch
from ppr_assets.data_repo.checkout.staging import StagedDump
from ppr_assets.data_repo.clone.upkeep import has_parts, pack_parts
from ppr_assets.data_repo.git.errors import GitCommandFailed
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.remote.errors import ContentRefused, Outrun
from ppr_assets.data_repo.remote.push import push
from ppr_assets.data_repo.remote.remote import delivered_ref, remember_delivered
from ppr_assets.errors import DataRepoError, GitTimeout, PolicyRefused, PushFailed
from ppr_assets.failures import file_failure

ATTEMPTS = 5
"""How often a commit that somebody outran is built anew on theirs."""

T = TypeVar("T")


class Ground(Struct, frozen=True):
    """What a new commit stands on: ``base`` holds both branches, ``remote`` is the fetched tip
    (None without pushing, offline, or while the remote has no such branch)."""

    base: str | None
    remote: str | None


Build = Callable[[Ground], tuple[T, str | None]]
"""Makes an outcome, and the commit to land (None: land nothing), from the ground to stand on."""


class Delivery(Struct, frozen=True):
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

    ``remote`` is the tip that was fetched, ``refused`` the commit that it would not have. The
    answer is to set aside what is ours of it.
    """

    def __init__(
        self, error: DataRepoError | PolicyRefused, remote: str | None, refused: str | None = None
    ) -> None:
        super().__init__(error.message)
        self.error = error
        self.remote = remote
        self.refused = refused


def deliver(repo: DataRepo, commit: str, remote: str | None, *, last: bool) -> Delivery:
    if commit == remote:
        remember_delivered(repo, commit)
        return Delivery(pushed=True)
    try:
        whole = _sent_whole(repo, commit, remote)
        result = push(repo, commit, whole=whole, noted=(delivered_ref(repo),))
    except ContentRefused as failure:
        raise Unfit(failure, remote, commit) from failure
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
    delivery = Delivery(pushed=True, bytes=result.bytes, seconds=result.seconds)
    try:
        remember_delivered(repo, commit)
    except DataRepoError as error:
        return _behind(delivery, error)
    return delivery


def _sent_whole(repo: DataRepo, commit: str, remote: str | None) -> bool:
    """Whether the dump of ``commit`` is in parts that could be differences to nothing.

    Where a dump or all of history waits with it, git is to find differences among what else is
    sent, for which the parts are packed. Without that the push only takes longer, so what keeps it
    from being done holds no dump back.
    """
    if not has_parts(repo, commit) or (remote and has_parts(repo, remote)):
        return False
    parent = repo.objects.name_of(f"{commit}^")
    if remote and parent and not has_parts(repo, parent):
        return True
    with suppress(GitTimeout, GitCommandFailed):
        pack_parts(repo, commit)
    return False


def follow(
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
    except (DataRepoError, OSError) as failed:
        if not delivery.pushed:
            raise
        return _behind(delivery, failed)
    return delivery


def _behind(delivery: Delivery, failed: DataRepoError | OSError) -> Delivery:
    error = file_failure(failed) if isinstance(failed, OSError) else failed
    behind = PushFailed(
        f"the remote has the dump, but the clone could not follow: {error.message}",
        hint=f"{error.hint} The next run lets it follow.".strip(),
    )
    return replace(delivery, failure=behind)
