"""Organizations, locations and services while a file is read: what is nested in them and what
refers to them from elsewhere in the file comes together here."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from typing import Generic, TypeVar

from msgspec import Struct, field

from ppr_assets.records.reading import Fields
from ppr_assets.rules.replay.record import (
    Accessibility,
    Attribute,
    Contact,
    Funding,
    Identifier,
    Language,
    Phone,
    Program,
    Schedule,
)
from ppr_assets.rules.replay.words.addresses import Address, same_address_key
from ppr_assets.rules.replay.words.coordinates import Point, metres_between
from ppr_assets.rules.replay.words.names import normalized_name

MOST_OF_A_KIND = 1000
"""Locations, services or organizations of one file; a model's answer has a handful."""
NEAR_METRES = 100
"""Within which one id and two spellings of an address are one place of one file."""


class TooMany(ValueError):
    """A file tells of more than any file does."""


class Draft(Struct, eq=False):
    """What locations, services and organizations have in common. ``keys`` are its ids and names in
    this file, by which others refer to it."""

    fields: Fields
    keys: set[str] = field(default_factory=set)
    phones: list[Phone] = field(default_factory=list)
    contacts: list[Contact] = field(default_factory=list)
    schedules: list[Schedule] = field(default_factory=list)
    languages: list[Language] = field(default_factory=list)
    attributes: list[Attribute] = field(default_factory=list)

    def take_what_hangs_on(self, other: Draft) -> None:
        self.phones += other.phones
        self.contacts += other.contacts
        self.schedules += other.schedules
        self.languages += other.languages
        self.attributes += other.attributes


D = TypeVar("D", bound=Draft)


class Drafts(Generic[D]):
    """Drafts of one kind in their order, found by what they go by in the file."""

    def __init__(self) -> None:
        self._all: list[D] = []
        self._by: dict[Hashable, list[D]] = {}

    def __iter__(self) -> Iterator[D]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    def add(self, draft: D) -> D:
        if len(self._all) >= MOST_OF_A_KIND:
            raise TooMany(f"more than {MOST_OF_A_KIND:,} of a kind: {draft.fields.kind.name}")
        self._all.append(draft)
        self.know(draft, draft.keys)
        return draft

    def know(self, draft: D, keys: Iterable[Hashable]) -> None:
        for key in keys:
            held = self._by.setdefault(key, [])
            if draft not in held[-1:]:
                held.append(draft)

    def known_by(self, keys: Iterable[Hashable]) -> list[D]:
        return list({id(draft): draft for key in keys for draft in self._by.get(key, ())}.values())

    def only(self) -> D | None:
        return self._all[0] if len(self._all) == 1 else None


class LocationDraft(Draft, eq=False):
    others: list[Fields] = field(default_factory=list)
    """The same place, told once more in this file."""
    addresses: list[Address] = field(default_factory=list)
    coordinates: Point | None = None
    accessibility: list[Accessibility] = field(default_factory=list)
    is_only_an_address: bool = False
    """Made of an address on the organization, where no location has one."""

    def text(self, name: str) -> str | None:
        words = self.fields.text(name)
        if words is None and self.others:
            return next((told for other in self.others if (told := other.text(name))), None)
        return words

    def says_something(self) -> bool:
        return bool(self.addresses or self.coordinates or self.text("name"))

    def goes_by(self) -> set[Hashable]:
        """What another telling of this place has in common with it."""
        found: set[Hashable] = {*self.keys, *self._addresses()}
        if self.coordinates:
            found.add(self.coordinates)
        if name := self.text("name"):
            found.add(("name", normalized_name(name)))
        return found

    def is_same(self, other: LocationDraft) -> bool:
        """Whether both, which have something in common, are one place: neither their addresses nor,
        where a point is all that they share, their names must say otherwise. Models give one id to
        two places."""
        mine, theirs = self._addresses(), other._addresses()
        if mine & theirs:
            return True
        if mine and theirs:
            return bool(self.keys & other.keys) and self._is_near(other)
        names = {normalized_name(name) for one in (self, other) if (name := one.text("name"))}
        return len(names) < 2 or bool(self.keys & other.keys)

    def _addresses(self) -> set[tuple[str, str]]:
        return {key for one in self.addresses if (key := same_address_key(one))}

    def _is_near(self, other: LocationDraft) -> bool:
        if not self.coordinates or not other.coordinates:
            return False
        return metres_between(self.coordinates, other.coordinates) < NEAR_METRES

    def take_in(self, other: LocationDraft) -> None:
        self.keys |= other.keys
        self.others += [other.fields, *other.others]
        self.coordinates = self.coordinates or other.coordinates
        self.addresses = self.addresses or other.addresses
        self.accessibility += other.accessibility
        self.take_what_hangs_on(other)


class SalDraft(Draft, eq=False):
    """A service at a location."""

    location: LocationDraft | None = None


class ServiceDraft(Draft, eq=False):
    at: dict[int, SalDraft] = field(default_factory=dict)

    def link(self, location: LocationDraft, fields: Fields) -> SalDraft:
        return self.at.setdefault(id(location), SalDraft(fields, location=location))


class OrganizationDraft(Draft, eq=False):
    locations: Drafts[LocationDraft] = field(default_factory=Drafts)
    services: Drafts[ServiceDraft] = field(default_factory=Drafts)
    programs: list[Program] = field(default_factory=list)
    fundings: list[Funding] = field(default_factory=list)
    identifiers: list[Identifier] = field(default_factory=list)
    program_paths: dict[str, str] = field(default_factory=dict)
    """By what they go by in the file."""

    def same_as(self, location: LocationDraft) -> LocationDraft | None:
        """The location that tells of this place already."""
        held = self.locations.known_by(location.goes_by())
        return next((one for one in held if one.is_same(location)), None)

    def place(self, location: LocationDraft) -> LocationDraft:
        """The location, or the one that tells of the same place already and takes it in."""
        held = self.same_as(location)
        if held:
            return self.take_in(held, location)
        self.locations.know(self.locations.add(location), location.goes_by())
        return location

    def take_in(self, held: LocationDraft, other: LocationDraft) -> LocationDraft:
        held.take_in(other)
        self.locations.know(held, held.goes_by())
        return held
