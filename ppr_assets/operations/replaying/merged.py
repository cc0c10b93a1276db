"""What was told, as the rows of one record after the other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from ppr_assets.operations.replaying.read_files import Kept, Spool
from ppr_assets.rules.replay.merging.merge import Everything, merge
from ppr_assets.rules.replay.record import Location
from ppr_assets.rules.replay.rows.columns import Row
from ppr_assets.rules.replay.rows.location import location_rows
from ppr_assets.rules.replay.rows.organization import organization_rows
from ppr_assets.rules.replay.rows.told import LocationTold, OrganizationTold
from ppr_assets.rules.replay.telling import Named


@dataclass
class Merging:
    """Tellings are added in any order; the rows are the same."""

    spool: Spool
    _told: list[tuple[Named, Kept]] = field(default_factory=list)

    def add(self, told: Named, organization: bytes) -> None:
        self._told.append((told, self.spool.keep(organization)))

    def merged(self) -> Merged:
        return Merged(self.spool, self._told, merge(named for named, _ in self._told))


@dataclass
class Merged:
    spool: Spool
    told: list[tuple[Named, Kept]]
    everything: Everything

    def rows(self) -> Iterator[Row]:
        """Of each organization in turn, and of its places; places that are told of several
        organizations come last, since their words lie apart."""
        reasons = {one.id: one.reason for one in self.everything.organizations.decisions}
        shared: defaultdict[str, list[LocationTold]] = defaultdict(list)
        apart = self._of_several()
        for own, told in sorted(self._by_organization().items()):
            words: list[OrganizationTold] = []
            places: defaultdict[str, list[LocationTold]] = defaultdict(list)
            for named, kept in told:
                record = self.spool.organization(kept)
                ids = tuple(self.everything.locations.records[one.id] for one in named.places)
                reason = reasons.get(named.id, "")
                words.append(OrganizationTold(named.told, named.id, record, ids, reason))
                for at, location in enumerate(record.locations):
                    where = shared if ids[at] in apart else places
                    where[ids[at]].append(self._place(named, at, location, own))
            yield from organization_rows(own, words)
            for place in sorted(places):
                yield from location_rows(place, places[place])
        for place in sorted(shared):
            yield from location_rows(place, shared[place])

    def _place(self, named: Named, at: int, location: Location, own: str) -> LocationTold:
        told = named.places[at].id
        return LocationTold(named.told, told, location, own, self._place_reasons.get(told, ""))

    @cached_property
    def _place_reasons(self) -> Mapping[str, str]:
        return {one.id: one.reason for one in self.everything.locations.decisions}

    def _by_organization(self) -> Mapping[str, list[tuple[Named, Kept]]]:
        found: defaultdict[str, list[tuple[Named, Kept]]] = defaultdict(list)
        for named, kept in self.told:
            found[self.everything.organizations.records[named.id]].append((named, kept))
        return found

    def _of_several(self) -> set[str]:
        """Places that more than one organization tells of."""
        owner: dict[str, str] = {}
        several: set[str] = set()
        for named, _ in self.told:
            own = self.everything.organizations.records[named.id]
            for one in named.places:
                place = self.everything.locations.records[one.id]
                if owner.setdefault(place, own) != own:
                    several.add(place)
        return several
