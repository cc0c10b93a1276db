"""What is told of too many to tell any of them apart: the point where a geocoder puts what it
cannot find, a food bank's own number or website on each of its pantries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping

from msgspec import Struct, field

from ppr_assets.rules.replay.telling import Named
from ppr_assets.rules.replay.words.coordinates import Point, spot

NAMES = 3
"""What more differently named places or organizations share says nothing about any of them."""


class Common(Struct, frozen=True):
    """What counts as none, with the number of differently named ones that share it."""

    points: Mapping[Point, int] = field(default_factory=dict)
    websites: Mapping[str, int] = field(default_factory=dict)
    phones: Mapping[str, int] = field(default_factory=dict)

    def true_point(self, point: Point | None) -> Point | None:
        return None if point is None or spot(point) in self.points else point


def common(tellings: Iterable[Named]) -> Common:
    points: defaultdict[Hashable, set[str]] = defaultdict(set)
    websites: defaultdict[Hashable, set[str]] = defaultdict(set)
    phones: defaultdict[Hashable, set[str]] = defaultdict(set)
    for one in tellings:
        for place in one.places:
            if place.point:
                points[spot(place.point)].add(place.name)
        for website in one.websites:
            websites[website].add(one.name)
        for phone in one.phones:
            phones[phone].add(one.name)
    return Common(_too_many(points), _too_many(websites), _too_many(phones))


def _too_many(names: Mapping[Hashable, set[str]]) -> dict:  # type: ignore[type-arg]
    counted = ((key, len(told - {""})) for key, told in names.items())
    return {key: number for key, number in counted if number > NAMES}
