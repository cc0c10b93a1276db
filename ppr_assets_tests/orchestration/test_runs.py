"""Whole runs on a real database and a real remote: what Dagster records, and what it holds back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest

from ppr_assets.definitions import build_defs
from ppr_assets.orchestration.assets.tables import HSDS_TABLES
from ppr_assets.orchestration.automation.nightly import PIPELINE
from ppr_assets.rules.naming import is_dump_name
from ppr_assets.settings import Settings
from ppr_assets_tests.fix_git import git
from ppr_assets_tests.fix_pipeline import ANN, Pipeline
from ppr_assets_tests.fix_runs import Runs, checks_of, failure_of, steps_of
from ppr_assets_tests.places import ROOT

ALL_CHECKS = {
    "minimum_records",
    "persons_as_reviewed",
    "policy_held",
    "ratchet",
    "complete",
    "gate_held",
    "proven",
    "latest_is_this_dump",
    "on_remote",
    "repo_size",
    "usual",
}
REASON = "county left the program, ticket 214"


@pytest.mark.usefixtures("proofs")
def test_a_night_materializes_everything_and_passes_all_checks(runs: Runs) -> None:
    pipeline = runs.pipeline
    run = runs.nightly()
    assert run.success
    assert steps_of(run) == ["record_count", "sql_dump", "data_repo_commit"]
    assert checks_of(run) == dict.fromkeys(ALL_CHECKS, True)

    organizations = pipeline.count("organization")
    counted = runs.metadata("record_count")
    assert counted["dagster/row_count"] == counted["rows/organization"] == organizations
    assert counted["rows/location"] == pipeline.count("location")
    assert counted["verdict"] == "accepted"
    for table in HSDS_TABLES:
        assert runs.row_counts(table) == [pipeline.count(table)]

    dumped = runs.metadata("sql_dump")
    content = git(pipeline.clone, "cat-file", "-s", f"main:sql_dumps/{dumped['dump']}")
    assert dumped["bytes"] == int(content)
    assert dumped["status"] == "staged"
    assert dumped["seconds"] > 0
    assert dumped["dumped_by_run"] == run.run_id
    tables = runs.materialized("sql_dump").metadata["tables"]
    assert isinstance(tables, dg.TableMetadataValue)
    rows = {row.data["table"]: row.data["rows"] for row in tables.records}
    assert rows["service"] == counted["rows/service"] == pipeline.count("service")
    assert runs.data_version("sql_dump") == dumped["sha256"]

    commit = runs.metadata("data_repo_commit")
    assert commit["commit"] == pipeline.head() == pipeline.remote_head()
    assert runs.data_version("data_repo_commit") == pipeline.head()
    profile = runs.materialized("sql_dump").metadata["profile"]
    assert isinstance(profile, dg.TableMetadataValue)
    columns = [row.data for row in profile.records]
    filled = {(one["table"], one["column"]): one["filled"] for one in columns}
    assert filled["organization", "name"] == runs.pipeline.count("organization")
    assert 0 < dumped["on_one_point_percent/location"] < 25
    assert commit["status"] == "published"
    assert commit["pushed"] is True
    assert commit["push_bytes"] > 1000
    assert commit["push_seconds"] > 0
    assert f"Run: {run.run_id}" in git(pipeline.clone, "log", "-1", "--format=%B", "main")


def test_headroom_is_plotted_once_and_an_unchanged_night_keeps_its_versions(
    runs: Runs,
) -> None:
    runs.nightly()
    versions = runs.data_version("sql_dump"), runs.data_version("data_repo_commit")
    published = runs.metadata("sql_dump")["dump"]
    before = runs.pipeline.picture()
    first = runs.metadata("record_count")
    assert runs.nightly().success

    counted = runs.metadata("record_count")
    organizations = runs.pipeline.count("organization")
    assert counted["mark"] == organizations
    assert "mark" not in first
    assert 8 < counted["headroom_percent"] == first["headroom_percent"] <= 10
    assert counted["floor"] == "100"
    for asset in ("sql_dump", "data_repo_commit"):
        assert not [name for name in runs.metadata(asset) if name.startswith(("headroom", "rows/"))]

    assert (runs.data_version("sql_dump"), runs.data_version("data_repo_commit")) == versions
    assert runs.metadata("sql_dump")["status"] == "unchanged"
    assert runs.metadata("sql_dump")["dump"] == published
    assert runs.metadata("data_repo_commit")["status"] == "unchanged"
    assert runs.pipeline.picture() == before


def test_changed_data_have_other_versions(runs: Runs) -> None:
    runs.nightly()
    versions = runs.data_version("sql_dump"), runs.data_version("data_repo_commit")
    previous = runs.metadata("sql_dump")["dump"]
    runs.pipeline.change()
    assert runs.nightly().success
    now = runs.data_version("sql_dump"), runs.data_version("data_repo_commit")
    assert now[0] != versions[0]
    assert now[1] != versions[1]
    assert runs.metadata("sql_dump")["previous"] == previous


@pytest.mark.usefixtures("proofs")
def test_what_is_unusual_is_told_line_by_line_and_what_is_hollow_with_a_way_out(runs: Runs) -> None:
    runs.pipeline.first_night()
    phones = runs.pipeline.count("phone")
    runs.pipeline.execute("DELETE FROM phone")
    runs.pipeline.execute("ALTER TABLE phone ADD CONSTRAINT dialled CHECK (number <> '')")
    run = runs.nightly()
    assert run.success
    said = [
        "constraint dialled of phone is new",
        f"phone: 0 rows, {phones} for 1 night",
        "language.phone_id: 100 % empty, 77 % for 1 night",
    ]
    assert checks_of(run) == dict.fromkeys(ALL_CHECKS, True) | {"usual": False}
    assert _described(run, "usual") == "\n".join(said)
    logged = [entry.user_message for entry in runs.instance.all_logs(run.run_id)]
    assert [line for line in logged if line.startswith("unusual: ")] == [
        f"unusual: {line}" for line in said
    ]
    assert runs.metadata("sql_dump")["movements"].splitlines()[0] == said[1]

    runs.pipeline.execute("UPDATE location SET latitude = 39.8, longitude = -98.6")
    run = runs.nightly()
    logged = [entry.user_message for entry in runs.instance.all_logs(run.run_id)]
    assert any(line.startswith("unusual: location: 100 % of places") for line in logged)
    refused = _described(run, "gate_held")
    assert "(SQL_DUMP_MAX_POINT_SHARE)\nHINT: " in refused
    assert "or a reason and your name in the Launchpad" in refused


def _described(run: dg.ExecuteInProcessResult, check: str) -> str:
    found = [one for one in run.get_asset_check_evaluations() if one.check_name == check]
    return found[0].description or ""


def test_a_refused_night_ends_at_the_count_and_moves_nothing(runs: Runs) -> None:
    runs.nightly()
    mark = runs.pipeline.count("organization")
    have = runs.pipeline.lose_a_third()
    before = runs.pipeline.picture()
    run = runs.nightly()
    assert not run.success
    assert steps_of(run) == ["record_count"]
    failed = failure_of(run)
    assert failed["step"] == "record_count"
    assert failed["text"].startswith(
        f"record-count ratchet refused the dump: organization has {have} records, at least "
        f"{-(-mark * 9 // 10)} needed (90% of mark {mark})"
    )
    assert "\nHINT: did the last scraper run finish?" in failed["text"]
    assert (failed["error"], failed["exit_code"]) == ("GateRefused", 3)
    assert checks_of(run) == {"minimum_records": True, "ratchet": False, "policy_held": True}
    assert runs.metadata("record_count")["verdict"] == "refused"
    assert runs.row_counts("organization") == [have, mark]
    assert runs.pipeline.picture() == before

    states = runs.check_states()
    assert len(states) == 12
    assert {name: state for name, state in states.items() if state != "SKIPPED"} == {
        "record_count.minimum_records": "SUCCEEDED",
        "record_count.policy_held": "SUCCEEDED",
        "record_count.ratchet": "FAILED",
    }

    key = dg.AssetCheckKey(dg.AssetKey("record_count"), "ratchet")
    stored = runs.instance.event_log_storage.get_latest_asset_check_execution_by_key([key])[key]
    assert stored.event is not None and stored.event.dagster_event is not None
    evaluation = stored.event.dagster_event.asset_check_evaluation_data
    assert (evaluation.passed, evaluation.blocking) == (False, True)
    assert evaluation.severity is dg.AssetCheckSeverity.ERROR
    gate = evaluation.metadata["gate"]
    assert isinstance(gate, dg.TableMetadataValue)
    rows = {row.data["table"]: row.data for row in gate.records}
    assert rows["organization"]["headroom"] == have - -(-mark * 9 // 10)


def test_a_count_below_the_floor_fails_the_other_check(runs: Runs) -> None:
    runs.pipeline.gate(min_records=1000)
    before = runs.pipeline.picture()
    run = runs.nightly()
    assert checks_of(run) == {"minimum_records": False, "ratchet": True, "policy_held": True}
    assert failure_of(run)["exit_code"] == 3
    assert runs.pipeline.picture() == before


@pytest.mark.usefixtures("strict_policy")
def test_what_is_withheld_and_what_nobody_decided_on_is_told_whole(runs: Runs) -> None:
    pipeline = runs.pipeline
    pipeline.execute("CREATE TABLE visits (who text); CREATE TABLE uploads (who text)")
    refused = runs.nightly()
    checks = {check.check_name: check for check in refused.get_asset_check_evaluations()}
    undecided = checks["policy_held"].metadata["undecided"]
    assert isinstance(undecided, dg.TableMetadataValue)
    assert [row.data["name"] for row in undecided.records] == ["uploads", "visits"]
    command = "ppr-assets policy add visits structure --reason …"
    assert undecided.records[1].data == {"name": "visits", "command": command, "or": "public"}
    assert f"\nunknown: visits: `{command}` (or public)\n" in _log(runs, refused)
    assert failure_of(refused)["exit_code"] == 8

    pipeline.execute("DROP TABLE visits, uploads")
    night = runs.nightly()
    assert night.success
    metadata = f"metadata.updated_by replaced in {pipeline.count('metadata')} rows"
    assert f"\n{metadata}\n" in _log(runs, night)
    pipeline.change()
    assert metadata not in _log(runs, runs.nightly())


def _log(runs: Runs, run: dg.ExecuteInProcessResult) -> str:
    return "".join(f"{one.message}\n" for one in runs.instance.all_logs(run.run_id))


@pytest.mark.parametrize("asset", ["record_count", "sql_dump", "data_repo_commit"])
def test_an_asset_cannot_be_selected_without_its_checks(asset: str) -> None:
    job = build_defs(settings=Settings.from_environment({}, dotenv=None)).resolve_job_def(
        "nightly_dump"
    )
    with pytest.raises(dg.DagsterInvalidSubsetError):
        job.get_subset(asset_selection={dg.AssetKey(asset)}, asset_check_selection=set())


@pytest.mark.parametrize("asset", ["sql_dump", "data_repo_commit"])
def test_the_gate_holds_when_only_one_asset_is_materialized(runs: Runs, asset: str) -> None:
    """Records vanish before the dump; or the floor rises when a dump is staged already."""
    runs.pipeline.first_night()
    if asset == "sql_dump":
        runs.pipeline.lose_a_third()
    else:
        runs.pipeline.change()
        assert runs.nightly("sql_dump").success
        runs.pipeline.gate(min_records=100_000)
    before = runs.pipeline.picture()
    run = runs.nightly(asset)
    assert not run.success
    assert steps_of(run) == [asset]
    assert failure_of(run)["exit_code"] == 3
    assert runs.pipeline.picture() == before


@pytest.mark.usefixtures("proofs")
def test_dump_and_commit_can_be_materialized_one_by_one(runs: Runs) -> None:
    dumped = runs.nightly("sql_dump")
    assert dumped.success
    assert checks_of(dumped) == dict.fromkeys(
        ["complete", "gate_held", "policy_held", "proven", "usual", "persons_as_reviewed"], True
    )
    published = runs.nightly("data_repo_commit")
    assert checks_of(published) == {
        "latest_is_this_dump": True,
        "on_remote": True,
        "repo_size": True,
    }
    assert runs.metadata("data_repo_commit")["dump"] == runs.metadata("sql_dump")["dump"]
    assert runs.pipeline.latest() == runs.metadata("sql_dump")["dump"]


@pytest.mark.usefixtures("proofs")
def test_an_override_is_recorded_everywhere_and_counts_for_one_run(runs: Runs) -> None:
    runs.pipeline.first_night()
    mark = runs.pipeline.mark()
    runs.pipeline.lose_a_third()
    run = runs.nightly(reason=REASON)
    assert run.success
    assert checks_of(run) == dict.fromkeys(ALL_CHECKS, True)
    for asset in ("record_count", "sql_dump", "data_repo_commit"):
        assert runs.metadata(asset)["override"] == REASON
        assert "organization has" in runs.metadata(asset)["refusal"]
    stored = runs.instance.get_run_by_id(run.run_id)
    assert stored is not None
    assert stored.tags["ppr_assets/override"] == f"Launchpad: {REASON}"
    assert stored.tags["ppr_assets/override_by"] == ANN
    message = git(runs.pipeline.clone, "log", "-1", "--format=%B", "main")
    assert f"Override: Launchpad: {REASON}\nOverride-By: {ANN}\n" in message
    manifest = runs.pipeline.latest().replace(".sql", ".json")
    assert REASON in git(runs.pipeline.clone, "show", f"main:sql_dumps/{manifest}")
    assert runs.pipeline.mark() == mark

    again = runs.nightly()
    assert failure_of(again)["exit_code"] == 3


def test_a_reason_is_not_recorded_where_the_gate_was_open(runs: Runs) -> None:
    run = runs.nightly(reason=REASON)
    assert run.success
    stored = runs.instance.get_run_by_id(run.run_id)
    assert stored is not None
    assert "ppr_assets/override" not in stored.tags
    assert "override" not in runs.metadata("data_repo_commit")
    assert "Override:" not in git(runs.pipeline.clone, "log", "-1", "--format=%B", "main")


@pytest.mark.usefixtures("proofs")
def test_a_refused_push_keeps_the_commit_and_fails_the_run(runs: Runs) -> None:
    hook = runs.pipeline.remote / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho 'no dumps on Sundays' >&2\nexit 1\n")
    hook.chmod(0o755)
    run = runs.nightly()
    assert not run.success
    assert checks_of(run) == dict.fromkeys(ALL_CHECKS, True) | {"on_remote": False}
    commit = dg.AssetKey("data_repo_commit")
    assert runs.instance.get_latest_materialization_event(commit) is None  # not fresh
    (kept,) = runs.instance.fetch_observations(commit, limit=2).records
    observation = kept.asset_observation
    assert observation is not None
    assert observation.metadata["commit"].value == runs.pipeline.head()
    assert observation.metadata["pushed"].value is False
    failed = failure_of(run)
    assert (failed["step"], failed["exit_code"]) == ("data_repo_commit", 6)
    assert "no dumps on Sundays" in failed["text"]

    hook.unlink()
    head = runs.pipeline.head()
    assert runs.nightly().success
    assert runs.pipeline.remote_head() == head == runs.metadata("data_repo_commit")["commit"]
    assert runs.metadata("data_repo_commit")["pushed"] is True


def test_without_pushing_on_remote_is_a_warning_and_the_night_succeeds(runs: Runs) -> None:
    runs.pipeline.repo(push_enabled=False)
    run = runs.nightly()
    assert run.success
    (on_remote,) = [c for c in run.get_asset_check_evaluations() if c.check_name == "on_remote"]
    assert (on_remote.passed, on_remote.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "PUBLISHER_PUSH_ENABLED is false" in str(on_remote.description)
    assert "push_bytes" not in runs.metadata("data_repo_commit")


def test_a_refusal_is_not_retried_though_accidents_would_be(runs: Runs) -> None:
    runs.pipeline.gate(min_records=1000)
    insistent = dg.define_asset_job(
        "insistent",
        selection=dg.AssetSelection.assets(*PIPELINE),
        executor_def=dg.in_process_executor,
        op_retry_policy=dg.RetryPolicy(max_retries=2),
    )
    run = runs.nightly(job=insistent)
    assert failure_of(run)["exit_code"] == 3
    assert steps_of(run) == ["record_count"]
    assert not [event for event in run.all_events if event.is_step_up_for_retry]


def test_a_server_that_is_down_fails_the_run_with_its_exit_code(runs: Runs) -> None:
    settings = runs.pipeline.settings
    runs.pipeline.settings = replace(settings, database=replace(settings.database, port=1))
    failed = failure_of(runs.nightly())
    assert (failed["step"], failed["exit_code"]) == ("record_count", 5)
    assert "no session with" in failed["text"]


def in_processes_of_their_own() -> dg.JobDefinition:
    """A job of somebody who likes Dagster's usual executor; settings come from the environment.

    What starts the processes imports everything once, and not each of them for itself.
    """
    alike = {"forkserver": {"preload_modules": [__name__]}}
    job = dg.define_asset_job(
        "in_processes_of_their_own",
        selection=dg.AssetSelection.assets(*PIPELINE),
        executor_def=dg.multiprocess_executor.configured({"start_method": alike}),
    )
    return build_defs(jobs=[job], schedules=[], sensors=[]).resolve_job_def(job.name)


def test_somebody_may_choose_a_process_for_each_step(
    pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in pipeline.variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(ROOT)
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        job = dg.reconstructable(in_processes_of_their_own)
        with dg.execute_job(job, instance=instance) as run:
            assert run.success
    assert pipeline.remote_head() == pipeline.head()
    assert is_dump_name(pipeline.latest())
