"""What is decided on, and who decided what: as it stands in files and commits, whatever the
database has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from msgspec import Struct

from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.history.commits import FolderCommit, folder_history
from ppr_assets.data_repo.history.dump_folder import DumpFolder, DumpFolders
from ppr_assets.errors import PolicyUnreadable
from ppr_assets.operations.published.view import OnView, looked_at
from ppr_assets.operations.publishing.publication import additions_at
from ppr_assets.rules.naming import PUBLICATION
from ppr_assets.rules.publication.policy import Decision, Decisions, Policy, shipped_policy
from ppr_assets.settings import Settings


class PolicyInForce(Struct, frozen=True):
    """``added`` to what is shipped by ``source``, in words; ``whole``: both."""

    whole: Policy
    added: Policy
    source: str


class Revision(Struct, frozen=True):
    """What a commit changed: ``changes`` are table, column (or :data:`WHOLE`), before and after,
    None where nothing was decided. ``unreadable``: what is wrong with the file that it left, of
    which nobody knows what it changed; the next is held against the last that could be read."""

    commit: FolderCommit
    changes: Sequence[tuple[str, str, Decision | None, Decision | None]]
    unreadable: str = ""


def policy_in_force(settings: Settings, on_view: OnView, *, offline: bool = False) -> PolicyInForce:
    """Raises :class:`PolicyUnreadable`."""
    with looked_at(settings.data_repo, offline=offline, on_view=on_view) as (repo, commit):
        added = additions_at(repo, commit, settings.dump)
    file = settings.dump.policy_file
    source = "data repository" if file is None else f"`{file}`"
    return PolicyInForce(shipped_policy().with_additions(added), added, source)


def review_policy(
    settings: Settings, on_view: OnView, since: datetime | None = None, *, offline: bool = False
) -> list[Revision]:
    """What the commits up to the one that is looked at changed, the newest first, merges left out:
    what they bring was decided elsewhere."""
    with looked_at(settings.data_repo, offline=offline, on_view=on_view) as (repo, commit):
        found = list(_revisions(repo, commit)) if commit else []
    return [one for one in reversed(found) if since is None or one.commit.date >= since]


def _revisions(repo: DataRepo, commit: str) -> Iterator[Revision]:
    folders = DumpFolders(repo)
    last = Policy()
    for one in folder_history(repo, commit):
        if len(one.parents) > 1:
            continue
        now = folders.at(one.sha)
        before = folders.at(one.parents[0]) if one.parents else DumpFolder(repo, None)
        if now.sha(PUBLICATION) == before.sha(PUBLICATION):
            continue
        try:
            added = now.additions or Policy()
        except PolicyUnreadable as error:
            yield Revision(one, [], error.message)
            continue
        yield Revision(one, list(_changes(_readable(before, last), added)))
        last = added


def _readable(folder: DumpFolder, last: Policy) -> Policy:
    try:
        return folder.additions or Policy()
    except PolicyUnreadable:
        return last


def _changes(
    before: Policy, now: Policy
) -> Iterator[tuple[str, str, Decision | None, Decision | None]]:
    for table in sorted(before.tables.keys() | now.tables.keys()):
        then: Decisions = before.tables.get(table, {})
        after: Decisions = now.tables.get(table, {})
        for column in sorted(then.keys() | after.keys()):
            if then.get(column) != after.get(column):
                yield table, column, then.get(column), after.get(column)
