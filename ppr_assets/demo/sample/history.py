"""What was said before: versions as jsonb, contents seen, edits by field, terms that apply."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from ppr_assets.demo.sample.draw import Draw
from ppr_assets.demo.sample.organizations import SampleOrganization
from ppr_assets.demo.sample.tables import Batch
from ppr_assets.demo.sample.vocabulary import SCRAPERS

_TAXONOMY = (
    ("BD", "Food"),
    ("BD-1800", "Emergency Food"),
    ("BD-1800.2000", "Food Pantries"),
    ("BD-1800.8200", "Sack Lunches/Dinners"),
    ("BD-1875", "Food Banks/Food Distribution Warehouses"),
    ("BD-5000", "Meals"),
    ("BD-5000.1470", "Community Kitchens/Soup Kitchens"),
    ("BD-5000.3500", "Home Delivered Meals"),
    ("BD-5000.8300", "Summer Food Service Programs"),
    ("BD-6500", "Food Production"),
    ("NL-6000.2000", "Food Stamps/SNAP Applications"),
    ("NL-6000.9500", "WIC Applications"),
)
_OUTCOMES = ("stored", "stored", "known", "known", "known", "unreadable")


def add_taxonomy(batch: Batch, draw: Draw) -> tuple[str, ...]:
    """The taxonomy that all samples share but for their keys. Returns the keys of its terms."""
    taxonomy = draw.identifier()
    batch.add(
        "taxonomy", taxonomy, "Food resources", "Kinds of food help",
        "https://taxonomy.example.org", "2025",
    )  # fmt: skip
    terms: dict[str, str] = {}
    for code, name in _TAXONOMY:
        parent = terms.get(code.rpartition(".")[0]) or terms.get(code.rpartition("-")[0])
        terms[code] = draw.identifier()
        batch.add("taxonomy_term", terms[code], taxonomy, parent, code, name, None, "en", None)
    return tuple(terms.values())


def add_history(
    batch: Batch,
    draw: Draw,
    organization: SampleOrganization,
    keys: Mapping[str, Sequence[str]],
    terms: Sequence[str],
) -> None:
    """Versions of each record, whose ``keys`` are by table, what scrapers have seen, an edit now
    and then, and a term for some services."""
    for kind, identifiers in keys.items():
        for identifier in identifiers:
            _add_versions(batch, draw, organization, kind, identifier)
    for source in organization.sources:
        _, moment = draw.moments()
        batch.add("content_log", source, draw.digest(), moment, draw.pick(_OUTCOMES))
    if draw.chance(0.15):
        batch.add(
            "metadata", draw.identifier(), organization.id, "organization", draw.day(400), "update",
            "name", organization.name.upper(), organization.name, draw.pick(SCRAPERS),
        )  # fmt: skip
    for service in keys["service"]:
        if draw.chance(0.4):
            batch.add(
                "attribute", draw.identifier(), service, draw.pick(terms), "taxonomy", "service",
                None, None,
            )  # fmt: skip


def _add_versions(
    batch: Batch, draw: Draw, organization: SampleOrganization, kind: str, identifier: str
) -> None:
    """Two to eight, so that versions are about half of all rows, as in the real database."""
    for version in range(1, 3 + draw.below(7)):
        _, moment = draw.moments()
        source = draw.pick(organization.sources)
        said = {
            "name": organization.name,
            "alternate_name": organization.awkward,
            "address": {"city": organization.home.city, "state": organization.home.state},
            "confidence": draw.below(100) / 100,
            "scraper": source,
        }
        batch.add(
            "record_version", identifier, kind, version,
            json.dumps(said, ensure_ascii=False), moment, "reconciler", source,
        )  # fmt: skip
