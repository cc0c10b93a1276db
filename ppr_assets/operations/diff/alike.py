"""Records that have another id in the second dump, and tell of the same: after a replay, whose ids
follow from what was published, all of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import TypeVar

from ppr_assets.operations.diff.opened import OpenedDump
from ppr_assets.operations.diff.records import OtherIds, Row, TableDiff, row_values
from ppr_assets.rules.replay.merging.told_alike import equal_pairs, place_pairs, told_place
from ppr_assets.rules.replay.record import Location
from ppr_assets.rules.replay.words.addresses import Address
from ppr_assets.rules.replay.words.coordinates import point
from ppr_assets.rules.replay.words.names import normalized_name
from ppr_assets.rules.replay.words.texts import known

T = TypeVar("T")

_ADDRESS = ("address_1", "address_2", "city", "state_province", "postal_code")


class _Side:
    """What one of the dumps tells, by id."""

    def __init__(self, dump: OpenedDump) -> None:
        self._dump = dump

    def rows(self, table: str) -> Iterator[Row]:
        columns = self._dump.columns(table)
        return (row_values(columns, row) for row in self._dump.rows(table))

    def records(self, table: str) -> Mapping[str, Row]:
        return {id_: row for row in self.rows(table) if (id_ := row.get("id"))}

    def organizations(self) -> Mapping[str, str]:
        found = self.records("organization").items()
        return {id_: normalized_name(row.get("name") or "") for id_, row in found}

    def services(self) -> Mapping[str, str]:
        owners = self.organizations()
        named = {}
        for id_, row in self.records("service").items():
            name = normalized_name(row.get("name") or "")
            owner = owners.get(row.get("organization_id") or "", "")
            named[id_] = f"{owner}\n{name}" if owner and name else ""
        return named

    def locations(self) -> Mapping[str, tuple[str, Location]]:
        owners = self.organizations()
        addresses: defaultdict[str, list[Address]] = defaultdict(list)
        for row in self.rows("address"):
            told = {column: known(row.get(column) or "") for column in _ADDRESS}
            addresses[row.get("location_id") or ""].append(Address("", **told))
        return {
            id_: (
                owners.get(row.get("organization_id") or "", ""),
                Location(
                    "",
                    name=row.get("name"),
                    coordinates=point(row.get("latitude"), row.get("longitude")),
                    addresses=(*addresses[id_],),
                ),
            )
            for id_, row in self.records("location").items()
        }


def other_ids(
    one: OpenedDump, other: OpenedDump, tables: Collection[TableDiff]
) -> Iterator[OtherIds]:
    """Of each kind of record of which some were added and some removed."""
    before, after = _Side(one), _Side(other)
    for table in tables:
        if not (table.added and table.removed and table.key == ("id",)):
            continue
        if pairs := _PAIRS.get(table.table):
            by, count = pairs
            if found := count(before, after):
                yield OtherIds(table.table, found, table.removed, by)


def _organizations(before: _Side, after: _Side) -> int:
    return _equal(before.organizations(), after.organizations())


def _services(before: _Side, after: _Side) -> int:
    return _equal(before.services(), after.services())


def _locations(before: _Side, after: _Side) -> int:
    here, there = before.locations(), after.locations()
    return place_pairs(
        [told_place(id_, *told) for id_, told in _alone(here, there).items()],
        [told_place(id_, *told) for id_, told in _alone(there, here).items()],
    )


def _equal(here: Mapping[str, str], there: Mapping[str, str]) -> int:
    return equal_pairs(_alone(here, there).values(), _alone(there, here).values())


def _alone(here: Mapping[str, T], there: Mapping[str, T]) -> Mapping[str, T]:
    """Of the ids that only this side has."""
    return {id_: told for id_, told in here.items() if id_ not in there}


_PAIRS: Mapping[str, tuple[str, Callable[[_Side, _Side], int]]] = {
    "organization": ("by name", _organizations),
    "service": ("by organization and name", _services),
    "location": ("by place, and name or address", _locations),
}
