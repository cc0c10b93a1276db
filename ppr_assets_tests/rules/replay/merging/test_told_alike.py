"""Which records of two dumps are counted as one under another id."""

from __future__ import annotations

import pytest

from ppr_assets.rules.replay.merging.told_alike import equal_pairs, place_pairs, told_place
from ppr_assets.rules.replay.record import Location
from ppr_assets.rules.replay.telling import Named
from ppr_assets.rules.replay.words.addresses import Address

HERE, NEAR, FAR = (39.1, -84.5), (39.1001, -84.5001), (39.2, -84.5)


def place(
    id_: str,
    name: str = "Hope Hall",
    point: tuple[float, float] | None = HERE,
    street: str | None = None,
    organization: str = "Hope",
) -> Named:
    address = Address("", address_1=street, city="Oxford", state_province="OH", postal_code="45056")
    return told_place(
        id_, organization, Location("", name=name, coordinates=point, addresses=(address,))
    )


def test_each_record_is_in_one_pair_at_most_and_an_empty_name_in_none() -> None:
    assert equal_pairs(["a", "a", "", "b"], ["a", "", "c"]) == 1
    assert equal_pairs(["a", "a"], ["a", "a", "a"]) == 2


@pytest.mark.parametrize(
    ("other", "pairs"),
    [
        (place("x", point=NEAR), 1),
        (place("x", point=FAR), 0),
        (place("x", "Grace Hall"), 0),
        (place("x", "Grace Hall", street="12 Main Street"), 1),
        (place("x", "Grace Hall", None, "12 Main St"), 1),
        (place("x", "Grace Hall", None, "12 Main St", organization="Grace"), 0),
        (place("x", "Grace Hall", None, "14 Main St"), 0),
    ],
)
def test_a_place_is_told_by_its_point_and_a_name_or_address_or_by_address_and_organization(
    other: Named, pairs: int
) -> None:
    one = place("1", street="12 Main Street")
    assert place_pairs([one], [other]) == pairs
    assert place_pairs([other], [one]) == pairs
    assert place_pairs([one, place("2", street="12 Main Street")], [other]) == pairs


def test_a_point_that_many_share_tells_no_place_apart() -> None:
    stacked = [place(str(number), f"Hall {number}") for number in range(4)]
    assert place_pairs(stacked[:1], [place("x", "Hall 0")]) == 1
    assert (
        place_pairs(stacked, [place(f"x{one.told.job_id}", one.places[0].name) for one in stacked])
        == 0
    )
