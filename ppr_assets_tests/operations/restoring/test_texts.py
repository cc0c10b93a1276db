"""What is said of a restored database that is another than its dump says, word by word."""

from __future__ import annotations

import pytest

from ppr_assets.errors import DumpUnproven
from ppr_assets.operations.restoring.load_and_compare import WAY, OnDifferences
from ppr_assets.rules.gate.difference import Difference

NAME = "pantry_pirate_radio_2026-11-22_02-00-00.sql"
MISSING = Difference("table t is missing")
ANOTHER = Difference("view v differs from the dump", acceptable=True)


@pytest.mark.parametrize(
    ("differences", "told"),
    [
        pytest.param(
            [ANOTHER, MISSING],
            "table t is missing; view v differs from the dump\nHINT: Nothing was replaced.",
            id="also-what-nobody-may-accept",
        ),
        pytest.param(
            [ANOTHER] * 7,
            f"{'view v differs from the dump; ' * 4}view v differs from the dump "
            f"and 2 more differences\nHINT: Nothing was replaced. {WAY}",
            id="definitions-alone",
        ),
    ],
)
def test_what_differs_is_told_with_the_way_out(differences: list[Difference], told: str) -> None:
    with pytest.raises(DumpUnproven) as error:
        OnDifferences("Nothing was replaced.", way=WAY).of(differences, NAME)
    assert error.value.render() == f"the restored database is not what `{NAME}` says: {told}"
