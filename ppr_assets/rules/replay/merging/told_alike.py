"""Records of two dumps that have other ids and tell of the same: how many pairs there are, each
record in one at most. A name alone, by which a replay merges nothing, is enough here, where nothing
is lost by it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Hashable, Iterable, Iterator

from ppr_assets.rules.replay.merging.common import Common, common
from ppr_assets.rules.replay.merging.same import same_place
from ppr_assets.rules.replay.record import Location, Organization
from ppr_assets.rules.replay.telling import Named, Telling, ToldPlace, named


def equal_pairs(before: Iterable[str], after: Iterable[str]) -> int:
    """Of what can be compared by one text; an empty one tells nobody apart."""
    one, other = ((key for key in side if key) for side in (before, after))
    return (Counter(one) & Counter(other)).total()


def told_place(id_: str, organization: str, location: Location) -> Named:
    """A location as the rules of a replay look at it, with the name of its organization."""
    record = Organization("", organization, locations=(location,))
    return named(record, Telling("", "", "", id_, id_))


def place_pairs(before: Collection[Named], after: Collection[Named]) -> int:
    """Of locations: a point and a name or an address, as in a replay; what has no point, by its
    address and the name of its organization."""
    shared = common([*before, *after])
    offered: defaultdict[Hashable, dict[str, Named]] = defaultdict(dict)
    for one in after:
        for key in _keys(one):
            offered[key][one.told.job_id] = one
    pairs = 0
    for one in sorted(before, key=lambda each: each.told):
        for key in _keys(one):
            found = next((each for each in offered[key].values() if _same(one, each, shared)), None)
            if found is not None:
                pairs += 1
                for each in _keys(found):
                    del offered[each][found.told.job_id]
                break
    return pairs


def _keys(one: Named) -> Iterator[Hashable]:
    """What has none in common with another place is not the same."""
    place = _place(one)
    yield from sorted(("street", street) for street in place.streets)
    if place.name:
        yield "name", place.name


def _same(one: Named, other: Named, shared: Common) -> bool:
    same_organization = bool(one.name) and one.name == other.name
    return same_place(_place(one), _place(other), same_organization, shared) is not None


def _place(one: Named) -> ToldPlace:
    (place,) = one.places
    return place
