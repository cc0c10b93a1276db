"""Drafts as records: values checked, children in place, each once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from ppr_assets.records import parts
from ppr_assets.records.drafts import LocationDraft, OrganizationDraft, SalDraft, ServiceDraft
from ppr_assets.records.hanging import references
from ppr_assets.records.reading import Fields
from ppr_assets.rules.replay.record import (
    Location,
    Organization,
    Service,
    ServiceAtLocation,
    content,
)
from ppr_assets.rules.replay.words.contact_points import is_placeholder

T = TypeVar("T")
_STATUS = ("active", "inactive", "defunct", "temporarily closed")
_LOCATION_TYPES = ("physical", "postal", "virtual")


def organization_record(draft: OrganizationDraft) -> Organization | None:
    """None without a name, with what it holds counted as without place."""
    fields = draft.fields
    name = fields.text("name")
    if name is None:
        fields.reading.lose("organization without a name")
        return None
    urls = [url for url in fields.texts("website") if not is_placeholder(url)]
    emails = fields.texts("email")
    for _ in emails[1:]:
        fields.reading.lose("organization.email beyond the first")
    held = [location for location in draft.locations if location.says_something()]
    for _ in range(len(draft.locations) - len(held)):
        fields.reading.lose("location without name, address and coordinates")
    return Organization(
        path=fields.path,
        name=name,
        alternate_names=tuple(other for other in fields.texts("alternate_names") if other != name),
        description=fields.text("description"),
        email=emails[0] if emails else None,
        website=urls[0] if urls else None,
        other_urls=tuple(urls[1:]),
        tax_status=fields.text("tax_status"),
        tax_id=fields.text("tax_id"),
        year_incorporated=_year(fields),
        legal_status=fields.text("legal_status"),
        logo=fields.text("logo"),
        uri=_web(fields, "uri"),
        locations=tuple(_location(one) for one in held),
        services=tuple(
            record for one in draft.services if (record := _service(one, held, draft.program_paths))
        ),
        programs=_each_once(draft.programs),
        fundings=_each_once(draft.fundings),
        identifiers=_each_once(draft.identifiers),
        phones=_each_once(draft.phones),
        contacts=_each_once(draft.contacts),
        attributes=_each_once(draft.attributes),
    )


def _location(draft: LocationDraft) -> Location:
    fields = draft.fields
    return Location(
        path=fields.path,
        name=draft.text("name"),
        alternate_name=draft.text("alternate_name"),
        description=draft.text("description") or draft.text("notes"),
        transportation=draft.text("transportation"),
        url=_web(fields, "url"),
        location_type=parts.one_of(fields, "location_type", _LOCATION_TYPES),
        external_identifier=draft.text("external_identifier"),
        external_identifier_type=draft.text("external_identifier_type"),
        coordinates=draft.coordinates,
        addresses=_each_once(draft.addresses),
        phones=_each_once(draft.phones),
        schedules=_each_once(draft.schedules),
        languages=_each_once(draft.languages),
        attributes=_each_once(draft.attributes),
        contacts=_each_once(draft.contacts),
        accessibility=_each_once(draft.accessibility),
    )


def _service(
    draft: ServiceDraft, locations: list[LocationDraft], programs: Mapping[str, str]
) -> Service | None:
    fields = draft.fields
    name = fields.text("name")
    if name is None:
        fields.reading.lose("service without a name")
        return None
    if not draft.at and len(locations) == 1:
        draft.link(locations[0], fields)
    part_of = references(fields, "program_ref")
    program = next((programs[key] for key in sorted(part_of) if key in programs), None)
    if part_of and program is None:
        fields.reading.lose("service.program_id that is not in the file")
    linked = (_at(one, locations) for one in draft.at.values())
    return Service(
        path=fields.path,
        name=name,
        url=_web(fields, "url"),
        status=parts.one_of(fields, "status", _STATUS),
        program=program,
        at=tuple(one for one in linked if one),
        schedules=_each_once(draft.schedules),
        phones=_each_once(draft.phones),
        languages=_each_once(draft.languages),
        attributes=_each_once(draft.attributes),
        contacts=_each_once(draft.contacts),
        **{column: fields.text(column) for column in _SERVICE_TEXTS if column in fields.values},
    )


_SERVICE_TEXTS = (
    "alternate_name", "description", "email", "interpretation_services", "application_process",
    "fees_description", "wait_time", "accreditations", "licenses", "eligibility_description",
    "alert",
)  # fmt: skip


def _at(draft: SalDraft, locations: list[LocationDraft]) -> ServiceAtLocation | None:
    where = [at for at, location in enumerate(locations) if location is draft.location]
    if not where:
        return None
    own = draft.fields.kind.name == "service_at_location"
    return ServiceAtLocation(
        path=draft.fields.path,
        location=where[0],
        description=draft.fields.text("description") if own else None,
        schedules=_each_once(draft.schedules),
        phones=_each_once(draft.phones),
        contacts=_each_once(draft.contacts),
    )


def _year(fields: Fields) -> int | None:
    words = fields.text("year_incorporated")
    if words is None:
        return None
    if len(words) == 4 and words.isascii() and words.isdigit() and "1500" < words < "2200":
        return int(words)
    fields.reading.lose("organization.year_incorporated")
    return None


def _web(fields: Fields, name: str) -> str | None:
    words = fields.text(name)
    return None if words is None or is_placeholder(words) else words


def _each_once(children: Sequence[T]) -> tuple[T, ...]:
    """The first of those with the same content."""
    if len(children) < 2:
        return tuple(children)
    return tuple({content(child): child for child in reversed(children)}.values())[::-1]
