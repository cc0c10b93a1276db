"""Which tellings are of one organization or place, over all files: what the rules for a pair say
and what follows from it, without looking at every pair. Nearly linear: only what shares a name, an
address, a number or a cell of a grid is compared."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import Struct

from ppr_assets.rules.replay.merging import same
from ppr_assets.rules.replay.merging.common import Common, common
from ppr_assets.rules.replay.merging.sets import Merged, Sets
from ppr_assets.rules.replay.telling import Named, ToldPlace
from ppr_assets.rules.replay.words.coordinates import METRES_PER_DEGREE, Point


class Everything(Struct, frozen=True):
    organizations: Merged
    locations: Merged
    common: Common
    """What counts as none because too many share it."""


_At = tuple[str, Point, ToldPlace]
"""The id that may be one with others, because of where this place is."""


def merge(tellings: Iterable[Named]) -> Everything:
    """Organizations first, then places; the order of the tellings makes no difference."""
    organizations = sorted(tellings, key=lambda one: (one.told, one.id))
    places = [place for one in organizations for place in one.places]
    shared = common(organizations)
    merged = _merge_organizations(organizations, shared)
    return Everything(merged, _merge_places(places, merged.records, shared), shared)


def _merge_organizations(tellings: Sequence[Named], shared: Common) -> Merged:
    sets = Sets(one.id for one in tellings)
    by_name: defaultdict[str, list[_At]] = defaultdict(list)
    for one in tellings:
        if not one.name:
            continue
        for key in sorted(one.addresses):
            sets.share(one.id, (one.name, key), same.by_address(key))
        for contact in sorted(same.contact_points(one, shared)):
            sets.share(one.id, (one.name, contact), same.by_contact(contact))
        for place in same.pointed(one, shared):
            by_name[one.name] += [(one.id, point, place) for point in (place.point,) if point]
    cell = (same.DEGREES, same.DEGREES)
    for group in by_name.values():
        _join_near(sets, group, cell, (same.in_one_neighbourhood, same.BY_DEGREES))
    return sets.merged()


def _merge_places(
    places: Sequence[ToldPlace], organizations: Mapping[str, str], shared: Common
) -> Merged:
    sets = Sets(place.id for place in places)
    by_name: defaultdict[str, list[_At]] = defaultdict(list)
    by_street: defaultdict[str, list[_At]] = defaultdict(list)
    for place in places:
        point = shared.true_point(place.point)
        if point is None:
            continue
        for street in place.streets:
            by_street[street].append((place.id, point, place))
        if place.name:
            by_name[place.name].append((place.id, point, place))
    cell = (same.METRES / METRES_PER_DEGREE, 0.001)  # the second holds 25 m up to 77° north
    for street, group in by_street.items():
        _join_near(sets, group, cell, (same.at_one_point, same.by_street(street)))
    for group in by_name.values():
        _join_near(sets, group, cell, (same.under_one_roof, same.BY_METRES))
    _join_nowhere(sets, places, organizations, shared)
    return sets.merged()


def _join_nowhere(
    sets: Sets, places: Sequence[ToldPlace], organizations: Mapping[str, str], shared: Common
) -> None:
    """A place without coordinates is where its organization is at the same address."""
    at_address: defaultdict[tuple[str, tuple[str, str]], list[ToldPlace]] = defaultdict(list)
    for place in places:
        for key in sorted(place.addresses):
            at_address[organizations[place.organization], key].append(place)
    for (_, key), group in at_address.items():
        nowhere = [place for place in group if shared.true_point(place.point) is None]
        for place in group if nowhere else ():
            sets.join(nowhere[0].id, place.id, same.by_organization(key))


def _join_near(
    sets: Sets,
    group: Sequence[_At],
    cell: tuple[float, float],
    rule: tuple[Callable[[ToldPlace, ToldPlace], bool], str],
) -> None:
    """Joins what is near in the group, by the rule and with its reason. What is told of one point
    and one address again is compared once."""
    near, reason = rule
    first: dict[object, _At] = {}
    for told in group:
        id_, point, place = told
        same_there = (point, place.house_numbers, place.zips, place.cities)
        sets.join(first.setdefault(same_there, told)[0], id_, reason)
    grid: defaultdict[tuple[int, int], list[_At]] = defaultdict(list)
    for told in first.values() if len(first) > 1 else ():
        id_, point, place = told
        row, column = math.floor(point[0] / cell[0]), math.floor(point[1] / cell[1])
        for north in (row - 1, row, row + 1):
            for east in (column - 1, column, column + 1):
                for other_id, _, other in grid.get((north, east), ()):
                    if not sets.are_one(other_id, id_) and near(other, place):
                        sets.join(other_id, id_, reason)
        grid[row, column].append(told)
