"""The rows of one merged organization or place, by HSDS table and column: whose word stands, who
told of it, and the ids of what hangs on it. Whether a certain database has a place for them is not
asked here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol

from ppr_assets.rules.replay.content import content
from ppr_assets.rules.replay.ids import child_id
from ppr_assets.rules.replay.names import normalized_name
from ppr_assets.rules.replay.newest import newest
from ppr_assets.rules.replay.record import (
    Accessibility,
    Address,
    Contact,
    Funding,
    Identifier,
    Language,
    Location,
    Organization,
    Phone,
    Program,
    Schedule,
    Service,
    ServiceAtLocation,
)
from ppr_assets.rules.replay.telling import Telling

Row = tuple[str, dict[str, Any]]
"""A table's name, and its values by column; None where nobody told."""
CREATED_BY = "replay"
_NAMES: dict[type, list[str]] = {}
_APART = frozenset(
    {"path", "remark", "coordinates", "alternate_names", "other_urls", "location", "program"}
)
"""Fields that are no column, or not one of the same name."""


class Told(Protocol):
    """What both kinds of word have."""

    @property
    def by(self) -> Telling: ...
    @property
    def id(self) -> str: ...
    @property
    def record(self) -> Organization | Location: ...
    @property
    def reason(self) -> str: ...


@dataclass(frozen=True, slots=True)
class OrganizationTold:
    """One file's word on an organization. ``id``: as its scraper knows it; ``places``: the ids that
    its locations have come to, in their order; ``reason``: why it is counted to the one that it
    became, empty for the first."""

    by: Telling
    id: str
    record: Organization
    places: tuple[str, ...]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class LocationTold:
    """One file's word on a place. ``organization``: the id that its organization has come to."""

    by: Telling
    id: str
    record: Location
    organization: str
    reason: str = ""


def organization_rows(own: str, told: Sequence[OrganizationTold]) -> Iterator[Row]:
    """Of the organization ``own`` and all that hangs on it but its places."""
    return _timed(told, _organization_rows(own, told))


def location_rows(own: str, told: Sequence[LocationTold]) -> Iterator[Row]:
    """Of the place ``own`` and all that hangs on it."""
    return _timed(told, _location_rows(own, told))


def _timed(told: Sequence[Told], rows: Iterable[Row]) -> Iterator[Row]:
    """Rows know the times of the telling, and never the clock's."""
    first, last = (choose(one.by.created_at for one in told) for choose in (min, max))
    times = {"created_at": first, "updated_at": last, "last_modified": last}
    for table, values in rows:
        yield table, {**times, **values}


def _organization_rows(own: str, told: Sequence[OrganizationTold]) -> Iterator[Row]:
    alone = [(one.by, replace(one.record, locations=(), services=())) for one in told]
    record, whose = newest(alone)
    values = {
        **_columns(record),
        "id": own,
        "alternate_name": "; ".join(record.alternate_names) or None,
    }
    yield "organization", values
    here = {"organization_id": own}
    for url in record.other_urls:
        yield "url", {"id": child_id("url", own, url), "url": url, **here}
    for table, children in (
        ("program", record.programs),
        ("funding", record.fundings),
        ("organization_identifier", record.identifiers),
    ):
        for child in children:
            yield _child(table, own, child, here)
    yield from _reached_by(own, here, record.phones, record.contacts)
    yield from _sources("organization", own, [(by, _columns(one)) for by, one in alone], here)
    yield _version("organization", own, values, told, whose)
    programs = {child_id("program", own, *content(one)) for one in record.programs}
    yield from _services(own, _within(own, told, programs))


def _location_rows(own: str, told: Sequence[LocationTold]) -> Iterator[Row]:
    record, whose = newest([(one.by, one.record) for one in told])
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
        for child in children:
            yield _child(table, own, child, here)
    yield from _reached_by(own, here, record.phones, record.contacts)
    yield from _sources("location", own, [(one.by, _place(one.record)) for one in told], here)
    yield _version("location", own, values, told, whose)


_Offered = tuple[OrganizationTold, Service, str | None]
"""A service, who told of it, and the id of its program."""


def _within(
    organization: str, told: Sequence[OrganizationTold], programs: set[str]
) -> Iterator[_Offered]:
    for one in told:
        ids = {
            program.path: child_id("program", organization, *content(program))
            for program in one.record.programs
        }
        for service in one.record.services:
            program = ids.get(service.program or "")
            yield one, service, program if program in programs else None


def _services(organization: str, told: Iterable[_Offered]) -> Iterator[Row]:
    """By name, which is what a service is known by within its organization."""
    named: defaultdict[str, list[_Offered]] = defaultdict(list)
    for one in told:
        named[normalized_name(one[1].name) or one[1].name].append(one)
    for name in sorted(named):
        yield from _service(child_id("service", organization, name), organization, named[name])


def _service(own: str, organization: str, told: Sequence[_Offered]) -> Iterator[Row]:
    alone = [(one.by, replace(service, at=(), program=program)) for one, service, program in told]
    record, whose = newest(alone)
    values = {
        **_columns(record),
        "id": own,
        "organization_id": organization,
        "program_id": record.program,
    }
    yield "service", values
    here = {"service_id": own}
    for table, children in (("schedule", record.schedules), ("language", record.languages)):
        for child in children:
            yield _child(table, own, child, here)
    yield from _reached_by(own, here, record.phones, record.contacts)
    with_organization = {**here, "organization_id": organization}
    sources = [(by, _columns(one)) for by, one in alone]
    yield from _sources("service", own, sources, with_organization)
    yield _version("service", own, values, [one for one, _, _ in told], whose)
    yield from _at_locations(own, [(one, service) for one, service, _ in told])


def _at_locations(service: str, told: Sequence[tuple[OrganizationTold, Service]]) -> Iterator[Row]:
    """Where the newest word of each scraper has it."""
    last = {one.by.scraper: (one, found) for one, found in sorted(told, key=lambda t: t[0].by)}
    at: defaultdict[str, list[tuple[Telling, ServiceAtLocation]]] = defaultdict(list)
    for one, found in last.values():
        for where in found.at:
            at[one.places[where.location]].append((one.by, where))
    for place in sorted(at):
        own = child_id("service_at_location", service, place)
        record, _ = newest(at[place])
        yield (
            "service_at_location",
            {**_columns(record), "id": own, "service_id": service, "location_id": place},
        )
        here = {"service_at_location_id": own}
        for schedule in record.schedules:
            yield _child("schedule", own, schedule, here)
        yield from _reached_by(own, here, record.phones, record.contacts)


def _reached_by(
    parent: str, here: Mapping[str, str], phones: Iterable[Phone], contacts: Iterable[Contact]
) -> Iterator[Row]:
    for phone in phones:
        row = _child("phone", parent, phone, here)
        yield row
        for language in phone.languages:
            yield _child("language", row[1]["id"], language, {"phone_id": row[1]["id"]})
    for contact in contacts:
        row = _child("contact", parent, contact, here)
        yield row
        yield from _reached_by(row[1]["id"], {"contact_id": row[1]["id"]}, contact.phones, ())


def _child(
    table: str, parent: str, record: Language | Schedule | Any, here: Mapping[str, str]
) -> Row:
    own = child_id(table, parent, *content(record))
    return table, {**_columns(record), "id": own, **here}


def _columns(record: Any) -> dict[str, Any]:
    """A record's fields that are columns of its table."""
    found = {}
    for name in _names(type(record)):
        value = getattr(record, name)
        if not isinstance(value, tuple):
            found[name] = value
    return found


def _names(kind: type) -> Sequence[str]:
    names = _NAMES.get(kind)
    if names is None:
        names = _NAMES[kind] = [one.name for one in fields(kind) if one.name not in _APART]
    return names


def _place(record: Location) -> dict[str, Any]:
    latitude, longitude = record.coordinates or (None, None)
    return {**_columns(record), "latitude": latitude, "longitude": longitude}


def _sources(
    kind: str,
    own: str,
    told: Iterable[tuple[Telling, dict[str, Any]]],
    here: Mapping[str, str],
) -> Iterator[Row]:
    """What each scraper's newest word is, from when it first told of the record."""
    by_scraper: defaultdict[str, list[tuple[Telling, dict[str, Any]]]] = defaultdict(list)
    for by, values in told:
        by_scraper[by.scraper].append((by, values))
    for scraper in sorted(by_scraper):
        words = sorted(by_scraper[scraper], key=lambda one: one[0])
        yield (
            f"{kind}_source",
            {
                **words[-1][1],
                **here,
                "id": child_id(f"{kind}_source", own, scraper),
                "scraper_id": scraper,
                "created_at": words[0][0].created_at,
                "updated_at": words[-1][0].created_at,
            },
        )


def _version(
    kind: str,
    own: str,
    values: Mapping[str, Any],
    told: Sequence[Told],
    whose: Mapping[str, Telling],
) -> Row:
    """Its first version, with who told of it, why their words are counted to it, and from which
    job each value is where there was more than one."""
    tellings = sorted(told, key=lambda one: (one.by, one.id))
    data = {name: value for name, value in values.items() if value is not None}
    data["told_by"] = [
        {
            "scraper": one.by.scraper,
            "job": one.by.job_id,
            "at": one.by.created_at,
            "path": one.record.path,
            **({"reason": one.reason} if one.reason else {}),
        }
        for one in tellings
    ]
    if len({one.by for one in tellings}) > 1:
        data["word_of"] = {
            name: by.job_id for name, by in whose.items() if values.get(name) is not None
        }
    return (
        "record_version",
        {
            "id": child_id("record_version", own, 1),
            "record_id": own,
            "record_type": kind,
            "version_num": 1,
            "data": data,
            "created_at": tellings[-1].by.created_at,
            "created_by": CREATED_BY,
        },
    )


_PARENTS = ("organization_id", "service_id", "location_id", "service_at_location_id")


def _named(kind: type, *others: str) -> frozenset[str]:
    return frozenset((*_names(kind), "id", *others))


COLUMNS: Mapping[str, frozenset[str]] = {
    "organization": _named(Organization, "alternate_name"),
    "program": _named(Program, "organization_id"),
    "location": _named(Location, "organization_id", "latitude", "longitude"),
    "service": _named(Service, "organization_id", "program_id"),
    "service_at_location": _named(ServiceAtLocation, "service_id", "location_id"),
    "contact": _named(Contact, *_PARENTS),
    "phone": _named(Phone, *_PARENTS, "contact_id"),
    "address": _named(Address, "location_id"),
    "accessibility": _named(Accessibility, "location_id"),
    "schedule": _named(Schedule, *_PARENTS),
    "language": _named(Language, "service_id", "location_id", "phone_id"),
    "funding": _named(Funding, "organization_id"),
    "organization_identifier": _named(Identifier, "organization_id"),
    "url": frozenset({"id", "url", "organization_id"}),
    "organization_source": _named(Organization, "organization_id", "scraper_id"),
    "location_source": _named(Location, "location_id", "scraper_id", "latitude", "longitude"),
    "service_source": _named(Service, "service_id", "organization_id", "scraper_id"),
    "record_version": frozenset(
        {"id", "record_id", "record_type", "version_num", "data", "created_by"}
    ),
}
"""The tables that a replay fills, those that others refer to first, and their columns."""
TIMES = frozenset({"created_at", "updated_at", "last_modified"})
"""Columns of any of them that are set from the time of the telling; what a table lacks of
them is no loss."""
