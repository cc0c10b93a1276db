"""The rows of one merged organization and its services, and of all that hangs on them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from msgspec.structs import replace

from ppr_assets.rules.replay.ids import child_id
from ppr_assets.rules.replay.record import Service, ServiceAtLocation, content
from ppr_assets.rules.replay.rows.children import attributes, child, reached_by
from ppr_assets.rules.replay.rows.columns import Row, columns_of
from ppr_assets.rules.replay.rows.newest import newest
from ppr_assets.rules.replay.rows.provenance import sources, timed, version
from ppr_assets.rules.replay.rows.told import OrganizationTold, ServiceTold
from ppr_assets.rules.replay.telling import Telling
from ppr_assets.rules.replay.words.names import normalized_name


def organization_rows(own: str, told: Sequence[OrganizationTold]) -> Iterator[Row]:
    """Of the organization ``own`` and all that hangs on it but its places."""
    return timed(told, _organization_rows(own, told))


def _organization_rows(own: str, told: Sequence[OrganizationTold]) -> Iterator[Row]:
    words = [(one.by, one.record) for one in told]
    record, whose = newest(words, without=("locations", "services"))
    values = {
        **columns_of(record),
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
        for one in children:
            yield child(table, own, one, here)
    yield from reached_by(own, here, record.phones, record.contacts)
    yield from attributes(own, "organization", record.attributes)
    yield from sources("organization", own, words, here)
    yield version("organization", own, values, told, whose)
    programs = {child_id("program", own, *content(one)) for one in record.programs}
    yield from _services(own, _within(own, told, programs))


SAME_SERVICE = "same organization and name"
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
        named[service_id(organization, one[1].name)].append(one)
    for own in sorted(named):
        yield from _service(own, organization, named[own])


def service_id(organization: str, name: str) -> str:
    return child_id("service", organization, normalized_name(name) or name)


def _service(own: str, organization: str, told: Sequence[_Offered]) -> Iterator[Row]:
    alone = [
        (one.by, replace(service, program=program) if service.program else service)
        for one, service, program in told
    ]
    record, whose = newest(alone, without=("at",))
    values = {
        **columns_of(record),
        "id": own,
        "organization_id": organization,
        "program_id": record.program,
    }
    yield "service", values
    here = {"service_id": own}
    for table, children in (("schedule", record.schedules), ("language", record.languages)):
        for one in children:
            yield child(table, own, one, here)
    yield from reached_by(own, here, record.phones, record.contacts)
    yield from attributes(own, "service", record.attributes)
    with_organization = {**here, "organization_id": organization}
    yield from sources("service", own, alone, with_organization)
    words = [ServiceTold(one.by, own, service, SAME_SERVICE, one.file) for one, service, _ in told]
    yield version("service", own, values, words, whose)
    yield from _at_locations(own, [(one, service) for one, service, _ in told])


def _at_locations(service: str, told: Sequence[tuple[OrganizationTold, Service]]) -> Iterator[Row]:
    """Where the newest word of each scraper has it."""
    last = {one.by.scraper: (one, found) for one, found in sorted(told, key=lambda t: t[0].by)}
    at: defaultdict[str, list[tuple[Telling, ServiceAtLocation]]] = defaultdict(list)
    for one, found in last.values():
        for where in found.at:
            at[one.places[where.location]].append((one.by, where))
    for place in sorted(at):
        own = service_at_location_id(service, place)
        record, _ = newest(at[place])
        yield (
            "service_at_location",
            {**columns_of(record), "id": own, "service_id": service, "location_id": place},
        )
        here = {"service_at_location_id": own}
        for schedule in record.schedules:
            yield child("schedule", own, schedule, here)
        yield from reached_by(own, here, record.phones, record.contacts)


def service_at_location_id(service: str, location: str) -> str:
    return child_id("service_at_location", service, location)
