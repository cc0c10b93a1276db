"""Everything an operator asks first: is there data, is there headroom, is the last dump out?"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

from ppr_assets.alerts.state import State, read_state
from ppr_assets.alerts.words import alerts_json
from ppr_assets.data_repo.clone.clone import open_data_repo
from ppr_assets.data_repo.clone.upkeep import repo_size
from ppr_assets.data_repo.git.repository import DataRepo, is_ancestor
from ppr_assets.data_repo.history.dump_folder import dump_folder
from ppr_assets.errors import PprError
from ppr_assets.failures import told
from ppr_assets.operations.copying.seen import NewestCopy, newest_copies
from ppr_assets.operations.last_night import LastNight, last_night
from ppr_assets.operations.published.state import Published, published_in
from ppr_assets.operations.published.view import View
from ppr_assets.operations.publishing.gate import override_for, policy
from ppr_assets.postgres.snapshot.preflight import require_dumpable
from ppr_assets.postgres.snapshot.snapshot import open_snapshot
from ppr_assets.rules.gate.ratchet import Override, Verdict, judge
from ppr_assets.rules.incidents import NIGHTLY
from ppr_assets.rules.recorded.trust import Trust
from ppr_assets.settings import Settings
from ppr_assets.settings.schedule import next_run


class Room(Struct, frozen=True):
    """``dumps`` stand in the folder; the rest is in bytes, the clone's without its work tree."""

    dumps: int | None = None
    clone_bytes: int | None = None
    disk_free_bytes: int | None = None
    disk_bytes: int | None = None

    @property
    def free_percent(self) -> float | None:
        if self.disk_free_bytes is None or not self.disk_bytes:
            return None
        return 100 * self.disk_free_bytes / self.disk_bytes


class Status(Struct, frozen=True):
    """What is known; ``errors`` holds what could not be learned, in the order of asking.

    ``counts`` are rows by table key. ``verdict`` is what the gate would say now, without an
    override; None also where the mark could not be read. ``pushed``: the remote has all of the
    clone's branch; None where there is no remote, it did not answer, or there is nothing to push.
    ``copies``: the newest one at each place, as runs have seen it.
    ``alerts``: what is open and who could not be told of it; None where nobody is to be told.
    ``last_night`` is how the last run ended, ``next_run`` when one is due by SQL_DUMP_CRON.
    ``override``: a variable passes whatever the gate would refuse. ``room``: what dumps and clone
    take, and what the disk has.
    """

    database: str
    counts: Mapping[str, int] | None
    verdict: Verdict | None
    repository: Published | None
    pushed: bool | None
    errors: tuple[PprError, ...]
    alerts: State | None = None
    copies: Sequence[NewestCopy] = ()
    last_night: LastNight | None = None
    next_run: datetime | None = None
    override: Override | None = None
    room: Room | None = None

    @property
    def good_at(self) -> datetime | None:
        """When a night last ended well, as far as it is known here: as the nights of this clone
        have noted, as those who are told of them know, and by the newest dump itself, since one
        that found the same data has left nothing else."""
        manifest = self.repository.manifest if self.repository else None
        known = [
            self.last_night.good_at if self.last_night else None,
            self.alerts.known.good.get(NIGHTLY) if self.alerts else None,
            manifest.snapshot_at if manifest else None,
        ]
        return max((one for one in known if one is not None), default=None)

    @property
    def nights_known(self) -> bool:
        """Whether nights that made no dump would be known of here."""
        noted = self.last_night is not None and self.last_night.good_at is not None
        return noted or bool(self.alerts and NIGHTLY in self.alerts.known.good)

    def to_json(self) -> dict[str, Any]:
        repository, verdict = self.repository, self.verdict
        manifest = repository.manifest if repository else None
        view = repository.view if repository else None
        return {
            "database": self.database,
            "counts": dict(self.counts) if self.counts else None,
            "gate": verdict.status if verdict else None,
            "headroom": dict(verdict.headroom) if verdict else None,
            "mark": repository.mark.organization if repository and repository.mark else None,
            "mark_updated_by": (repository.mark.updated_by or None)
            if repository and repository.mark
            else None,
            "head": repository.head if repository else None,
            "clone_head": view.local if view else None,
            "remote_head": view.remote if view else None,
            "remote_asked_at": view.fetched_at.isoformat() if view and view.fetched_at else None,
            "latest": repository.latest if repository else None,
            "latest_sha256": manifest.sha256 if manifest else None,
            "latest_snapshot_at": manifest.snapshot_at.isoformat() if manifest else None,
            **{f"latest_{name}": value for name, value in Trust.of(manifest).to_json().items()},
            "latest_withheld": [asdict(one) for one in manifest.lacking] if manifest else None,
            "pushed": self.pushed,
            "other_files": list(repository.other_files.paths)
            if repository and repository.other_files
            else [],
            "set_aside": [asdict(one) for one in repository.set_aside] if repository else None,
            "good_at": self.good_at.isoformat() if self.good_at else None,
            "nights_known": self.nights_known,
            "last_run": self.last_night.to_json() if self.last_night else None,
            "next_run_at": self.next_run.isoformat() if self.next_run else None,
            "override_in_force": self.override.reason if self.override else None,
            **asdict(self.room or Room()),
            "copies": [one.to_json() for one in self.copies],
            "alerts": alerts_json(self.alerts) if self.alerts else None,
            "errors": [{"message": error.message, "hint": error.hint} for error in self.errors],
        }


def status(settings: Settings, *, offline: bool = False, patience_seconds: float = 20.0) -> Status:
    """Ask the database, the clone and, unless ``offline``, the remote. What fails is an entry of
    ``errors``, also a remote that does not answer for ``patience_seconds``, and a table that
    is locked for so long: a monitor waits for a minute. What the remote has is fetched in the time
    that it takes, or no look would ever have it over a slow line."""
    lock_seconds = min(settings.dump.stall_seconds, patience_seconds)
    errors: list[PprError] = []
    repository: Published | None = None
    counts: Mapping[str, int] | None = None
    pushed: bool | None = None
    copies: Sequence[NewestCopy] = ()
    room: Room | None = None
    alerts: State | None = None
    with _failures_in(errors, settings), open_data_repo(settings.data_repo) as repo:
        repository = published_in(repo, offline=offline, answer_seconds=patience_seconds)
        pushed = _pushed(repo, repository.view)
        copies, room = newest_copies(repo), _room(repo, repository)
        failures = (repository.view.failure, repository.mark_error)
        errors += [failure for failure in failures if failure is not None]
    with _failures_in(errors, settings):
        counts = _counts(settings, lock_seconds)
    with _failures_in(errors, settings):
        alerts = read_state(settings.data_repo) if settings.alerts.told else None
    return Status(
        database=settings.database.describe(),
        counts=counts,
        verdict=_verdict(settings, counts, repository),
        repository=repository,
        pushed=pushed,
        errors=tuple(errors),
        alerts=alerts,
        copies=copies,
        last_night=last_night(settings.data_repo),
        next_run=next_run(settings.schedule, datetime.now(UTC)),
        override=override_for(settings.dump, None),
        room=room,
    )


@contextmanager
def _failures_in(errors: list[PprError], settings: Settings) -> Iterator[None]:
    """Go on after the block, whose failure is one of ``errors`` then."""
    try:
        with told(settings):
            yield
    except PprError as error:
        errors.append(error)


def _verdict(
    settings: Settings, counts: Mapping[str, int] | None, repository: Published | None
) -> Verdict | None:
    """What the gate would say now; None where nobody knows rows or mark."""
    if not counts or repository is None or repository.mark_error is not None:
        return None
    given = override_for(settings.dump, None)
    return judge(counts, repository.mark, policy(settings.dump), given)


def _counts(settings: Settings, lock_seconds: float) -> Mapping[str, int]:
    with open_snapshot(settings.database, exclusive=False, lock_seconds=lock_seconds) as snapshot:
        require_dumpable(snapshot)
        return snapshot.undisturbed(snapshot.count)


def _pushed(repo: DataRepo, view: View) -> bool | None:
    """Whether the remote has all of the clone's branch, as far as it was asked."""
    if view.local is None or view.failure is not None or view.alone:
        return None
    if view.remote is None or view.remote == view.local:
        return view.remote is not None
    return is_ancestor(repo, view.local, view.remote)


def _room(repo: DataRepo, published: Published) -> Room:
    disk = shutil.disk_usage(repo.path)
    dumps = len(dump_folder(repo, published.head).dumps)
    return Room(dumps, repo_size(repo).total, disk.free, disk.total)
