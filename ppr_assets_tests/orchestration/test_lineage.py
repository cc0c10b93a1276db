"""The lineage, word for word: what the UI shows and what auditors rely on."""

from __future__ import annotations

from datetime import timedelta

import dagster as dg
import pytest

from ppr_assets.definitions import build_defs
from ppr_assets.orchestration.tables import HSDS_TABLES
from ppr_assets.settings import Settings

VARIABLES = {"SQL_DUMP_CRON": "30 3 * * *", "SQL_DUMP_TIMEZONE": "America/New_York"}
TABLES = {
    "accessibility",
    "address",
    "attribute",
    "contact",
    "cost_option",
    "funding",
    "language",
    "location",
    "metadata",
    "organization",
    "organization_identifier",
    "phone",
    "program",
    "required_document",
    "schedule",
    "service",
    "service_area",
    "service_at_location",
    "taxonomy",
    "taxonomy_term",
    "url",
}
MADE = {"record_count", "sql_dump", "data_repo_commit"}
CHECKS = {
    "minimum_records",
    "ratchet",
    "complete",
    "gate_held",
    "latest_is_this_dump",
    "on_remote",
}


@pytest.fixture(scope="module")
def definitions() -> dg.Definitions:
    return build_defs(settings=Settings.from_environment(VARIABLES, dotenv=None))


@pytest.fixture(scope="module")
def graph(definitions: dg.Definitions) -> dg.AssetGraph:
    return definitions.resolve_asset_graph()


def _keys(graph: dg.AssetGraph) -> set[str]:
    return {key.to_user_string() for key in graph.get_all_asset_keys()}


def test_the_assets_are_tables_publication_count_dump_and_commit(graph: dg.AssetGraph) -> None:
    assert set(HSDS_TABLES) == TABLES
    assert _keys(graph) == TABLES | {"publication"} | MADE
    assert {key.to_user_string() for key in graph.materializable_asset_keys} == MADE


@pytest.mark.parametrize(
    ("asset", "deps", "group", "kinds"),
    [
        ("record_count", TABLES | {"publication"}, "backup", {"postgres"}),
        ("sql_dump", {"record_count"}, "backup", {"postgres", "sql"}),
        ("data_repo_commit", {"sql_dump"}, "data_repository", {"git"}),
        ("organization", set(), "hsds_tables", {"postgres"}),
        ("publication", set(), "data_repository", {"git"}),
    ],
)
def test_an_asset_has_its_place(
    graph: dg.AssetGraph, asset: str, deps: set[str], group: str, kinds: set[str]
) -> None:
    node = graph.get(dg.AssetKey(asset))
    assert {key.to_user_string() for key in node.parent_keys} == deps
    assert node.group_name == group
    assert node.kinds == kinds
    assert node.owners == ["team:pantry-pirate-radio"]
    assert node.description


def test_each_check_watches_its_asset_and_the_gate_is_blocking(graph: dg.AssetGraph) -> None:
    checks = {
        (key.asset_key.to_user_string(), key.name): graph.get_check_spec(key).blocking
        for key in graph.asset_check_keys
    }
    assert checks == {
        ("record_count", "minimum_records"): True,
        ("record_count", "ratchet"): True,
        ("sql_dump", "complete"): True,
        ("sql_dump", "gate_held"): True,
        ("data_repo_commit", "latest_is_this_dump"): False,
        ("data_repo_commit", "on_remote"): False,
    }


def test_the_commit_is_late_after_26_hours_and_missing_after_50(graph: dg.AssetGraph) -> None:
    policy = graph.get(dg.AssetKey("data_repo_commit")).freshness_policy
    assert isinstance(policy, dg.FreshnessPolicy)
    assert policy == dg.FreshnessPolicy.time_window(
        warn_window=timedelta(hours=26), fail_window=timedelta(hours=50)
    )


def test_the_job_runs_all_steps_with_all_checks_in_one_process(
    definitions: dg.Definitions,
) -> None:
    job = definitions.resolve_job_def("nightly_dump")
    assert {node.name for node in job.nodes} == MADE
    assert {key.name for key in job.asset_layer.asset_graph.asset_check_keys} == CHECKS
    assert job.executor_def is dg.in_process_executor


def test_the_launchpad_takes_a_reason_and_nothing_else(definitions: dg.Definitions) -> None:
    job = definitions.resolve_job_def("nightly_dump")
    assert dg.validate_run_config(job, {}) is not None
    assert dg.validate_run_config(job, {"override": {"reason": "ticket 214"}}) is not None
    nonsenses: list[dict[str, object]] = [
        {"override": {"resaon": "x"}},
        {"resources": {}},
        {"password": "x"},
    ]
    for nonsense in nonsenses:
        with pytest.raises(dg.DagsterInvalidConfigError):
            dg.validate_run_config(job, nonsense)


def test_the_schedule_runs_at_two_utc_unless_told_otherwise(definitions: dg.Definitions) -> None:
    (chosen,) = definitions.get_repository_def().schedule_defs
    default = build_defs(settings=Settings.from_environment({}, dotenv=None))
    (schedule,) = default.get_repository_def().schedule_defs
    assert (schedule.name, schedule.job_name) == ("nightly", "nightly_dump")
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("0 2 * * *", "UTC")
    assert (chosen.cron_schedule, chosen.execution_timezone) == ("30 3 * * *", "America/New_York")
    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING


def test_the_sensor_is_running_and_looks_every_minute(definitions: dg.Definitions) -> None:
    (sensor,) = definitions.get_repository_def().sensor_defs
    assert (sensor.name, sensor.job_name) == ("after_publishing", "nightly_dump")
    assert sensor.default_status is dg.DefaultSensorStatus.RUNNING
    assert sensor.minimum_interval_seconds == 60


def test_a_part_can_be_replaced(definitions: dg.Definitions) -> None:
    bare = build_defs(settings=Settings.from_environment({}, dotenv=None), schedules=[], sensors=[])
    assert not bare.schedules and not bare.sensors
    assert _keys(bare.resolve_asset_graph()) == _keys(definitions.resolve_asset_graph())


def test_steps_share_the_database_and_the_repository_by_pools(graph: dg.AssetGraph) -> None:
    pools = {
        name: graph.get(dg.AssetKey(name)).pools
        for name in ("record_count", "sql_dump", "data_repo_commit")
    }
    assert pools == {
        "record_count": {"database"},
        "sql_dump": {"database"},
        "data_repo_commit": {"data_repo"},
    }
