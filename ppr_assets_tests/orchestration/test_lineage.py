"""The lineage, word for word: what the UI shows and what auditors rely on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import dagster as dg
import pytest

from ppr_assets.definitions import build_defs
from ppr_assets.errors import SettingsError
from ppr_assets.orchestration.assets.tables import HSDS_TABLES
from ppr_assets.orchestration.resources import OverrideResource
from ppr_assets.rules.gate import ratchet
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
NIGHTLY = {"record_count", "sql_dump", "data_repo_commit"}
MADE = NIGHTLY | {
    "off_site_copy",
    "published_copy",
    "restored_database",
    "drill",
    "replayed_database",
}
LOOKS = {"readable", "whole", "fresh", "copies_whole"}
CHECKS = {
    "minimum_records",
    "ratchet",
    "complete",
    "gate_held",
    "policy_held",
    "proven",
    "usual",
    "persons_as_reviewed",
    "latest_is_this_dump",
    "on_remote",
    "repo_size",
}


@pytest.fixture(scope="module")
def definitions() -> dg.Definitions:
    return build_defs(settings=Settings.from_environment(VARIABLES, dotenv=None))


@pytest.fixture(scope="module")
def graph(definitions: dg.Definitions) -> dg.AssetGraph:
    return definitions.resolve_asset_graph()


def _keys(graph: dg.AssetGraph) -> set[str]:
    return {key.to_user_string() for key in graph.get_all_asset_keys()}


def test_the_assets_are_tables_what_is_published_count_dump_commit_and_what_is_restored(
    graph: dg.AssetGraph,
) -> None:
    assert set(HSDS_TABLES) == TABLES
    assert _keys(graph) == TABLES | {"publication", "published_day"} | MADE
    assert {key.to_user_string() for key in graph.materializable_asset_keys} == MADE


@pytest.mark.parametrize(
    ("asset", "deps", "group", "kinds"),
    [
        ("record_count", TABLES | {"publication"}, "backup", {"postgres"}),
        ("sql_dump", {"record_count"}, "backup", {"postgres", "sql"}),
        ("data_repo_commit", {"sql_dump"}, "backup", {"git"}),
        ("off_site_copy", {"data_repo_commit"}, "backup", {"file"}),
        ("published_copy", {"data_repo_commit"}, "backup", {"git"}),
        ("restored_database", {"data_repo_commit"}, "restore", {"postgres"}),
        ("drill", {"data_repo_commit"}, "restore", {"postgres", "git"}),
        ("replayed_database", {"published_day"}, "restore", {"postgres"}),
        ("organization", set(), "hsds_tables", {"postgres"}),
        ("publication", set(), "backup", {"git"}),
        ("published_day", set(), "restore", {"git"}),
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
        ("record_count", "policy_held"): True,
        ("sql_dump", "complete"): True,
        ("sql_dump", "gate_held"): True,
        ("sql_dump", "policy_held"): True,
        ("sql_dump", "proven"): True,
        ("sql_dump", "usual"): False,
        ("sql_dump", "persons_as_reviewed"): False,
        ("data_repo_commit", "latest_is_this_dump"): False,
        ("data_repo_commit", "on_remote"): False,
        ("data_repo_commit", "repo_size"): False,
        ("off_site_copy", "copy_verified"): False,
        ("published_copy", "readable"): False,
        ("published_copy", "whole"): False,
        ("published_copy", "fresh"): False,
        ("published_copy", "copies_whole"): False,
        ("published_copy", "restores"): False,
        ("restored_database", "rows_match"): False,
        ("drill", "rows_match"): False,
        ("replayed_database", "accounted_for"): True,
        ("replayed_database", "gate_held"): False,
    }


@pytest.mark.parametrize(
    ("asset", "late", "missing"),
    [
        ("data_repo_commit", timedelta(hours=26), timedelta(hours=50)),
        ("drill", timedelta(days=33), timedelta(days=64)),
    ],
)
def test_a_commit_is_late_after_a_night_and_a_drill_after_a_month(
    graph: dg.AssetGraph, asset: str, late: timedelta, missing: timedelta
) -> None:
    policy = graph.get(dg.AssetKey(asset)).freshness_policy
    assert policy == dg.FreshnessPolicy.time_window(warn_window=late, fail_window=missing)


@pytest.mark.parametrize(
    ("name", "steps", "checks"),
    [
        ("nightly_dump", NIGHTLY, CHECKS),
        ("restore", {"restored_database"}, {"rows_match"}),
        ("restore_drill", {"drill"}, {"rows_match"}),
        ("replay", {"replayed_database"}, {"accounted_for", "gate_held"}),
        ("look", {"published_copy"}, LOOKS),
        ("restore_published", {"published_copy_restores"}, {"restores"}),
    ],
)
def test_a_job_runs_its_steps_with_all_their_checks_in_one_process(
    definitions: dg.Definitions, name: str, steps: set[str], checks: set[str]
) -> None:
    job = definitions.resolve_job_def(name)
    assert {node.name for node in job.nodes} == steps
    assert {key.name for key in job.asset_layer.asset_graph.asset_check_keys} == checks
    assert job.executor_def is dg.in_process_executor


def test_a_night_ends_with_the_copies_where_places_are_named_for_them() -> None:
    settings = Settings.from_environment({"PPR_COPY_URLS": "/srv/copies"}, dotenv=None)
    job = build_defs(settings=settings).resolve_job_def("nightly_dump")
    assert {node.name for node in job.nodes} == NIGHTLY | {"off_site_copy"}
    assert "copy_verified" in {key.name for key in job.asset_layer.asset_graph.asset_check_keys}


def test_a_reason_in_the_launchpad_needs_a_name() -> None:
    assert OverrideResource(reason=" ", by="Ann Lee").given is None
    assert OverrideResource(reason=" ticket 214", by=" Ann Lee ").given == ratchet.Override(
        "ticket 214", "Launchpad", "Ann Lee"
    )
    with pytest.raises(SettingsError) as caught:
        _ = OverrideResource(reason="ticket 214").given
    assert caught.value.render() == (
        "`override` has a reason and no name, must say who decides\n"
        "HINT: give your name as `by`: it stands beside the reason for whoever asks later."
    )


def test_the_launchpad_takes_a_reason_with_a_name_and_nothing_else(
    definitions: dg.Definitions,
) -> None:
    job = definitions.resolve_job_def("nightly_dump")
    assert dg.validate_run_config(job, {}) is not None
    assert (
        dg.validate_run_config(job, {"override": {"reason": "ticket 214", "by": "Ann Lee"}})
        is not None
    )
    nonsenses: list[dict[str, object]] = [
        {"override": {"resaon": "x"}},
        {"resources": {}},
        {"password": "x"},
    ]
    for nonsense in nonsenses:
        with pytest.raises(dg.DagsterInvalidConfigError):
            dg.validate_run_config(job, nonsense)


def test_the_launchpad_shows_what_a_restore_takes_and_defaults_that_hurt_nobody(
    definitions: dg.Definitions,
) -> None:
    job = definitions.resolve_job_def("restore")
    assert dg.validate_run_config(job, {})["ops"]["restored_database"]["config"] == {
        "dump": "",
        "target": "",
        "disconnect": False,
        "grants_from_former": False,
        "override": "",
        "accept_differences": "",
        "by": "",
        "deadline_seconds": 0.0,
    }
    shown: Any = job.config_mapping
    fields = shown.config_schema.config_type.fields["restore"].config_type.fields
    assert all(len(field.description) > 40 for field in fields.values())
    nonsenses: list[dict[str, object]] = [
        {"restore": {"into": "x"}},
        {"restore": {"disconnect": "yes"}},
        {"ops": {}},
    ]
    for nonsense in nonsenses:
        with pytest.raises(dg.DagsterInvalidConfigError):
            dg.validate_run_config(job, nonsense)


def test_days_are_replayed_in_one_run_with_defaults_that_hurt_nobody(
    definitions: dg.Definitions, graph: dg.AssetGraph
) -> None:
    node = graph.get(dg.AssetKey("replayed_database"))
    assert node.backfill_policy == dg.BackfillPolicy.single_run()
    assert node.partitions_def == graph.get(dg.AssetKey("published_day")).partitions_def
    job = definitions.resolve_job_def("replay")
    assert dg.validate_run_config(job, {})["ops"]["replayed_database"]["config"] == {
        "target": "",
        "replace": False,
        "schema_of": "",
        "scraper": "",
        "disconnect": False,
        "override": "",
        "by": "",
    }


@pytest.mark.parametrize(
    ("name", "job", "default", "chosen"),
    [
        ("monthly_drill", "restore_drill", "0 4 1 * *", "0 4 1 * *"),
        ("hourly_look", "look", "47 * * * *", "47 * * * *"),
        ("weekly_restore", "restore_published", "0 6 * * 0", "0 6 * * 0"),
        ("nightly", "nightly_dump", "0 2 * * *", "30 3 * * *"),
    ],
)
def test_a_schedule_runs_in_utc_unless_told_otherwise(
    definitions: dg.Definitions, name: str, job: str, default: str, chosen: str
) -> None:
    plain = build_defs(settings=Settings.from_environment({}, dotenv=None))
    for built, cron, timezone in (
        (plain, default, "UTC"),
        (definitions, chosen, "America/New_York"),
    ):
        schedule = built.get_repository_def().get_schedule_def(name)
        assert schedule.job_name == job
        assert (schedule.cron_schedule, schedule.execution_timezone) == (cron, timezone)
        assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING
    assert len(definitions.get_repository_def().schedule_defs) == 4


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
    pools = {name: graph.get(dg.AssetKey(name)).pools for name in MADE}
    assert pools == {
        "record_count": {"database"},
        "sql_dump": {"database"},
        "data_repo_commit": {"data_repo"},
        "off_site_copy": {"data_repo"},
        "published_copy": set(),
        "restored_database": {"database"},
        "drill": {"database"},
        "replayed_database": {"database"},
    }
