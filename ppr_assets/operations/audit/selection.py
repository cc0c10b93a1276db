"""Which commits of the history are audited."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.history.commits import FolderCommit, ancestors
from ppr_assets.errors import DumpMissing
from ppr_assets.operations.published.view import OnView, look, named, unseen

GAP_HOURS = 50.0
"""A night that was missed, and two hours."""


class Scope(Struct, frozen=True):
    """What is audited. ``commit``: the latest dump as published there (None: at the branch's tip)
    and what happened since it came. ``since``: what was committed from then on. ``every``: the
    whole history up to ``commit``. A time without dumps of over ``gap_hours`` is reported.
    ``offline``: the remote is not asked for what is newest. ``policy``: what dumps hold is held to
    the publication policy too, ``policy_file`` being read in the place of today's."""

    commit: str | None = None
    since: datetime | None = None
    every: bool = False
    gap_hours: float = GAP_HOURS
    offline: bool = False
    policy: bool = False
    policy_file: Path | None = None


def end_of(repo: DataRepo, scope: Scope, on_view: OnView = unseen) -> str:
    """The commit that the audit ends with. Raises :class:`DataRepoError` if there is none."""
    if scope.commit is None:
        view = look(repo, offline=scope.offline)
        on_view(view)
        newest = view.commit
        if newest is None:
            raise DumpMissing(
                f"branch `{repo.branch}` of `{repo.path}` has no commit yet, and so no dump",
                hint="`ppr-assets dump` makes one of a database.",
            )
        return newest
    return named(repo, scope.commit, offline=scope.offline)


def selected(
    history: Sequence[FolderCommit], scope: Scope, standing: Collection[str]
) -> list[FolderCommit]:
    """The part of the history that is asked for; ``standing``: the commits that brought the dump
    that is latest at its end."""
    if scope.since is not None:
        since = scope.since
        return [commit for commit in history if commit.date >= since]
    if scope.every:
        return [*history]
    parents = {commit.sha: commit.parents for commit in history}
    newest = [sha for sha in parents if sha in standing][-1:]
    before = ancestors([parent for sha in newest for parent in parents[sha]], parents)
    return [commit for commit in history if commit.sha not in before]
