"""A result's organizations with all that belongs to them, in whatever shape they are told: nested,
beside each other, or in flat arrays that refer by id or name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ppr_assets.records import parts
from ppr_assets.records.drafts import (
    Drafts,
    LocationDraft,
    OrganizationDraft,
    SalDraft,
    ServiceDraft,
)
from ppr_assets.records.hanging import (
    HANGING,
    OF_ORGANIZATIONS,
    hang,
    hang_all,
    hangs_on,
    key,
    own_keys,
    references,
    target,
)
from ppr_assets.records.reading import Fields, Reading
from ppr_assets.records.spellings import LOCATION, ORGANIZATION, SAL, SERVICE, WRAPPER, stem
from ppr_assets.records.to_records import organization_record
from ppr_assets.rules.replay.record import Organization
from ppr_assets.rules.replay.words.addresses import street_of

Owner = OrganizationDraft | None
"""The organization that something is nested in; None beside all of them."""

DEEPEST_WRAPPING = 4
_HOLDS = stem("organizations")
_NAMED = {key for key, name in ORGANIZATION.fields.items() if name == "name"}


def organizations(reading: Reading, value: Any, path: str) -> list[Organization]:
    """All of a result that have a name. Raises ``TooMany``."""
    drafts = (draft for raw, where in tops(value, path) for draft in _Top(reading, raw, where).told)
    return [record for draft in drafts if (record := organization_record(draft))]


class _Top:
    """One top of a result: its organizations, and where everything beside them belongs."""

    def __init__(self, reading: Reading, raw: dict[str, Any], path: str) -> None:
        self.reading = reading
        self.told: Drafts[OrganizationDraft] = Drafts()
        sources: list[tuple[Owner, Fields]] = []
        if holds_organizations(raw):
            around = reading.fields(raw, WRAPPER, path)
            for where, one in around.each("organizations"):
                self._organization(one, where)
            sources.append((None, around))
        else:
            self._organization(raw, path)
        self._read([*((draft, draft.fields) for draft in self.told), *sources])

    def _organization(self, raw: Any, path: str) -> None:
        if not isinstance(raw, dict):
            self.reading.lose("organization")
            return
        fields = self.reading.fields(raw, ORGANIZATION, path)
        self.told.add(OrganizationDraft(fields, own_keys(fields)))

    def _read(self, sources: Iterable[tuple[Owner, Fields]]) -> None:
        """In an order in which what is referred to is there before what refers to it."""
        steps: tuple[tuple[str, Callable[[Any, str, Owner], object]], ...] = (
            ("locations", self._location),
            ("addresses", self._address),
            ("services", self._service),
            ("sals", self._service_at_location),
        )
        for name, step in steps:
            for owner, fields in sources:
                for path, raw in fields.each(name):
                    step(raw, path, owner)
        for owner, fields in sources:
            self._hang(fields, owner)

    def _owner(self, fields: Fields, owner: Owner, what: str) -> Owner:
        """The organization that something is nested in, that it refers to, or the only one."""
        found = owner or self.told.only()
        if found is None:
            named = self.told.known_by(references(fields, "organization_ref"))
            found = named[0] if len(named) == 1 else self._owner_of_what_it_names(fields)
        if found is None:
            self.reading.lose(f"{what} of no organization")
        return found

    def _owner_of_what_it_names(self, fields: Fields) -> Owner:
        """The one organization whose location or service it refers to."""
        locations = references(fields, "location_ref")
        services = references(fields, "service_ref")
        found = [
            one
            for one in self.told
            if one.locations.known_by(locations) or one.services.known_by(services)
        ]
        return found[0] if len(found) == 1 else None

    # locations

    def _location(self, raw: Any, path: str, owner: Owner) -> None:
        draft = self._read_location(raw, path)
        if draft is None:
            self.reading.lose("location")
        elif whose := self._owner(draft.fields, owner, "location"):
            self._place(whose, draft)

    def _place(self, whose: OrganizationDraft, draft: LocationDraft) -> LocationDraft:
        placed = whose.place(draft)
        for path, raw in draft.fields.each("services"):
            if service := self._service(raw, path, whose):
                service.link(placed, service.fields)
        return placed

    def _read_location(self, raw: Any, path: str) -> LocationDraft | None:
        """None where it only names another."""
        if not isinstance(raw, dict):
            return None
        fields = self.reading.fields(raw, LOCATION, path)
        draft = LocationDraft(fields, own_keys(fields, "location_ref"))
        draft.coordinates = parts.coordinates_of(fields)
        for where, one in fields.each("addresses"):
            if isinstance(one, str) and ("city" in fields.values or "postal_code" in fields.values):
                fields.values.setdefault("address_1", []).append(("address", one))
                continue
            if found := parts.address(self.reading, one, where):
                draft.addresses.append(found)
            around = self.reading.fields(one, LOCATION, where, again=True)
            draft.others.append(around)
            point = parts.coordinates_of(around)
            if point and draft.coordinates not in (None, point):
                self.reading.lose("address.coordinates beside the location's")
            draft.coordinates = draft.coordinates or point
        own = parts.address_of(fields)
        if own and not draft.addresses:
            draft.addresses.append(own)
        elif own and street_of(own) not in map(street_of, draft.addresses):
            self.reading.lose("location.address beside its addresses")
        hang_all(self.reading, fields, draft)
        return draft

    def _address(self, raw: Any, path: str, owner: Owner) -> None:
        """An address beside the locations is that of the location it refers to, of the only one
        where that has none, or a location of its own where none has one."""
        found = parts.address(self.reading, raw, path)
        fields = self.reading.fields(raw, LOCATION, path, again=True)
        links = self.reading.fields(raw, SAL, path, again=True)
        whose = self._owner(links, owner, "address") if found else None
        if found is None or whose is None:
            return
        draft = LocationDraft(fields, own_keys(fields, "location_ref"), addresses=[found])
        draft.coordinates = parts.coordinates_of(fields)
        only = whose.locations.only()
        if same := whose.same_as(draft):
            whose.take_in(same, draft)
        elif only and not only.addresses:
            whose.take_in(only, draft)
        elif all(held.is_only_an_address for held in whose.locations if held.addresses):
            draft.is_only_an_address = True
            whose.place(draft)
        else:
            self.reading.lose("organization.addresses beside its locations")

    # services

    def _service(self, raw: Any, path: str, owner: Owner) -> ServiceDraft | None:
        if isinstance(raw, str):
            raw = {"name": raw}
        if not isinstance(raw, dict):
            self.reading.lose("service")
            return None
        fields = self.reading.fields(raw, SERVICE, path)
        whose = self._owner(fields, owner, "service")
        if whose is None:
            return None
        draft = whose.services.add(ServiceDraft(fields, own_keys(fields)))
        for name in ("locations", "location_ref", "addresses"):
            for where, one in fields.each(name):
                told = {"address": one} if name == "addresses" and isinstance(one, str) else one
                self._link(whose, draft, told, where)
        for where, one in fields.each("sals"):
            self._link_with_more(whose, draft, one, where)
        hang_all(self.reading, fields, draft)
        return draft

    def _link(self, whose: OrganizationDraft, service: ServiceDraft, raw: Any, path: str) -> None:
        """The service is given at a location that is told here, or named."""
        draft = self._read_location(raw, path)
        if draft is None:
            fields = self.reading.fields({"location_id": raw}, SAL, path)
            self._link_named(whose, service, fields)
        elif same := whose.same_as(draft):
            service.link(whose.take_in(same, draft), draft.fields)
        elif draft.addresses or draft.coordinates:
            service.link(self._place(whose, draft), draft.fields)
        elif only := whose.locations.only():
            service.link(whose.take_in(only, draft), draft.fields)
        elif draft.says_something():
            service.link(self._place(whose, draft), draft.fields)
        else:
            self.reading.lose("location without name, address and coordinates")
            service.take_what_hangs_on(draft)

    def _link_with_more(
        self, whose: OrganizationDraft, service: ServiceDraft, raw: Any, path: str
    ) -> None:
        """What is nested in the link is of the service at that location."""
        if not isinstance(raw, dict):
            self._link(whose, service, raw, path)
            return
        fields = self.reading.fields(raw, SAL, path)
        for held in self._link_named(whose, service, fields):
            held.keys |= own_keys(fields)
            hang_all(self.reading, fields, held)

    def _link_named(
        self, whose: OrganizationDraft, service: ServiceDraft, fields: Fields
    ) -> list[SalDraft]:
        named = whose.locations.known_by(references(fields, "location_ref", "location"))
        if not named and (only := whose.locations.only()):
            named = [only]
        if not named:
            self.reading.lose("service at a location that is not in the file")
        return [service.link(one, fields) for one in named]

    def _service_at_location(self, raw: Any, path: str, owner: Owner) -> None:
        fields = self.reading.fields(raw, SAL, path, again=True)
        keys = references(fields, "service_ref", "service")
        for whose in [owner] if owner else self.told:
            for service in whose.services.known_by(keys):
                self._link_with_more(whose, service, raw, path)
                return
        self.reading.lose("service_at_location of no service")

    # what hangs on them

    def _hang(self, fields: Fields, owner: Owner) -> None:
        owners = [owner] if owner else list(self.told)
        for name in HANGING:
            for path, raw in fields.each(name):
                links = self.reading.fields(raw, SAL, path, again=True)
                on = target(name, links, owners)
                if on is None and (whose := self._owner(links, owner, name)):
                    on = hangs_on(name, whose)
                hang(self.reading, name, (raw, path), on)
        for name, read in OF_ORGANIZATIONS.items():
            for path, raw in fields.each(name):
                found = read(self.reading, raw, path)
                links = self.reading.fields(raw, SAL, path, again=True)
                if found and (whose := self._owner(links, owner, name)):
                    getattr(whose, name).append(found)
                    if name == "programs":
                        told = own_keys(links) | {key(found.name)}
                        whose.program_paths |= dict.fromkeys(told, path)


def tops(value: Any, path: str, deeper: int = DEEPEST_WRAPPING) -> Iterator[tuple[Any, str]]:
    """Each object that is an organization or holds some, with its JSON path: bare, wrapped, in
    lists, or beneath a wrapper that means nothing, such as ``data`` or ``schema``."""
    if isinstance(value, list):
        for at, one in enumerate(value if deeper else ()):
            yield from tops(one, f"{path}[{at}]", deeper - 1)
    elif isinstance(value, dict):
        stems = {stem(key) for key in value}
        if _HOLDS in stems or stems & _NAMED:
            yield value, path
            return
        for key, one in value.items() if deeper else ():
            if isinstance(one, dict | list) and stem(key) not in WRAPPER.fields:
                yield from tops(one, f"{path}.{key}", deeper - 1)


def holds_organizations(top: dict[str, Any]) -> bool:
    """Whether the object is only around organizations, and none itself."""
    return any(stem(key) == _HOLDS and isinstance(top[key], dict | list) for key in top)
