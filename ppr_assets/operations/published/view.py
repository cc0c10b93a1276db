"""Which commit is looked at: one answer for all verbs that look, so that none is behind another.

Where there is a remote it is asked first, unless somebody wants to stay offline. If it does not
answer, what the clone knows is looked at, and that is said: a dump that is there is better than
none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from ppr_assets.data_repo.clone.clone import open_data_repo
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.git.tree import commit_named, tip
from ppr_assets.data_repo.remote.remote import (
    fetch,
    fetched_at,
    fetched_tip,
    require_answer,
    require_not_rewritten,
)
from ppr_assets.errors import DataRepoError, PushFailed
from ppr_assets.settings import DataRepoSettings


@dataclass(frozen=True)
class View:
    """``commit`` is looked at; None while the branch has none. ``local`` and ``remote`` are where
    the clone's branch and the remote's were found, ``fetched_at`` when the latter was (None if
    never), which makes no other view of it. ``alone``: there is no remote. ``failure`` says why it
    was not asked, and ``remarks`` why there may be something newer."""

    commit: str | None
    branch: str
    alone: bool = False
    local: str | None = None
    remote: str | None = None
    fetched_at: datetime | None = field(default=None, compare=False)
    failure: PushFailed | None = None
    remarks: tuple[str, ...] = ()

    def describe(self, now: datetime) -> str:
        """``commit 4f2a91c03d of main, the remote was asked 3 h ago``."""
        what = f"commit {self.commit[:10]}" if self.commit else "no commit yet"
        return f"{what} of {self.branch}, {self.asked(now)}"

    def asked(self, now: datetime) -> str:
        if self.alone:
            return "there is no remote"
        if self.fetched_at is None:
            return "the remote was never asked from here"
        minutes = int((now - self.fetched_at).total_seconds() // 60)
        if minutes < 1:
            return "the remote was asked just now"
        if minutes < 120:
            return f"the remote was asked {minutes} min ago"
        hours = minutes // 60
        return f"the remote was asked {f'{hours} h' if hours < 48 else f'{hours // 24} days'} ago"


OnView = Callable[[View], None]
"""Is told what is looked at, before it is."""


def unseen(view: View) -> None:  # nobody wants to know
    """An :data:`OnView` that tells nobody."""


@contextmanager
def looked_at(
    settings: DataRepoSettings, *, offline: bool = False, on_view: OnView = unseen
) -> Iterator[tuple[DataRepo, str | None]]:
    """The data repository, and the commit of it that is looked at."""
    with open_data_repo(settings) as repo:
        view = look(repo, offline=offline)
        on_view(view)
        yield repo, view.commit


def look(repo: DataRepo, *, offline: bool = False, answer_seconds: float | None = None) -> View:
    """The branch's tip, or the remote's where that is ahead. Only refs of ours are changed.

    ``answer_seconds``: how long to wait for a remote that does not answer at all, where that is to
    be less than the limit of one git call; None for no question before it is fetched from."""
    remarks = []
    remote, failure = fetched_tip(repo), None
    if offline and repo.remote is not None:
        remarks.append("newer dumps may be published, as the remote was not asked: --offline")
    elif repo.remote is not None:
        try:
            if answer_seconds is not None:
                require_answer(repo, answer_seconds)
            remote = fetch(repo, dumps=False)
        except PushFailed as error:
            failure = error
            why = f"as the remote was not asked: {error.message}"
            remarks.append(f"newer dumps may be published, {why}")
    local = tip(repo)
    commit, beside = _newer(repo, local, remote)
    return View(
        commit,
        repo.branch,
        alone=repo.remote is None,
        local=local,
        remote=remote,
        fetched_at=fetched_at(repo),
        failure=failure,
        remarks=(*remarks, *beside),
    )


def _newer(
    repo: DataRepo, local: str | None, remote: str | None
) -> tuple[str | None, tuple[str, ...]]:
    """The one that holds the other, or ours; and what the other has beside it."""
    if local is None or remote is None or local == remote:
        return local or remote, ()
    try:
        require_not_rewritten(repo, local, remote)
    except DataRepoError as error:
        return local, (f"{error.message}, so the next dump stops there: {error.hint}",)
    asked = ("rev-list", "--left-right", "--count", f"{local}...{remote}", "--")
    ours, theirs = map(int, repo.word(*asked).split())
    if not ours:
        return remote, ()
    if not theirs:
        return local, ()
    return local, (
        f"the clone's branch has {ours} commit{'s' * (ours > 1)} that the remote has not, and "
        f"lacks {theirs} up to {remote[:10]}: the next dump merges them",
    )


def named(repo: DataRepo, name: str, *, offline: bool = False) -> str:
    """The commit that ``name`` stands for; one that the clone does not know may be on the remote.

    Raises :class:`DataRepoError` if there is none.
    """
    try:
        return commit_named(repo, name)
    except DataRepoError:
        if offline or repo.remote is None:
            raise
        look(repo)
        return commit_named(repo, name)
