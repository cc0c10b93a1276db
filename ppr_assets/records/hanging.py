"""What hangs on an organization, a location or a service: read, and put where it belongs, by where
it is nested or by what it refers to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ppr_assets.records import parts
from ppr_assets.records.drafts import Draft, OrganizationDraft
from ppr_assets.records.reading import Fields, Reading
from ppr_assets.records.schedules import schedules
from ppr_assets.rules.replay.record import Attribute, Phone

Read = Callable[[Reading, Any, str], list[Any]]


def _one(read: Callable[[Reading, Any, str], Any]) -> Read:
    def found(reading: Reading, raw: Any, path: str) -> list[Any]:
        one = read(reading, raw, path)
        return [one] if one else []

    return found


HANGING: dict[str, Read] = {
    "phones": _one(parts.phone),
    "contacts": _one(parts.contact),
    "schedules": schedules,
    "languages": _one(parts.language),
    "accessibility": _one(parts.accessibility),
    "attributes": _one(parts.attribute),
}
OF_ORGANIZATIONS: dict[str, Callable[[Reading, Any, str], Any]] = {
    "programs": parts.program,
    "fundings": parts.funding,
    "identifiers": parts.identifier,
}
_NOT_OF_ORGANIZATIONS = ("schedules", "languages", "accessibility")


def hang_all(reading: Reading, fields: Fields, on: Draft) -> None:
    """All that is nested in the object."""
    for name in HANGING:
        if name in fields.values:
            for path, raw in fields.each(name):
                hang(reading, name, (raw, path), on)


def hang(reading: Reading, name: str, told: tuple[Any, str], on: Draft | None) -> None:
    """``told`` is the value and its JSON path; ``on`` is None where it belongs to nothing."""
    found = HANGING[name](reading, *told)
    for one in found:
        where = "phones" if isinstance(one, Phone) else name
        if on is None:
            reading.lose(f"{name} of nothing")
        elif isinstance(one, Attribute) and one.link_entity not in (None, on.fields.kind.name):
            reading.lose(f"attribute of another kind than the {on.fields.kind.name} around it")
        elif hasattr(on, where):
            getattr(on, where).append(one)
        else:
            reading.lose(f"{on.fields.kind.name}.{where}")


def target(name: str, links: Fields, owners: Iterable[OrganizationDraft]) -> Draft | None:
    """What something that stands beside locations and services refers to in one of ``owners``."""
    found = (_referred(links, owner) for owner in owners)
    return next((one for one in found if one and hasattr(one, name)), None)


def hangs_on(name: str, owner: OrganizationDraft) -> Draft | None:
    """Where it belongs when it refers to nothing: to the organization, or its only location."""
    return owner.locations.only() if name in _NOT_OF_ORGANIZATIONS else owner


def _referred(fields: Fields, owner: OrganizationDraft) -> Draft | None:
    services = owner.services.known_by(references(fields, "service_ref"))
    locations = owner.locations.known_by(references(fields, "location_ref"))
    if keys := references(fields, "sal_ref"):
        held = (one for service in owner.services for one in service.at.values())
        if found := next((one for one in held if one.keys & keys), None):
            return found
    if services and locations:
        return services[0].at.get(id(locations[0]), locations[0])
    return next(iter([*services, *locations]), None)


def key(value: Any) -> str:
    """Ids and names as they are referred to."""
    return str(value)[:500].strip().lower()


def own_keys(fields: Fields, *more: str) -> set[str]:
    return {key(words) for name in ("id", "name", *more) for words in fields.texts(name)}


def references(fields: Fields, *names: str) -> set[str]:
    found = set()
    for name in names:
        for _, raw in fields.each(name):
            inner = (raw.get("id"), raw.get("name")) if isinstance(raw, dict) else (raw,)
            found |= {key(one) for one in inner if one}
    return found
