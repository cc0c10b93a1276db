"""The services of an organization: what there is, for whom, when, where and at what price."""

from __future__ import annotations

import json
from collections.abc import Sequence

from ppr_assets.demo.sample.draw import Draw
from ppr_assets.demo.sample.organizations import SampleOrganization
from ppr_assets.demo.sample.tables import Batch
from ppr_assets.demo.sample.vocabulary import (
    DOCUMENTS,
    HOW,
    LANGUAGES,
    SERVICES,
    WHAT,
    WHO,
)

_STATUSES = ("active",) * 17 + ("inactive", "temporarily closed", "defunct")
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "MO,WE,FR", "TU,TH", "1SA,3SA")
_ALERTS = ("Closed on federal holidays.", "Moved on July 1, see the new address!", "Low on bread")


def add_service(
    batch: Batch,
    draw: Draw,
    organization: SampleOrganization,
    locations: Sequence[str],
    program: str | None,
) -> str:
    """One service at one or two of the locations, with all that belongs to it. Returns its key."""
    identifier = draw.identifier()
    name = draw.pick(SERVICES)
    description = draw.pick(WHAT) if draw.chance(0.6) else None
    status = draw.pick(_STATUSES)
    made, changed = draw.moments()
    batch.add(
        "service", identifier, organization.id, program, name, organization.awkward, description,
        None, f"pantry@{organization.domain}" if draw.chance(0.2) else None, status, None,
        draw.maybe(0.4, HOW), "Free of charge" if draw.chance(0.4) else None,
        draw.maybe(0.4, WHO), 60 if draw.chance(0.05) else None,
        17.5 if draw.chance(0.03) else None, draw.day(700) if draw.chance(0.3) else None,
        draw.maybe(0.05, _ALERTS), made, changed,
    )  # fmt: skip
    for location in draw.some(locations, min(len(locations), 1 + draw.chance(0.2))):
        _add_at_location(batch, draw, organization, identifier, location)
    _add_details(batch, draw, organization, identifier)
    for source in organization.sources:
        if draw.chance(0.5):
            continue
        batch.add(
            "service_source", draw.identifier(), identifier, source, name,
            description if draw.chance(0.3) else None, status, made, changed, organization.editor,
        )  # fmt: skip
    return identifier


def add_program(batch: Batch, draw: Draw, organization: SampleOrganization) -> str:
    """A program that several services belong to. Returns its key."""
    identifier = draw.identifier()
    batch.add(
        "program", identifier, organization.id, f"{organization.home.county} Hunger Relief",
        organization.awkward, draw.pick(WHAT),
    )  # fmt: skip
    return identifier


def _add_at_location(
    batch: Batch, draw: Draw, organization: SampleOrganization, service: str, location: str
) -> None:
    at_location = draw.identifier()
    batch.add("service_at_location", at_location, service, location, None)
    opens = 8 + draw.below(9)
    batch.add(
        "schedule", draw.identifier(), None, None, at_location,
        draw.day(900) if draw.chance(0.2) else None, None, None, organization.home.timezone, None,
        None, "MO", "WEEKLY" if draw.chance(0.85) else "MONTHLY", 1, draw.pick(_DAYS), None,
        organization.awkward or draw.maybe(0.2, HOW),
        f"{opens:02d}:{draw.below(2) * 30:02d}", f"{opens + 1 + draw.below(5):02d}:00", None,
    )  # fmt: skip


def _add_details(batch: Batch, draw: Draw, organization: SampleOrganization, service: str) -> None:
    for name, code in draw.some(LANGUAGES, draw.below(2)):
        batch.add("language", draw.identifier(), service, None, None, name, code, None)
    if draw.chance(0.2):
        extent = {"state": organization.home.state, "county": organization.home.county}
        batch.add(
            "service_area", draw.identifier(), service, None, organization.home.county,
            None, json.dumps(extent), "county", None,
        )  # fmt: skip
    if draw.chance(0.25):
        amount = None if draw.chance(0.7) else draw.below(2_000) / 100
        batch.add(
            "cost_option", draw.identifier(), service, None, None, "Suggested donation", "USD",
            amount, "Pay what you can" if amount is None else None,
        )  # fmt: skip
    if draw.chance(0.3):
        batch.add("required_document", draw.identifier(), service, draw.pick(DOCUMENTS), None)
