"""The asset ``off_site_copy`` and its check, as the UI shows them."""

from __future__ import annotations

import dagster as dg

from ppr_assets.orchestration.assets.off_site_copy import off_site_copy
from ppr_assets.orchestration.resources import resources
from ppr_assets.rules.naming import copy_name
from ppr_assets_tests.fix_copies import CopyWorld, dump_of
from ppr_assets_tests.fix_runs import checks_of, failure_of


def materialized(world: CopyWorld) -> dg.ExecuteInProcessResult:
    return dg.materialize(
        [off_site_copy], resources=resources(world.settings), raise_on_error=False
    )


def test_a_copy_is_materialized_with_its_check_and_fails_where_one_is_missing_or_differs(
    copy_world: CopyWorld,
) -> None:
    run = materialized(copy_world)
    assert run.success and checks_of(run) == {"copy_verified": True}
    (made,) = run.asset_materializations_for_node("off_site_copy")
    assert made.metadata["copied"].value == 2
    assert made.metadata["places"].value.records[0].data == {  # type: ignore[union-attr]
        "place": str(copy_world.folder),
        "verified": True,
        "newest": dump_of(2),
        "kept": 2,
        "copied": 2,
        "read_back": 2,
        "retired": 0,
    }

    (copy_world.folder / copy_name(dump_of(1))).unlink()
    (copy_world.folder / copy_name(dump_of(2))).write_bytes(b"another")
    run = materialized(copy_world)
    assert not run.success and checks_of(run) == {"copy_verified": False}
    (check,) = run.get_asset_check_evaluations()
    assert "its copy is missing" in str(check.description)
    assert copy_name(dump_of(2)) in str(check.description)
    failure = failure_of(run)
    assert (failure["error"], failure["exit_code"]) == ("CopyFailed", 1)
    assert not run.asset_materializations_for_node("off_site_copy")


def test_without_a_place_for_copies_it_says_so(copy_world: CopyWorld) -> None:
    copy_world.name(" ")
    failure = failure_of(materialized(copy_world))
    assert failure["message"] == "PPR_COPY_URLS is not set, must name at least one place for copies"
