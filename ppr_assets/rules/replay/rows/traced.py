"""Which words of one telling a row came from: everything that it tells of, with the id that its row
has, or would have if its word stood."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from ppr_assets.rules.replay.ids import child_id
from ppr_assets.rules.replay.record import Attribute, content
from ppr_assets.rules.replay.rows.children import term_id
from ppr_assets.rules.replay.rows.columns import TABLES
from ppr_assets.rules.replay.rows.newest import known_by
from ppr_assets.rules.replay.rows.organization import service_at_location_id, service_id
from ppr_assets.rules.replay.rows.told import LocationTold, OrganizationTold


class Traced(Struct, frozen=True):
    """``key``: equal for whatever is one row; ``path``: the JSON path of the word."""

    id: str
    key: object
    path: str


def traced(own: str, told: OrganizationTold | LocationTold) -> Iterator[Traced]:
    """Of what came to the record ``own``: the record itself, and what hangs on it."""
    yield Traced(own, own, told.record.path)
    yield from _hanging(own, told.record)
    if isinstance(told, OrganizationTold):
        yield from _of_organization(own, told)


def _of_organization(own: str, told: OrganizationTold) -> Iterator[Traced]:
    for url in told.record.other_urls:
        known = child_id("url", own, url)
        yield Traced(known, known, told.record.path)
    for service in told.record.services:
        known = service_id(own, service.name)
        yield Traced(known, known, service.path)
        yield from _hanging(known, service)
        for at in service.at:
            there = service_at_location_id(known, told.places[at.location])
            yield Traced(there, there, at.path)
            yield from _hanging(there, at)


def _hanging(parent: str, record: Any) -> Iterator[Traced]:
    for field in record.__struct_fields__:
        children = getattr(record, field)
        for child in children if isinstance(children, tuple) else ():
            table = TABLES.get(type(child)) if isinstance(child, Struct) else None
            if table:
                own = child_id(table, parent, *content(child))
                yield Traced(own, (parent, table, known_by(child)), child.path)
                yield from _hanging(own, child)
            if isinstance(child, Attribute):
                own = term_id(child.term)
                yield Traced(own, own, child.term.path)
