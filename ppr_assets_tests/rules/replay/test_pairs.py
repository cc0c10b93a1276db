"""Four hundred pairs of real records, each labelled by a reader of both: the rules must fuse no
strangers, and should know most of what is one."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from ppr_assets.rules.replay.merging.merge import Everything, merge
from ppr_assets.rules.replay.merging.same import same_organization, same_place
from ppr_assets.rules.replay.record import Location, Organization, Phone
from ppr_assets.rules.replay.telling import Named, Telling, named
from ppr_assets.rules.replay.words.addresses import Address

LABELLED = json.loads(Path(__file__).with_name("pairs.json").read_text(encoding="utf-8"))
PRECISION, RECALL = 0.98, {"organization": 0.6, "location": 0.8}


def _named(record: dict[str, Any]) -> Named:
    locations = tuple(
        Location(
            "$",
            name=told.get("name"),
            coordinates=tuple(told["at"]) if "at" in told else None,
            addresses=(_address(*told["address"]),) if "address" in told else (),
        )
        for told in record.get("locations", ())
    )
    organization = Organization(
        "$",
        record["name"],
        website=record.get("website"),
        locations=locations,
        phones=tuple(Phone("$", number) for number in record.get("phones", ())),
    )
    return named(organization, Telling(record["told"][0][:10], *record["told"]))


def _address(first: str, second: str, city: str, state: str, postal_code: str) -> Address:
    return Address("$", None, first, second, city, None, state, postal_code)


@pytest.fixture(scope="module")
def records() -> list[Named]:
    return [_named(record) for record in LABELLED["records"]]


@pytest.fixture(scope="module")
def everything(records: list[Named]) -> Everything:
    return merge(records)


def _judged(records: list[Named], everything: Everything, pair: list[Any]) -> tuple[bool, bool]:
    """What merging all of them says of the pair, and what the rule for two says."""
    kind, one, other = pair[:3]
    organizations = everything.organizations.records
    if kind == "organization":
        first, second = records[one], records[other]
        whole = organizations[first.id] == organizations[second.id]
        return whole, bool(same_organization(first, second, everything.common))
    here, there = (records[at].places[place] for at, place in (one, other))
    one_owner = organizations[here.organization] == organizations[there.organization]
    locations = everything.locations.records
    alone = same_place(here, there, one_owner, everything.common)
    return locations[here.id] == locations[there.id], bool(alone)


@pytest.mark.parametrize("kind", ["organization", "location"])
def test_the_rules_fuse_no_strangers_and_know_most_of_what_is_one(
    kind: str, records: list[Named], everything: Everything
) -> None:
    pairs = [pair for pair in LABELLED["pairs"] if pair[0] == kind]
    seen = Counter((pair[3], _judged(records, everything, pair)[0]) for pair in pairs)
    right, wrong, missed = seen[True, True], seen[False, True], seen[True, False]
    assert right / (right + wrong) >= PRECISION, seen
    assert right / (right + missed) >= RECALL[kind], seen


def test_merging_all_says_of_each_pair_what_the_rule_for_two_says(
    records: list[Named], everything: Everything
) -> None:
    assert len(LABELLED["pairs"]) == 400
    for pair in LABELLED["pairs"]:
        whole, alone = _judged(records, everything, pair)
        assert whole == alone, pair
