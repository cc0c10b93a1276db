"""A status as numbers for Prometheus: names in base units, each with one line of help.

Labels are names of tables, places, channels and kinds, as they may be shown; never a URL with what
is secret in it. What is not known has no sample.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from ppr_assets.operations.condition import Look, condition
from ppr_assets.rules.incidents import KINDS
from ppr_assets.rules.recorded.trust import Trust

PREFIX = "ppr_assets_"
_LEVELS = ("ok", "warning", "error")

Value = float | int | bool | datetime | None


def metrics(look: Look) -> CollectorRegistry:
    """All metrics of a look, once, for who writes or serves them."""
    registry = CollectorRegistry()
    registry.register(_Once([*_families(look)]))
    return registry


class _Once(Collector):
    def __init__(self, families: list[GaugeMetricFamily]) -> None:
        self._families = families

    def collect(self) -> list[GaugeMetricFamily]:
        return self._families


def _families(look: Look) -> Iterator[GaugeMetricFamily]:
    yield from _of_the_look(look)
    yield from _of_the_night(look)
    yield from _of_the_database(look)
    yield from _of_the_repository(look)
    yield from _of_those_who_hear(look)


def _one(name: str, text: str, value: Value) -> GaugeMetricFamily:
    family = GaugeMetricFamily(PREFIX + name, text)
    if value is not None:
        family.add_metric([], _number(value))
    return family


def _each(name: str, text: str, label: str, values: Mapping[str, Value]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(PREFIX + name, text, labels=[label])
    for key, value in values.items():
        if value is not None:
            family.add_metric([key], _number(value))
    return family


def _number(value: float | bool | datetime) -> float:
    return value.timestamp() if isinstance(value, datetime) else float(value)


def _of_the_look(look: Look) -> Iterator[GaugeMetricFamily]:
    level = condition(look).level
    states = {one: one == level for one in _LEVELS}
    yield _each("state", "1 for the state that holds.", "state", states)
    yield _one("look_timestamp_seconds", "When this was found.", look.at)
    yield _one("look_errors", "What could not be learned.", len(look.found.errors))


def _of_the_night(look: Look) -> Iterator[GaugeMetricFamily]:
    found, last = look.found, look.found.last_night
    ended = last.ended_at if last else None
    took = (ended - last.began_at).total_seconds() if last and ended else None
    yield _one(
        "last_good_night_timestamp_seconds",
        "When a night last published, or found nothing changed, as far as is known here.",
        found.good_at,
    )
    yield _one("nights_known", "1 where nights run on this machine.", found.nights_known)
    yield _one(
        "last_run_start_timestamp_seconds",
        "When the last run began.",
        last.began_at if last else None,
    )
    yield _one("last_run_end_timestamp_seconds", "When the last run ended.", ended)
    yield _one("last_run_duration_seconds", "What the last run took.", took)
    yield _one(
        "last_run_exit_code", "How the last run ended; 0 is well.", last.exit_code if last else None
    )
    yield _one(
        "next_run_timestamp_seconds", "When a night is due by SQL_DUMP_CRON.", found.next_run
    )


def _of_the_database(look: Look) -> Iterator[GaugeMetricFamily]:
    found = look.found
    yield _one("database_up", "1 where the database could be counted.", found.counts is not None)
    yield _each("records", "Rows of each table.", "table", found.counts or {})
    verdict = found.verdict
    yield _one(
        "gate_passed",
        "1 where the gate would let a dump pass.",
        verdict.passed if verdict else None,
    )
    yield _each(
        "gate_headroom_records",
        "Records that a table may lose before the gate refuses.",
        "table",
        verdict.headroom if verdict else {},
    )
    yield _one(
        "override_in_force",
        "1 where a variable passes whatever the gate refuses.",
        found.override is not None,
    )


def _of_the_repository(look: Look) -> Iterator[GaugeMetricFamily]:
    published, room = look.found.repository, look.found.room
    manifest = published.manifest if published else None
    mark = published.mark if published else None
    yield _one("mark_records", "The mark, of organizations.", mark.organization if mark else None)
    yield _one(
        "latest_dump_timestamp_seconds",
        "When the data of the newest dump were taken.",
        manifest.snapshot_at if manifest else None,
    )
    yield _one(
        "latest_dump_bytes", "Size of the newest dump.", manifest.bytes if manifest else None
    )
    proven = Trust.of(manifest).proven if manifest else None
    yield _one("latest_dump_proven", "1 where it was restored before it was published.", proven)
    pushed = look.found.pushed if look.settings.data_repo.push_enabled else None
    yield _one("pushed", "1 where the remote has all of the clone's branch.", pushed)
    aside = len(published.set_aside) if published else None
    yield _one("set_aside_dumps", "What the remote refused for good.", aside)
    yield _one("kept_dumps", "Dumps that stand in the folder.", room.dumps if room else None)
    yield _one("clone_bytes", "Size of the clone's objects.", room.clone_bytes if room else None)
    yield _one(
        "disk_free_bytes",
        "Free room on the disk of the clone.",
        room.disk_free_bytes if room else None,
    )
    yield _one("disk_size_bytes", "Size of that disk.", room.disk_bytes if room else None)
    copies = {one.place: one.read_at for one in look.found.copies}
    yield _each(
        "copy_read_back_timestamp_seconds",
        "When the newest copy at a place was read back.",
        "place",
        copies,
    )


def _of_those_who_hear(look: Look) -> Iterator[GaugeMetricFamily]:
    alerts = look.found.alerts
    open_: dict[str, Value] = {}
    if alerts is not None:
        kinds = [one.kind for one in alerts.known.incidents.values()]
        open_ = {kind: kinds.count(kind) for kind in KINDS}
    channels = alerts.channels if alerts else {}
    yield _each("open_incidents", "Incidents that are open.", "kind", open_)
    yield _each(
        "channel_up",
        "1 where the last message to a channel was taken.",
        "channel",
        {name: not one.error for name, one in channels.items()},
    )
    yield _each(
        "channel_unsent_messages",
        "Messages that a channel has not taken yet.",
        "channel",
        {name: len(one.unsent) for name, one in channels.items()},
    )
