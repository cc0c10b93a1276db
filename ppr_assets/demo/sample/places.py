"""The places of an organization: location, address, access, and who told us of them."""

from __future__ import annotations

from ppr_assets.demo.sample.draw import Draw
from ppr_assets.demo.sample.organizations import SampleOrganization, add_phone
from ppr_assets.demo.sample.tables import Batch
from ppr_assets.demo.sample.vocabulary import ACCESS, GETTING_THERE, SITES, SamplePlace, Vocabulary

_UNITS = ("Suite 100", "Rear entrance", "Lower level", "Bldg. B", "Unit 4")


def add_location(
    batch: Batch, draw: Draw, words: Vocabulary, organization: SampleOrganization, first: bool
) -> str:
    """One location with all that belongs to it. Returns its key."""
    identifier = draw.identifier()
    place = organization.home if first or draw.chance(0.5) else draw.pick(words.places)
    latitude, longitude = draw.near(place.latitude, 0.1), draw.near(place.longitude, 0.1)
    name = organization.name if first else f"{organization.name}, {place.city} site"
    made, changed = draw.moments()
    batch.add(
        "location",
        identifier,
        organization.id,
        "physical" if draw.chance(0.97) else "virtual",
        name if draw.chance(0.9) else None,
        None,
        organization.awkward if organization.awkward is not None else draw.maybe(0.2, SITES),
        draw.maybe(0.2, GETTING_THERE),
        None,
        latitude,
        longitude,
        str(draw.below(90_000) + 1_000) if draw.chance(0.5) else None,
        organization.sources[0],
        draw.chance(0.95),
        draw.below(101),
        made,
        changed,
    )
    _add_address(batch, draw, words, place, identifier)
    _add_access(batch, draw, identifier)
    for source in organization.sources:
        if draw.chance(0.5):
            continue
        batch.add(
            "location_source", draw.identifier(), identifier, source, name, None,
            latitude, longitude, made, changed, organization.editor,
        )  # fmt: skip
    return identifier


def _add_address(
    batch: Batch, draw: Draw, words: Vocabulary, place: SamplePlace, location: str
) -> None:
    batch.add(
        "address",
        draw.identifier(),
        location,
        words.person(draw) if draw.chance(0.1) else None,
        f"{draw.below(9_900) + 100} {draw.pick(words.streets)}",
        draw.maybe(0.15, _UNITS),
        place.city,
        place.county if draw.chance(0.5) else None,
        place.state,
        place.postal_code,
        "US",
        "physical",
    )


def _add_access(batch: Batch, draw: Draw, location: str) -> None:
    if draw.chance(0.25):
        batch.add("accessibility", draw.identifier(), location, draw.pick(ACCESS), None, None)
    if draw.chance(0.8):
        phone = add_phone(batch, draw, location_id=location)
        if draw.chance(0.2):
            batch.add("language", draw.identifier(), None, None, phone, "English", "en", None)
