"""The rows of one merged place, and of all that hangs on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ppr_assets.rules.replay.record import Location
from ppr_assets.rules.replay.rows.children import attributes, child, reached_by
from ppr_assets.rules.replay.rows.columns import Row, columns_of
from ppr_assets.rules.replay.rows.newest import newest
from ppr_assets.rules.replay.rows.provenance import sources, timed, version
from ppr_assets.rules.replay.rows.told import LocationTold


def location_rows(own: str, told: Sequence[LocationTold]) -> Iterator[Row]:
    """Of the place ``own`` and all that hangs on it."""
    return timed(told, _location_rows(own, told))


def _location_rows(own: str, told: Sequence[LocationTold]) -> Iterator[Row]:
    words = [(one.by, one.record) for one in told]
    record, whose = newest(words)
    last = max(told, key=lambda one: (one.by, one.organization))
    values = {**_place(record), "id": own, "organization_id": last.organization}
    yield "location", values
    here = {"location_id": own}
    for table, children in (
        ("address", record.addresses),
        ("accessibility", record.accessibility),
        ("language", record.languages),
        ("schedule", record.schedules),
    ):
        for one in children:
            yield child(table, own, one, here)
    yield from reached_by(own, here, record.phones, record.contacts)
    yield from attributes(own, "location", record.attributes)
    yield from sources("location", own, words, here, _place)
    yield version("location", own, values, told, whose)


def _place(record: Location) -> dict[str, Any]:
    latitude, longitude = record.coordinates or (None, None)
    return {**columns_of(record), "latitude": latitude, "longitude": longitude}
