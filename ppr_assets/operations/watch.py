"""Watch the data repository for publishing commits that no dump has followed yet."""

from __future__ import annotations

from contextlib import suppress

from msgspec import Struct

from ppr_assets.data_repo.clone.clone import DataRepoOfRun
from ppr_assets.data_repo.clone.clone_folder import wants_clone
from ppr_assets.data_repo.clone.remote_head import known_remote, remote_head
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.git.tree import tip
from ppr_assets.data_repo.history.dump_folder import dump_folder
from ppr_assets.data_repo.history.publications import (
    Publication,
    new_publication_since,
    newest_publication,
)
from ppr_assets.data_repo.remote.remote import fetch, fetched_tip
from ppr_assets.errors import PushFailed
from ppr_assets.settings import Settings


class SeenCommits(Struct, frozen=True):
    """What was seen last: the branch's head on the remote, and the newest publishing commit."""

    head: str | None = None
    publication: str | None = None


class WatchLook(Struct, frozen=True):
    """What a look found.

    ``wanted``: the commit that a dump is wanted for, None if none is, and ``reason`` then says
    why. ``new``: what is known of that commit; nothing before there is a clone to look into.
    """

    seen: SeenCommits
    wanted: str | None = None
    new: Publication | None = None
    reason: str = ""


def look_for_publication(settings: Settings, seen: SeenCommits) -> WatchLook:
    """One ``ls-remote``; a fetch only when the head has moved. Never makes a clone.

    Cloning may take long, which is a run's work and not a look's: where there is no clone yet, a
    dump is wanted for whatever the head is. Without a remote the local branch is looked at.
    Raises :class:`DataRepoError` and its kin when the repository or its remote cannot be asked.
    """
    remote = known_remote(settings.data_repo)
    with DataRepoOfRun(settings.data_repo) as data_repo:
        if remote is None:
            head = tip(data_repo.opened())
        else:
            head = remote_head(settings.data_repo, remote)
        if head is None:
            return WatchLook(seen, reason=f"branch `{settings.data_repo.branch}` has no commit yet")
        if head == seen.head:
            return WatchLook(seen, reason=f"nothing new since {head[:10]}")
        if wants_clone(settings.data_repo.path):
            return WatchLook(SeenCommits(head, seen.publication), wanted=head)
        repo = data_repo.opened()
        return _look_into(repo, fetch(repo) or head, seen)


def newest_known(data_repo: DataRepoOfRun) -> Publication | None:
    """The newest publishing commit of all; offline, the newest that the clone knows.

    Raises what :func:`~ppr_assets.data_repo.clone.clone.open_data_repo` raises.
    """
    repo = data_repo.opened()
    with suppress(PushFailed):
        fetch(repo)
    return newest_publication(repo, *filter(None, [tip(repo), fetched_tip(repo)]))


def _look_into(repo: DataRepo, head: str, seen: SeenCommits) -> WatchLook:
    new = new_publication_since(repo, head, seen.head)
    if new is None:
        return WatchLook(
            SeenCommits(head, seen.publication), reason=f"only dumps up to {head[:10]}"
        )
    now = SeenCommits(head, new.sha)
    if new.sha == seen.publication:
        return WatchLook(now, reason=f"publication {new.sha[:10]} was seen before")
    latest = dump_folder(repo, head).latest_manifest
    if latest is not None and latest.publication == new.sha:
        return WatchLook(now, reason=f"{latest.dump} has followed publication {new.sha[:10]}")
    return WatchLook(now, wanted=new.sha, new=new)
