"""What a reader has to know of a dump, told by manifest and commit in the same words."""

from __future__ import annotations

from datetime import UTC, datetime

from ppr_assets.rules.recorded.parts import Proof
from ppr_assets.rules.recorded.trust import Trust

NOW = datetime(2026, 11, 28, 2, tzinfo=UTC)
WHOLE = Proof("embedded", NOW, "18.6", 1.5)


def test_a_proven_dump_that_passed_the_gate_has_no_remark() -> None:
    trust = Trust(str(WHOLE), None)
    assert (trust.proven, trust.remarks()) == (True, [])


def test_a_dump_that_was_proven_but_for_some_objects_names_them() -> None:
    partly = Proof("embedded", NOW, "18.6", 1.5, ("EXTENSION postgis", "PUBLICATION all"))
    trust = Trust(str(partly), None)
    assert trust.remarks() == ["proven but for EXTENSION postgis, PUBLICATION all"]
    assert trust.to_json()["proven"] is False


def test_unproven_and_overridden_are_both_told() -> None:
    trust = Trust(str(Proof("off", NOW)), "a closed county")
    assert trust.remarks() == [
        "unproven: published without a restore",
        "overridden: a closed county",
    ]
    theirs = Trust.told("off", "Launchpad: a closed county: Kent", "Ann Lee")
    assert theirs.remarks()[1] == "overridden by Ann Lee (Launchpad): a closed county: Kent"
    assert theirs.to_json()["override_source"] == "Launchpad"
    assert Trust.told("", "", "").to_json()["override_source"] is None
    assert Trust.of(None).remarks() == ["unproven: nothing tells of a restore"]
