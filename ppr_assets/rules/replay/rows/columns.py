"""The tables and columns that a replay fills, and the fields of a record that are columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from ppr_assets.rules.replay.record import (
    Accessibility,
    Attribute,
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
    Term,
)
from ppr_assets.rules.replay.words.addresses import Address

Row = tuple[str, dict[str, Any]]
"""A table's name, and its values by column; None where nobody told."""
_FIELDS: dict[type[Struct], list[str]] = {}
_APART = frozenset({
    "path", "remark", "coordinates", "alternate_names", "other_urls", "location", "program", "term",
})  # fmt: skip
"""Fields that are no column, or not one of the same name."""


def columns_of(record: Any) -> dict[str, Any]:
    """A record's fields that are columns of its table."""
    found = {}
    for name in names_of(type(record)):
        value = getattr(record, name)
        if not isinstance(value, tuple):
            found[name] = value
    return found


def names_of(kind: type[Struct]) -> Sequence[str]:
    names = _FIELDS.get(kind)
    if names is None:
        names = _FIELDS[kind] = [one for one in kind.__struct_fields__ if one not in _APART]
    return names


_PARENTS = ("organization_id", "service_id", "location_id", "service_at_location_id")


def _named(kind: type[Struct], *others: str) -> frozenset[str]:
    return frozenset((*names_of(kind), "id", *others))


HEADS = ("organization", "location", "service")
"""Tables of what is decided to be one; the others hang on these."""
SHARED = frozenset({"taxonomy_term"})
"""Tables of what several records refer to."""
TABLES: Mapping[type, str] = {
    Program: "program",
    Contact: "contact",
    Phone: "phone",
    Address: "address",
    Accessibility: "accessibility",
    Schedule: "schedule",
    Language: "language",
    Funding: "funding",
    Identifier: "organization_identifier",
    Attribute: "attribute",
}
"""Of what hangs on a record, and is known there by its content."""
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
    "taxonomy_term": _named(Term),
    "attribute": _named(Attribute, "link_id", "taxonomy_term_id"),
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
