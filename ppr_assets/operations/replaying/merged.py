"""What was told, as one record after the other, with its rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from hashlib import blake2b
from operator import itemgetter

from msgspec import Struct, field

from ppr_assets.operations.replaying.read_files import Kept, Read, Spool
from ppr_assets.rules.replay.merging.merge import Everything, merge
from ppr_assets.rules.replay.merging.sets import MergeDecision
from ppr_assets.rules.replay.record import Location
from ppr_assets.rules.replay.rows.columns import SHARED, Row
from ppr_assets.rules.replay.rows.location import location_rows
from ppr_assets.rules.replay.rows.organization import organization_rows
from ppr_assets.rules.replay.rows.told import LocationTold, OrganizationTold
from ppr_assets.rules.replay.telling import Named, Telling


class Merging(Struct):
    """Tellings are added in any order; the rows are the same."""

    spool: Spool
    _told: list[tuple[Telling, bytes, Named, Kept]] = field(default_factory=list)

    def add(self, read: Read, file: str) -> None:
        """What one file tells."""
        digest = blake2b(b"".join(read.organizations), digest_size=8).digest()
        for named, organization in zip(read.named, read.organizations, strict=True):
            kept = self.spool.keep(organization, file)
            self._told.append((named.told, digest, named, kept))

    def merged(self) -> MergedRecords:
        """Files of one moment, scraper and job come in the order of what they tell, so that no
        order of files decides whose word stands."""
        self._told.sort(key=itemgetter(0, 1))
        told = [(named, kept) for _, _, named, kept in self._told]
        return MergedRecords(self.spool, told, merge(named for named, _ in told))


class OneOrganization(Struct, frozen=True):
    """``id``: that which it has come to; ``told``: all words on it."""

    id: str
    told: Sequence[OrganizationTold]

    def rows(self) -> Iterator[Row]:
        return organization_rows(self.id, self.told)


class OnePlace(Struct, frozen=True):
    id: str
    told: Sequence[LocationTold]

    def rows(self) -> Iterator[Row]:
        return location_rows(self.id, self.told)


class MergedRecords(Struct, dict=True):
    spool: Spool
    told: list[tuple[Named, Kept]]
    everything: Everything

    def rows(self) -> Iterator[Row]:
        """Each once: what several hang on, a taxonomy's terms, comes with each of them."""
        shared: set[str] = set()
        for one in self.records():
            for table, values in one.rows():
                if table in SHARED and values["id"] in shared:
                    continue
                if table in SHARED:
                    shared.add(values["id"])
                yield table, values

    def records(self) -> Iterator[OneOrganization | OnePlace]:
        """Each organization in turn, and its places; places that are told of several organizations
        come last, since their words lie apart."""
        shared: defaultdict[str, list[LocationTold]] = defaultdict(list)
        apart = self._of_several()
        for own, told in sorted(self._by_organization().items()):
            words: list[OrganizationTold] = []
            places: defaultdict[str, list[LocationTold]] = defaultdict(list)
            for named, kept in told:
                word = self._word(named, kept)
                words.append(word)
                for at, location in enumerate(word.record.locations):
                    place = word.places[at]
                    where = shared if place in apart else places
                    where[place].append(self._place(named, at, location, (own, kept.file)))
            yield OneOrganization(own, words)
            for place in sorted(places):
                yield OnePlace(place, places[place])
        for place in sorted(shared):
            yield OnePlace(place, shared[place])

    def _word(self, named: Named, kept: Kept) -> OrganizationTold:
        record = self.spool.organization(kept)
        places = tuple(self.everything.locations.records[one.id] for one in named.places)
        reason = self._reason(named.id)
        return OrganizationTold(named.told, named.id, record, places, reason, kept.file)

    def _place(
        self, named: Named, at: int, location: Location, owner: tuple[str, str]
    ) -> LocationTold:
        own, file = owner
        told = named.places[at].id
        return LocationTold(named.told, told, location, own, self._reason(told), file)

    def _reason(self, told: str) -> str:
        decision = self.decisions.get(told)
        return decision.reason if decision else ""

    @cached_property
    def decisions(self) -> Mapping[str, MergeDecision]:
        """By the id, as its scraper tells it, of what is counted to another one."""
        both = self.everything.organizations, self.everything.locations
        return {one.id: one for merged in both for one in merged.decisions}

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
