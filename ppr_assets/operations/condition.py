"""What of a status somebody should do something about: ok, a warning, or an error, and why."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct

from ppr_assets.operations.last_night import was_killed
from ppr_assets.operations.status import Status
from ppr_assets.rules.recorded.trust import Trust
from ppr_assets.rules.wording import BESIDE, few, span
from ppr_assets.settings import Settings
from ppr_assets.settings.schedule import last_due

_GRACE = timedelta(hours=1)
"""So much later than SQL_DUMP_CRON cron may have it."""

Level = Literal["ok", "warning", "error"]


class Condition(Struct, frozen=True):
    """``why``: the reasons, errors first; none where all is well."""

    level: Level
    why: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.level}: {few(self.why, 1, rest=BESIDE)}" if self.why else self.level


class Look(Struct, frozen=True):
    """``found`` at the moment ``at``. ``max_age``: somebody's own limit for the last good night,
    and then it is an error however little is known; without it, PPR_ALERT_MAX_AGE_HOURS."""

    found: Status
    settings: Settings
    at: datetime
    max_age: timedelta | None = None

    @property
    def age(self) -> timedelta | None:
        """Of the last good night, as far as it is known here."""
        good = self.found.good_at
        return self.at - good if good else None

    @property
    def missed(self) -> datetime | None:
        """When a night was due that nothing has begun, an hour ago or longer."""
        due = last_due(self.settings.schedule, self.at - _GRACE)
        last = self.found.last_night
        return due if last is not None and last.began_at < due else None

    @property
    def too_old(self) -> str:
        """What is said of the age, if it is too much."""
        limit = self.max_age or timedelta(hours=self.settings.alerts.max_age_hours)
        if self.age is None or self.age <= limit:
            return ""
        known = "" if self.found.nights_known else ", as far as is known here"
        return f"the last good night was {span(self.age)} ago{known}, {span(limit)} are allowed"


def condition(look: Look) -> Condition:
    errors, warnings = [*_errors(look)], [*_warnings(look)]
    level: Level = "error" if errors else "warning" if warnings else "ok"
    return Condition(level, (*errors, *warnings))


def _errors(look: Look) -> Iterator[str]:
    found = look.found
    yield from (error.message for error in found.errors)
    last = found.last_night
    if last is not None and last.outcome == "failed":
        yield f"the last run failed: {last.error}"
    if last is not None and was_killed(look.settings.data_repo, last):
        yield f"the last run was killed: it began {last.began_at:%Y-%m-%d %H:%M} UTC"
    if look.too_old and (look.max_age or found.nights_known):
        yield look.too_old
    room, limits = found.room, look.settings.data_repo
    if room and room.clone_bytes and room.clone_bytes >= limits.max_gigabytes * 1e9:
        yield f"the clone has {room.clone_bytes / 1e9:.1f} GB (DATA_REPO_MAX_GB)"


def _warnings(look: Look) -> Iterator[str]:
    yield from _of_the_night(look)
    yield from _of_publishing(look.found, look.settings)
    yield from _of_room(look)
    alerts = look.found.alerts
    if alerts is not None:
        yield from (f"{key} is open" for key in alerts.known.incidents)
        yield from (f"{name} is dead" for name, one in alerts.channels.items() if one.error)


def _of_the_night(look: Look) -> Iterator[str]:
    found, last = look.found, look.found.last_night
    if found.override is not None:
        yield "ALLOW_EMPTY_SQL_DUMP=true passes whatever the gate refuses"
    elif found.verdict is not None and not found.verdict.passed:
        told = last is not None and last.error == found.verdict.message
        yield f"the gate would refuse a dump now{' too' if told else f': {found.verdict.message}'}"
    if last is not None and last.outcome in ("incomplete", "cancelled"):
        yield f"the last run was {last.outcome}"
    if look.too_old and not (look.max_age or found.nights_known):
        yield look.too_old


def _of_publishing(found: Status, settings: Settings) -> Iterator[str]:
    repository = found.repository
    if repository is None:
        return
    if repository.latest is None:
        yield "no dump was published yet"
    elif settings.dump.proof != "off" and not Trust.of(repository.manifest).proven:
        yield f"{repository.latest} is unproven"
    if found.pushed is False and settings.data_repo.push_enabled:
        yield "the remote lacks what the clone has published"
    if repository.set_aside:
        yield f"{len(repository.set_aside)} set aside, which the remote refused"
    if repository.other_files is not None:
        yield repository.other_files.message
    for one in found.copies:
        if one.dump != repository.latest:
            yield f"{one.place} has no copy of the latest dump"


def _of_room(look: Look) -> Iterator[str]:
    room, settings = look.found.room, look.settings
    if room is None or room.clone_bytes is None or room.free_percent is None:
        return
    limits = settings.data_repo
    if limits.warn_gigabytes * 1e9 <= room.clone_bytes < limits.max_gigabytes * 1e9:
        yield f"the clone has {room.clone_bytes / 1e9:.1f} GB (DATA_REPO_WARN_GB)"
    if room.free_percent < settings.alerts.disk_free_percent:
        yield f"{room.free_percent:.0f} % of the disk are free (PPR_ALERT_DISK_FREE_PERCENT)"
