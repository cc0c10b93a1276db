"""The asset ``published_copy``, its checks and its job, as the UI shows them; and who is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from ppr_assets.definitions import build_defs
from ppr_assets.orchestration.automation.alerts import alerts
from ppr_assets.orchestration.automation.jobs import LOOKS_KEPT, forget_old_looks
from ppr_assets.rules.naming import dump_name
from ppr_assets_tests.fix_outside import Outside
from ppr_assets_tests.fix_runs import checks_of, failure_of

pytestmark = pytest.mark.slow

READABLE, OTHERS = {"readable"}, {"whole", "fresh", "copies_whole"}


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def run(world: Outside, instance: dg.DagsterInstance, job: str) -> dg.ExecuteInProcessResult:
    definitions = build_defs(settings=world.settings)
    return definitions.resolve_job_def(job).execute_in_process(
        instance=instance, raise_on_error=False
    )


def tick(world: Outside, instance: dg.DagsterInstance, cursor: str | None) -> str | None:
    """The sensor, which looks at all runs; its cursor."""
    with dg.build_sensor_context(
        instance=instance, cursor=cursor, resources={"settings": world.settings}
    ) as context:
        return alerts.evaluate_tick(context).cursor


def test_a_look_is_materialized_with_its_checks_and_fails_where_others_get_less(
    outside: Outside, instance: dg.DagsterInstance
) -> None:
    outside.now = datetime.now(UTC)
    outside.night()
    cursor = tick(outside, instance, None)
    look = run(outside, instance, "look")
    assert look.success and checks_of(look) == dict.fromkeys(READABLE | OTHERS, True)
    (made,) = look.asset_materializations_for_node("published_copy")
    assert made.metadata["dump"].value == dump_name(outside.now)
    assert made.metadata["branch"].value == f"{outside.remote.url}/remote.git#main"
    assert 0 <= float(str(made.metadata["age_hours"].value)) < 1

    outside.remote.public = False
    look = run(outside, instance, "look")
    assert not look.success and checks_of(look) == {"readable": False, "copies_whole": True}
    assert failure_of(look)["error"] == "NotAsPublished"
    assert not look.asset_materializations_for_node("published_copy")
    assert outside.said == ["begun published copy: unreadable"]
    told = outside.sink.alerts[0]
    assert told["link"] == f"https://dagster.example.org/runs/{look.run_id}"

    cursor = tick(outside, instance, cursor)
    outside.remote.public = True
    assert run(outside, instance, "look").success
    tick(outside, instance, cursor)
    assert outside.said == [f"{word} published copy: unreadable" for word in ("begun", "over")]


def test_what_others_get_is_restored(outside: Outside, instance: dg.DagsterInstance) -> None:
    """On an embedded server, whose database is dropped with it."""
    dump = replace(outside.settings.dump, proof="embedded")
    outside.settings = replace(outside.settings, dump=dump)
    restore = run(outside, instance, "restore_published")
    assert restore.success and checks_of(restore) == {"restores": True}
    (check,) = restore.get_asset_check_evaluations()
    assert check.asset_key == dg.AssetKey("published_copy")
    assert check.metadata["rows"].value == outside.organizations
    assert outside.said == []


def test_old_looks_that_found_all_well_are_let_go_and_nothing_else(
    outside: Outside, instance: dg.DagsterInstance
) -> None:
    outside.now = datetime.now(UTC)
    outside.night()
    well = run(outside, instance, "look")
    outside.remote.public = False
    found = run(outside, instance, "look")
    other = run(outside, instance, "restore_published")
    assert [well.success, found.success] == [True, False]

    def kept(days: float) -> set[str]:
        forget_old_looks(instance, datetime.now(UTC) + timedelta(days=days))
        return {one.run_id for one in instance.get_runs()}

    runs = {one.run_id for one in (well, found, other)}
    assert kept(LOOKS_KEPT.days - 1) == runs
    assert kept(LOOKS_KEPT.days + 1) == runs - {well.run_id}


def test_the_schedule_asks_for_one_look(outside: Outside) -> None:
    schedule = (
        build_defs(settings=outside.settings).get_repository_def().get_schedule_def("hourly_look")
    )
    with dg.instance_for_test() as stored:
        asked = schedule.evaluate_tick(dg.build_schedule_context(stored)).run_requests
    assert asked is not None and [one.run_key for one in asked] == [None]
