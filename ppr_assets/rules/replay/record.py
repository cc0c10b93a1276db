"""The records that one published file tells of, as typed values. What is unknown is None; ``path``
is the JSON path in the file that a value came from, so that each row can be traced to its words."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from ppr_assets.rules.replay.words.addresses import Address


class Language(Struct, frozen=True, array_like=True):
    path: str
    name: str | None = None
    code: str | None = None
    note: str | None = None


class Phone(Struct, frozen=True, array_like=True):
    path: str
    number: str
    """As it was published, without its extension."""
    extension: str | None = None
    type: str | None = None
    description: str | None = None
    languages: tuple[Language, ...] = ()


class Schedule(Struct, frozen=True, array_like=True):
    path: str
    freq: str | None = None
    """``WEEKLY`` or ``MONTHLY``, as the schema has them."""
    wkst: str | None = None
    interval: int | None = None
    byday: str | None = None
    """Weekdays as iCalendar writes them: ``TU,TH`` or ``3SA``."""
    bymonthday: str | None = None
    dtstart: str | None = None
    until: str | None = None
    count: int | None = None
    valid_from: str | None = None
    valid_to: str | None = None
    opens_at: str | None = None
    closes_at: str | None = None
    description: str | None = None
    notes: str | None = None
    remark: str | None = None
    """What somebody should know of how this was read."""


class Contact(Struct, frozen=True, array_like=True):
    path: str
    name: str | None = None
    title: str | None = None
    department: str | None = None
    email: str | None = None
    phones: tuple[Phone, ...] = ()


class Accessibility(Struct, frozen=True, array_like=True):
    path: str
    description: str | None = None
    details: str | None = None
    url: str | None = None


class Term(Struct, frozen=True, array_like=True):
    """Of a taxonomy: what an attribute is a value of."""

    path: str
    name: str
    code: str | None = None
    description: str | None = None
    language: str | None = None
    term_uri: str | None = None


class Attribute(Struct, frozen=True, array_like=True):
    path: str
    term: Term
    link_entity: str | None = None
    """The kind of record that it is of, in the file's words."""
    link_type: str | None = None
    value: str | None = None
    label: str | None = None


class Program(Struct, frozen=True, array_like=True):
    path: str
    name: str
    alternate_name: str | None = None
    description: str | None = None


class Funding(Struct, frozen=True, array_like=True):
    path: str
    source: str


class Identifier(Struct, frozen=True, array_like=True):
    path: str
    identifier: str
    identifier_type: str | None = None
    identifier_scheme: str | None = None


class Location(Struct, frozen=True, array_like=True):
    path: str
    name: str | None = None
    alternate_name: str | None = None
    description: str | None = None
    transportation: str | None = None
    url: str | None = None
    location_type: str | None = None
    external_identifier: str | None = None
    external_identifier_type: str | None = None
    coordinates: tuple[float, float] | None = None
    """Latitude and longitude in degrees."""
    addresses: tuple[Address, ...] = ()
    phones: tuple[Phone, ...] = ()
    schedules: tuple[Schedule, ...] = ()
    languages: tuple[Language, ...] = ()
    contacts: tuple[Contact, ...] = ()
    accessibility: tuple[Accessibility, ...] = ()
    attributes: tuple[Attribute, ...] = ()


class ServiceAtLocation(Struct, frozen=True, array_like=True):
    path: str
    location: int
    """Which of the organization's locations."""
    description: str | None = None
    schedules: tuple[Schedule, ...] = ()
    phones: tuple[Phone, ...] = ()
    contacts: tuple[Contact, ...] = ()


class Service(Struct, frozen=True, array_like=True):
    path: str
    name: str
    alternate_name: str | None = None
    description: str | None = None
    url: str | None = None
    email: str | None = None
    status: str | None = None
    interpretation_services: str | None = None
    application_process: str | None = None
    fees_description: str | None = None
    wait_time: str | None = None
    accreditations: str | None = None
    licenses: str | None = None
    eligibility_description: str | None = None
    alert: str | None = None
    program: str | None = None
    """The path of the program that it is part of."""
    at: tuple[ServiceAtLocation, ...] = ()
    schedules: tuple[Schedule, ...] = ()
    phones: tuple[Phone, ...] = ()
    languages: tuple[Language, ...] = ()
    contacts: tuple[Contact, ...] = ()
    attributes: tuple[Attribute, ...] = ()


class Organization(Struct, frozen=True, array_like=True):
    path: str
    name: str
    alternate_names: tuple[str, ...] = ()
    description: str | None = None
    email: str | None = None
    website: str | None = None
    other_urls: tuple[str, ...] = ()
    tax_status: str | None = None
    tax_id: str | None = None
    year_incorporated: int | None = None
    legal_status: str | None = None
    logo: str | None = None
    uri: str | None = None
    locations: tuple[Location, ...] = ()
    services: tuple[Service, ...] = ()
    programs: tuple[Program, ...] = ()
    fundings: tuple[Funding, ...] = ()
    identifiers: tuple[Identifier, ...] = ()
    phones: tuple[Phone, ...] = ()
    contacts: tuple[Contact, ...] = ()
    attributes: tuple[Attribute, ...] = ()


_NAMES: dict[type, tuple[str, ...]] = {}


def content(record: Any) -> tuple[Any, ...]:
    """What a record says, without where it was said: hashable, and equal for records of one kind
    that differ in nothing but their paths."""
    kind = type(record)
    names = _NAMES.get(kind)
    if names is None:
        names = _NAMES[kind] = tuple(one for one in kind.__struct_fields__ if one != "path")
    return (kind.__name__, *[_plain(getattr(record, name)) for name in names])


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, tuple):
        return tuple(_plain(one) for one in value)
    return content(value) if isinstance(value, Struct) else value
