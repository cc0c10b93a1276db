"""Whether what strangers get is as new as it should be.

A stranger knows when the data of a dump were taken, and nothing of the nights since then that
found the same: those make no dump and no commit. A machine that runs the nights knows of them, and
which dump they left; without that, the age of the dump is all that can be judged.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct

from ppr_assets.data_repo.clone.clone import DataRepoOfRun
from ppr_assets.data_repo.clone.clone_folder import wants_clone
from ppr_assets.data_repo.history.dump_folder import dump_folder
from ppr_assets.data_repo.remote.remote import fetched_tip
from ppr_assets.errors import DataRepoError, PprError
from ppr_assets.operations.attention import undelivered_since
from ppr_assets.operations.last_night import last_night
from ppr_assets.operations.outside.branch import PublicDump
from ppr_assets.settings import Settings


class NightsHere(Struct, frozen=True):
    """``good``: when the last good night of this machine ended, which left the dump ``left``, where
    that is known. ``clone``: it has one, whose runs
    have left ``latest`` on the remote. ``pushes``: they deliver; ``undelivered``: not all of it
    yet. Nothing on one that only looks."""

    good: datetime | None = None
    left: str | None = None
    clone: bool = False
    latest: str | None = None
    pushes: bool = True
    undelivered: bool = False

    def confirmed(self, dump: PublicDump) -> datetime:
        """When the data were last known to be those of ``dump``."""
        left_by_a_night = dump.name >= max(self.latest or "", self.left or "")
        return max(dump.moment, self.good) if self.good and left_by_a_night else dump.moment


def nights_here(settings: Settings, good: datetime | None) -> NightsHere:
    """Ask before the remote is looked at, which then has what is expected of it. ``good``: when the
    last good night ended as far as Dagster or the alerts know; what the nights note themselves
    may be newer."""
    noted, left = last_night(settings.data_repo), None
    if noted and noted.good_at and (good is None or noted.good_at >= good):
        good, left = noted.good_at, noted.dump
    if wants_clone(settings.data_repo.path):
        return NightsHere(good, left)
    pushes = settings.data_repo.push_enabled
    try:
        with DataRepoOfRun(settings.data_repo) as data_repo:
            repo = data_repo.opened()
            latest = dump_folder(repo, fetched_tip(repo)).latest
            undelivered = undelivered_since(repo) is not None
    except DataRepoError:  # its own to tell; what others get is judged without it
        return NightsHere(good, left, pushes=pushes)
    return NightsHere(good, left, clone=True, latest=latest, pushes=pushes, undelivered=undelivered)


def too_old(
    settings: Settings, nights: NightsHere, dump: PublicDump, at: datetime
) -> PprError | None:
    """What is said of it, if it is; of what is not pushed from here on purpose nothing is."""
    if not nights.pushes:
        return None
    return _behind(nights, dump) or _aged(settings, nights, dump, at)


def _behind(nights: NightsHere, dump: PublicDump) -> PprError | None:
    if nights.latest is None or dump.name >= nights.latest:
        return None
    return PprError(
        f"others still get {dump.name}, and a night of this machine has delivered {nights.latest}",
        hint="does DATA_REPO_PUBLIC_URL or DATA_REPO_URL name the repository that is pushed to "
        "(`git remote -v` in the clone), or has somebody forced the branch back?",
    )


def _aged(
    settings: Settings, nights: NightsHere, dump: PublicDump, at: datetime
) -> PprError | None:
    limit, since = settings.alerts.max_age_hours, nights.confirmed(dump)
    if at - since < timedelta(hours=limit):
        return None
    unknown = "" if nights.good else ", and no good night since then is known here"
    hint = "does the machine that dumps run, with Dagster's daemon and the schedule `nightly`?"
    if not nights.good:
        hint += (
            " A night that finds the same data makes no dump: where that is usual, raise the limit."
        )
    return PprError(
        f"what others get is {dump.name}, right as of {since:%Y-%m-%d %H:%M} UTC{unknown}; one is "
        f"due every {limit:g} h (PPR_ALERT_MAX_AGE_HOURS)",
        hint=hint,
    )
