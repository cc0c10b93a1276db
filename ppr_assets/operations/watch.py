"""Watch the data repository for publishing commits that no dump has followed yet."""

from __future__ import annotations

from dataclasses import dataclass

from ppr_assets.data_repo.clone import open_data_repo
from ppr_assets.data_repo.publications import Publication, new_publication_since
from ppr_assets.data_repo.remote import fetch, remote_tip
from ppr_assets.data_repo.tree import tip
from ppr_assets.operations.latest import latest_manifest
from ppr_assets.settings import Settings


@dataclass(frozen=True)
class Seen:
    """What was seen last: the branch's head on the remote, and the newest publishing commit."""

    head: str | None = None
    publication: str | None = None


@dataclass(frozen=True)
class Look:
    """What a look found: a ``new`` publication, or the ``reason`` why there is none."""

    seen: Seen
    new: Publication | None = None
    reason: str = ""


def look_for_publication(settings: Settings, seen: Seen) -> Look:
    """One ``ls-remote``; a fetch only when the head has moved. A clone is made where none is.

    Without a remote the local branch is looked at. Raises :class:`DataRepoError` and its kin when
    the repository or its remote cannot be asked.
    """
    repo = open_data_repo(settings.data_repo)
    head = remote_tip(repo) if repo.remote else tip(repo)
    if head is None:
        return Look(seen, reason=f"branch `{repo.branch}` has no commit yet")
    if head == seen.head:
        return Look(seen, reason=f"nothing new since {head[:10]}")
    if repo.remote:
        head = fetch(repo) or head
    new = new_publication_since(repo, head, seen.head)
    if new is None:
        return Look(Seen(head, seen.publication), reason=f"only dumps up to {head[:10]}")
    now = Seen(head, new.sha)
    if new.sha == seen.publication:
        return Look(now, reason=f"publication {new.sha[:10]} was seen before")
    latest = latest_manifest(repo, head)
    if latest is not None and latest.publication == new.sha:
        return Look(now, reason=f"{latest.dump} has followed publication {new.sha[:10]}")
    return Look(now, new=new)
