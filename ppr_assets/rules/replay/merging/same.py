"""Whether two tellings are of one organization, or of one place: the rules, for one pair. What is
merged wrongly is lost, so a name alone never merges, and what cannot be compared does not agree."""

from __future__ import annotations

from ppr_assets.rules.replay.merging.common import Common
from ppr_assets.rules.replay.telling import AGAIN, Named, ToldPlace
from ppr_assets.rules.replay.words.coordinates import metres_between
from ppr_assets.rules.replay.words.names import says_only_what_it_is

DEGREES = 0.01
"""Within which, north and east, two organizations of one name are one."""
METRES = 25
"""Within which two places may be one."""
NOTHING_COMMON = Common()


def same_organization(one: Named, other: Named, common: Common = NOTHING_COMMON) -> str | None:
    """The reason why both are one organization, in words; None where they stay two."""
    if one.id == other.id:
        return AGAIN
    if not one.name or one.name != other.name:
        return None
    if shared := one.addresses & other.addresses:
        return by_address(min(shared))
    here, there = pointed(one, common), pointed(other, common)
    if any(in_one_neighbourhood(mine, theirs) for mine in here for theirs in there):
        return BY_DEGREES
    contacts = contact_points(one, common) & contact_points(other, common)
    return by_contact(min(contacts)) if contacts else None


def same_place(
    one: ToldPlace, other: ToldPlace, same_organization: bool, common: Common = NOTHING_COMMON
) -> str | None:
    """The reason why both are one place, in words; None where they stay two."""
    if one.id == other.id:
        return AGAIN
    if not (common.true_point(one.point) and common.true_point(other.point)):
        shared = one.addresses & other.addresses
        return by_organization(min(shared)) if same_organization and shared else None
    streets = one.streets & other.streets
    if streets and at_one_point(one, other):
        return by_street(min(streets))
    if one.name and one.name == other.name and under_one_roof(one, other):
        return BY_METRES
    return None


def in_one_neighbourhood(one: ToldPlace, other: ToldPlace) -> bool:
    """Near enough for two organizations of one name to be one, if their points are true: what has
    neither city nor ZIP code in common was put there by a bad geocoder."""
    slack = 1e-9  # decimal degrees have no exact double
    here, there = one.point, other.point
    if here is None or there is None or in_two_towns(one, other):
        return False
    north, east = abs(here[0] - there[0]), abs(here[1] - there[1])
    return north <= DEGREES + slack and east <= DEGREES + slack


def at_one_point(one: ToldPlace, other: ToldPlace) -> bool:
    if one.point is None or other.point is None:
        return False
    return metres_between(one.point, other.point) <= METRES


def under_one_roof(one: ToldPlace, other: ToldPlace) -> bool:
    """Near enough for two places of one name to be one. Where both have house numbers, and none in
    common, the name and the point are those of an organization with several houses."""
    mine, theirs = one.house_numbers, other.house_numbers
    if (mine and theirs and not mine & theirs) or in_two_towns(one, other):
        return False
    return at_one_point(one, other)


def in_two_towns(one: ToldPlace, other: ToldPlace) -> bool:
    """Whether neither ZIP code nor city agrees, and both are known."""
    zips = one.zips and other.zips and not one.zips & other.zips
    return bool(zips and one.cities and other.cities and not one.cities & other.cities)


def contact_points(organization: Named, common: Common) -> frozenset[tuple[str, str]]:
    """Websites and phones that can stand beside a name."""
    if says_only_what_it_is(organization.name):
        return frozenset()
    websites = (("website", one) for one in organization.websites if one not in common.websites)
    phones = (("phone", one) for one in organization.phones if one not in common.phones)
    return frozenset((*websites, *phones))


def pointed(organization: Named, common: Common) -> list[ToldPlace]:
    """Places whose point can stand beside a name: none where that would fit any pantry."""
    if says_only_what_it_is(organization.name):
        return []
    return [place for place in organization.places if common.true_point(place.point)]


BY_DEGREES = f"same name and locations within {DEGREES}°"
BY_METRES = f"same name within {METRES} m"


def by_address(shared: tuple[str, str]) -> str:
    return f"same name and the address {shared[0]}"


def by_contact(shared: tuple[str, str]) -> str:
    return f"same name and {shared[0]} {shared[1]}"


def by_organization(shared: tuple[str, str]) -> str:
    return f"same organization and the address {shared[0]}"


def by_street(street: str) -> str:
    return f"the address {street} within {METRES} m"
