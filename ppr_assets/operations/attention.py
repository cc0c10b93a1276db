"""What no run tells: one that was killed, no new dump, one that waits, a full disk."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ppr_assets.data_repo.checkout.lock import data_repo_lock
from ppr_assets.data_repo.checkout.staging import staged
from ppr_assets.data_repo.clone.clone import DataRepoOfRun
from ppr_assets.data_repo.clone.clone_folder import wants_clone
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.git.tree import tip
from ppr_assets.data_repo.remote.remote import fetched_tip
from ppr_assets.errors import Busy, PprError
from ppr_assets.operations.last_night import last_night, was_killed
from ppr_assets.rules.incidents import (
    BACKLOG,
    DISK_NEARLY_FULL,
    NIGHTLY,
    NO_NEW_DUMP,
    NOT_DELIVERED,
    RUN_FAILED,
    Report,
    begun,
    over,
)
from ppr_assets.settings import Settings

_ENOUGH = 1.2
"""So much more than the limit has to be free again: a disk at its limit goes back and forth."""


def look_around(settings: Settings, good: datetime | None, at: datetime) -> list[Report]:
    """Everything, for a nightly run that was last good at ``good`` (None: nobody knows). Raises
    :class:`PprError` where the clone cannot be looked into."""
    return [
        *_killed(settings, at),
        *([_age(settings, good, at)] if good else []),
        *_disk(settings, at),
        *_waiting(settings, at),
    ]


def _killed(settings: Settings, at: datetime) -> Iterator[Report]:
    """Said by nobody else: a process that is killed has no last word. The next night ends it."""
    last = last_night(settings.data_repo)
    if last is not None and was_killed(settings.data_repo, last):
        error = PprError(
            f"the nightly run that began {last.began_at:%Y-%m-%d %H:%M} UTC was killed: it has not "
            "ended, and no process is at it",
            hint="did the machine go down, or run out of memory (`journalctl -k`)? Nothing half "
            "done was published; `ppr-assets dump` makes up for it.",
        )
        yield begun(RUN_FAILED, NIGHTLY, at, error.render())


def _age(settings: Settings, good: datetime, at: datetime) -> Report:
    limit = settings.alerts.max_age_hours
    if at - good < timedelta(hours=limit):
        return over(NO_NEW_DUMP, NIGHTLY, at)
    error = PprError(
        f"the last good nightly run ended at {good:%Y-%m-%d %H:%M} UTC, one is due every "
        f"{limit:g} h (PPR_ALERT_MAX_AGE_HOURS)",
        hint="is the schedule `nightly` switched on in Dagster's UI, and does its daemon run? "
        "`ppr-assets dump` makes up for it.",
    )
    return begun(NO_NEW_DUMP, NIGHTLY, at, error.render())


def _disk(settings: Settings, at: datetime) -> Iterator[Report]:
    place = _existing(settings.data_repo.path)
    usage = shutil.disk_usage(place)
    percent, limit = 100 * usage.free / usage.total, settings.alerts.disk_free_percent
    subject = str(settings.data_repo.path)
    if percent < limit:
        error = PprError(
            f"`{place}` has {usage.free / 1e9:.1f} GB ({percent:.1f} %) free, {limit:g} % are to "
            "be free (PPR_ALERT_DISK_FREE_PERCENT)",
            hint="make room there before a night fails for it; `du -sh` of the clone's `.git` and "
            "the server's data folder says where it went.",
        )
        yield begun(DISK_NEARLY_FULL, subject, at, error.render())
    elif percent >= limit * _ENOUGH:
        yield over(DISK_NEARLY_FULL, subject, at)


def _existing(path: Path) -> Path:
    """``path``, or the nearest folder above it that is there."""
    return next(one for one in (path, *path.parents) if one.exists())


def _waiting(settings: Settings, at: datetime) -> Iterator[Report]:
    """Dumps that wait in the clone, while nobody works there."""
    if wants_clone(settings.data_repo.path):
        return
    limit = timedelta(hours=settings.alerts.undelivered_hours)
    with DataRepoOfRun(settings.data_repo) as data_repo:
        repo = data_repo.opened()
        found = {BACKLOG: _staged_since(repo), NOT_DELIVERED: undelivered_since(repo)}
        for kind, since in found.items():
            if since is None:
                yield over(kind, NIGHTLY, at)
            elif at - since >= limit and not _at_work(repo):
                yield begun(kind, NIGHTLY, at, _waits(kind, since).render())


def _at_work(repo: DataRepo) -> bool:
    """Asked only where something waits for long: who asks is in the way of others meanwhile."""
    try:
        with data_repo_lock(repo):
            return False
    except Busy:
        return True


def _waits(kind: str, since: datetime) -> PprError:
    what = "is staged" if kind == BACKLOG else "is committed in the clone, not on the remote,"
    return PprError(
        f"a dump {what} since {since:%Y-%m-%d %H:%M} UTC, and no run works on it",
        hint="`ppr-assets dump` publishes it, or says what is in the way; `ppr-assets status` "
        "shows where it stands.",
    )


def _staged_since(repo: DataRepo) -> datetime | None:
    moments = [dump.manifest_path.stat().st_mtime for dump in staged(repo)]
    return datetime.fromtimestamp(min(moments), UTC) if moments else None


def undelivered_since(repo: DataRepo) -> datetime | None:
    """When the oldest commit was made that has changed dumps and that the remote lacks, as far as
    the clone knows."""
    local, remote = tip(repo), fetched_tip(repo)
    if not repo.settings.push_enabled or repo.remote is None or local in (None, remote):
        return None
    lacking = (f"^{remote}",) if remote else ()
    asked = ("log", "--format=%ct", str(local), *lacking, "--", repo.dump_dir)
    times = repo.git(*asked).split()
    return datetime.fromtimestamp(int(times[-1]), UTC) if times else None
