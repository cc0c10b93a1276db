"""One organization and what hangs on it directly; its places and services follow from here."""

from __future__ import annotations

from msgspec import Struct

from ppr_assets.demo.sample.draw import Draw
from ppr_assets.demo.sample.private import editor_of
from ppr_assets.demo.sample.tables import Batch
from ppr_assets.demo.sample.vocabulary import (
    FUNDERS,
    KINDS,
    PATRONS,
    SCRAPERS,
    TITLES,
    WHAT,
    SamplePlace,
    Vocabulary,
    awkward_text,
)

_TAX_STATUS = ("501(c)(3)", "501c3", "church", "government")
_LEGAL_STATUS = ("Nonprofit corporation", "Religious organization", "Public agency")


class SampleOrganization(Struct, frozen=True):
    """What the rows below need to know; ``domain`` is reserved for examples."""

    id: str
    name: str
    domain: str
    home: SamplePlace
    awkward: str | None
    sources: tuple[str, ...]
    moments: tuple[str, str]
    """When it was made, and last changed."""
    editor: str | None
    """Who corrected it by hand."""


def organization_id(seed: int, number: int) -> str:
    """The key of an organization, also before its row is made: its source's first draw."""
    return Draw(seed, number).identifier()


def add_organization(
    batch: Batch, draw: Draw, words: Vocabulary, seed: int, number: int
) -> SampleOrganization:
    organization = _drawn(draw, words, number)
    home, (made, changed) = organization.home, organization.moments
    website = f"https://{organization.domain}" if draw.chance(0.4) else None
    email = f"info@{organization.domain}" if draw.chance(0.3) else None
    description = f"Serving {home.city}, {home.state}. {draw.pick(WHAT)}"
    batch.add(
        "organization",
        organization.id,
        organization.name,
        organization.awkward if organization.awkward is not None else draw.maybe(0.2, PATRONS),
        f"{description} {organization.awkward}" if organization.awkward else description,
        email,
        website,
        draw.maybe(0.5, _TAX_STATUS),
        f"{draw.below(90) + 10}-{draw.below(9_000_000) + 1_000_000}" if draw.chance(0.3) else None,
        1890 + draw.below(135) if draw.chance(0.5) else None,
        draw.maybe(0.3, _LEGAL_STATUS),
        None,
        None,
        organization_id(seed, draw.below(number)) if number and draw.chance(0.08) else None,
        made,
        changed,
    )
    _add_belongings(batch, draw, words, organization, website)
    for source in organization.sources:
        batch.add(
            "organization_source", draw.identifier(), organization.id, source, organization.name,
            description if draw.chance(0.2) else None, website, email, made, changed,
            organization.editor,
        )  # fmt: skip
    return organization


def _drawn(draw: Draw, words: Vocabulary, number: int) -> SampleOrganization:
    identifier = draw.identifier()
    home = draw.pick(words.places)
    patron, kind = draw.pick(PATRONS), draw.pick(KINDS)
    name = f"{patron} {kind}" if draw.chance(0.4) else f"{patron} {kind} of {home.city}"
    slug = "".join(c for c in f"{patron}{home.city}".lower() if c.isalnum())
    moments = draw.moments()
    return SampleOrganization(
        id=identifier,
        name=name,
        domain=f"{slug}{number}.example.org",
        home=home,
        awkward=awkward_text(number),
        sources=tuple(draw.some(SCRAPERS, 1 + draw.chance(0.12))),
        moments=moments,
        editor=editor_of(number),
    )


def _add_belongings(
    batch: Batch,
    draw: Draw,
    words: Vocabulary,
    organization: SampleOrganization,
    website: str | None,
) -> None:
    if draw.chance(0.3):
        batch.add(
            "organization_identifier", draw.identifier(), organization.id, "US-EIN", "EIN",
            f"{draw.below(90) + 10}-{draw.below(9_000_000) + 1_000_000}",
        )  # fmt: skip
    if website:
        batch.add("url", draw.identifier(), "Website", website, organization.id, None)
    if draw.chance(0.25):
        batch.add("funding", draw.identifier(), organization.id, None, draw.pick(FUNDERS))
    if draw.chance(0.4):
        contact = draw.identifier()
        batch.add(
            "contact", contact, organization.id, None, None, None, words.person(draw),
            draw.pick(TITLES), None, f"contact@{organization.domain}",
        )  # fmt: skip
        if draw.chance(0.3):
            add_phone(batch, draw, contact_id=contact)
    if draw.chance(0.5):
        add_phone(batch, draw, organization_id=organization.id)


def add_phone(
    batch: Batch,
    draw: Draw,
    *,
    organization_id: str | None = None,
    location_id: str | None = None,
    contact_id: str | None = None,
) -> str:
    """A telephone of one of the three, with a number that belongs to nobody. Returns its key."""
    identifier = draw.identifier()
    batch.add(
        "phone",
        identifier,
        location_id,
        None,
        organization_id,
        contact_id,
        None,
        f"({200 + draw.below(780)}) 555-01{draw.below(100):02d}",
        100 + draw.below(900) if draw.chance(0.1) else None,
        "voice" if draw.chance(0.9) else "fax",
        None,
    )
    return identifier
