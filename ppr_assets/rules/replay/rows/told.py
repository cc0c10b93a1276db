"""One file's word on an organization or a place, and why it is counted to what that became."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from msgspec import Struct

from ppr_assets.rules.replay.record import Location, Organization, Service
from ppr_assets.rules.replay.telling import AGAIN, Telling


class OrganizationTold(Struct, frozen=True):
    """One file's word on an organization. ``id``: as its scraper knows it; ``places``: the ids that
    its locations have come to, in their order; ``reason``: why it is counted to the one that it
    became, empty for the first; ``file``: its name."""

    by: Telling
    id: str
    record: Organization
    places: tuple[str, ...]
    reason: str = ""
    file: str = ""


class LocationTold(Struct, frozen=True):
    """One file's word on a place. ``organization``: the id that its organization has come to."""

    by: Telling
    id: str
    record: Location
    organization: str
    reason: str = ""
    file: str = ""


class ServiceTold(Struct, frozen=True):
    """One file's word on a service of an organization."""

    by: Telling
    id: str
    record: Service
    reason: str = ""
    file: str = ""


Told = OrganizationTold | LocationTold | ServiceTold
T = TypeVar("T", bound=Told)


def with_reasons(told: Iterable[T]) -> Iterator[tuple[T, str]]:
    """From the oldest on, each with why it is counted to what the first one began: the decision
    that its id stands for, or that it is told again."""
    for number, one in enumerate(sorted(told, key=lambda one: (one.by, one.id))):
        yield one, (one.reason or AGAIN if number else "")
