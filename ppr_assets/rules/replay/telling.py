"""Who told of a record and when; and what of it the rules of merging look at."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from ppr_assets.rules.replay.ids import record_id
from ppr_assets.rules.replay.record import Location, Organization
from ppr_assets.rules.replay.words.addresses import same_address_key, street_of
from ppr_assets.rules.replay.words.contact_points import phone_keys, website_key
from ppr_assets.rules.replay.words.coordinates import Point
from ppr_assets.rules.replay.words.names import normalized_name, says_only_what_it_is

AddressKey = tuple[str, str]
AGAIN = "the same scraper told it again"


class Telling(Struct, frozen=True, array_like=True, order=True):
    """One file's word. Tellings sort from the oldest to the newest, whatever the files' order:
    by the ``day`` that the file was published on, and within it by the moment of its job."""

    day: str
    created_at: str
    scraper: str
    job_id: str
    content: str = ""
    """The content hash of what was scraped, or the job where there is none: equal only for one
    thing told again."""


class ToldPlace(Struct, frozen=True, array_like=True):
    """A location, as far as the rules look at it."""

    id: str
    organization: str
    """The id of the organization as this scraper told it."""
    name: str
    """Normalised; the organization's where a location has none, or one that would fit any."""
    streets: frozenset[str]
    addresses: frozenset[AddressKey]
    zips: frozenset[str]
    cities: frozenset[str]
    point: Point | None

    @property
    def house_numbers(self) -> frozenset[str]:
        return frozenset(street.partition(" ")[0] for street in self.streets)


class Named(Struct, frozen=True, array_like=True):
    """An organization, as far as the rules look at it."""

    id: str
    told: Telling
    name: str
    places: tuple[ToldPlace, ...]
    websites: frozenset[str]
    phones: frozenset[str]

    @property
    def addresses(self) -> frozenset[AddressKey]:
        return frozenset().union(*(place.addresses for place in self.places))


def named(organization: Organization, told: Telling) -> Named:
    """The organization and its places, with their ids. What a scraper knows one by is its name and
    its first address; without an address, two of one name are two for all that it says."""
    name = normalized_name(organization.name)
    addresses = sorted(key for one in organization.locations for key in _addresses(one))
    natural = (name, *(addresses[0] if addresses else (told.content,)))
    own_id = record_id("organization", told.scraper, *natural)
    urls = (organization.website, *organization.other_urls)
    return Named(
        id=own_id,
        told=told,
        name=name,
        places=tuple(
            _place(location, at, own_id, (name, natural, told))
            for at, location in enumerate(organization.locations)
        ),
        websites=frozenset(key for url in urls if url and (key := website_key(url))),
        phones=frozenset(_phones(organization)),
    )


def _place(
    location: Location, at: int, organization: str, owner: tuple[str, tuple[str, ...], Telling]
) -> ToldPlace:
    owner_name, natural, told = owner
    own = normalized_name(location.name or "")
    addresses = _addresses(location)
    where = min(addresses) if addresses else (own, told.content, str(at))
    return ToldPlace(
        id=record_id("location", told.scraper, *natural, *where),
        organization=organization,
        name=owner_name if not own or says_only_what_it_is(own) else own,
        streets=frozenset(street for one in location.addresses if (street := street_of(one))),
        addresses=addresses,
        zips=frozenset(one.postal_code[:5] for one in location.addresses if one.postal_code),
        cities=frozenset(normalized_name(one.city) for one in location.addresses if one.city),
        point=location.coordinates,
    )


def _addresses(location: Location) -> frozenset[AddressKey]:
    return frozenset(key for one in location.addresses if (key := same_address_key(one)))


def _phones(organization: Organization) -> Iterable[str]:
    told = [*organization.phones]
    for location in organization.locations:
        told += location.phones
    for service in organization.services:
        told += service.phones
    for phone in told:
        yield from phone_keys(phone.number)
