"""One file's word on an organization or a place, and why it is counted to what that became."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ppr_assets.rules.replay.record import Location, Organization
from ppr_assets.rules.replay.telling import Telling


class Told(Protocol):
    """What both kinds of word have."""

    @property
    def by(self) -> Telling: ...
    @property
    def id(self) -> str: ...
    @property
    def record(self) -> Organization | Location: ...
    @property
    def reason(self) -> str: ...


@dataclass(frozen=True, slots=True)
class OrganizationTold:
    """One file's word on an organization. ``id``: as its scraper knows it; ``places``: the ids that
    its locations have come to, in their order; ``reason``: why it is counted to the one that it
    became, empty for the first."""

    by: Telling
    id: str
    record: Organization
    places: tuple[str, ...]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class LocationTold:
    """One file's word on a place. ``organization``: the id that its organization has come to."""

    by: Telling
    id: str
    record: Location
    organization: str
    reason: str = ""
