"""The sensor ``alerts`` over runs that Dagster keeps: each kind begins once and is over once."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections import namedtuple
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit
from uuid import uuid4

import dagster as dg
import pytest
from msgspec.structs import asdict, replace

from ppr_assets.alerts.reporting import report
from ppr_assets.alerts.state import read_state, state_file
from ppr_assets.data_repo.clone.clone import open_data_repo
from ppr_assets.data_repo.remote.remote import fetch
from ppr_assets.definitions import build_defs
from ppr_assets.errors import (
    Busy,
    CopyFailed,
    DatabaseUnreachable,
    DumpUnproven,
    GateRefused,
    PushFailed,
)
from ppr_assets.operations.condition import Look, condition
from ppr_assets.operations.last_night import last_night, noted
from ppr_assets.operations.night import Night
from ppr_assets.operations.status import status
from ppr_assets.orchestration.automation import alerts as automation
from ppr_assets.orchestration.resources import OVERRIDE_BY_TAG, OVERRIDE_TAG
from ppr_assets.rules.incidents import succeeded
from ppr_assets.settings import Settings
from ppr_assets_tests.fix_git import commit_files, git
from ppr_assets_tests.fix_sinks import told_to
from ppr_assets_tests.fix_watch import JOB, Watch

pytestmark = pytest.mark.slow


def test_a_run_that_fails_is_told_of_once_and_so_is_its_end(watch: Watch) -> None:
    refused = GateRefused("812 records, 1134 needed", hint="did the scraper run finish?")
    run_id = watch.run(refused)
    assert watch.tick() == [f"begun gate refused: {JOB}"]
    (told,) = watch.sink.alerts
    assert told["error"] == refused.render()
    assert told["link"] == f"https://dagster.example.org/runs/{run_id}"
    watch.run(refused)
    assert watch.tick() == []
    watch.run()
    assert watch.tick() == [f"over gate refused: {JOB}"]


def test_a_drill_that_fails_is_of_a_kind_of_its_own(watch: Watch) -> None:
    watch.run(DumpUnproven("it differs"), job="restore_drill")
    watch.run(job=JOB)
    assert watch.tick() == ["begun drill failed: restore_drill"]
    watch.run(job="restore_drill")
    assert watch.tick() == ["over drill failed: restore_drill"]


def test_a_night_that_could_not_be_copied_is_a_good_one_and_the_copy_is_told_of(
    watch: Watch,
) -> None:
    watch.run(DatabaseUnreachable("gone"))
    assert watch.tick() == [f"begun run failed: {JOB}"]
    watch.run(CopyFailed("published, but not copied"))
    assert watch.tick() == [f"over run failed: {JOB}", f"begun copy failed: {JOB}"]
    watch.run(DatabaseUnreachable("gone"))
    assert watch.tick() == [f"begun run failed: {JOB}"]
    watch.run()
    assert watch.tick() == [f"over run failed: {JOB}", f"over copy failed: {JOB}"]


def test_an_error_that_nobody_expected_is_told_in_its_words(watch: Watch) -> None:
    watch.run(ValueError("a strange thing"))
    assert watch.tick() == [f"begun run failed: {JOB}"]
    assert "a strange thing" in watch.sink.alerts[0]["error"]


def test_a_run_that_died_is_told_of(watch: Watch) -> None:
    """As Dagster's own monitoring ends it, when its process is gone."""
    run = watch.instance.create_run_for_job(_nothing, run_id=None)
    watch.instance.report_run_failed(run, "the process of the run is gone")
    assert watch.tick() == ["begun run failed: nothing"]
    assert watch.sink.alerts[0]["error"].startswith("the process of the run is gone")


def test_a_night_that_was_killed_is_over_for_dagster_as_well(watch: Watch) -> None:
    """It would have the run go on, and keep the next one waiting for its pools."""
    run_id, settings = str(uuid4()), watch.settings.data_repo
    watch.instance.create_run_for_job(_nothing, run_id=run_id, status=dg.DagsterRunStatus.STARTED)
    with noted(settings, Night(run_id)):
        assert watch.tick() == []
        begun = last_night(settings)
    file = state_file(settings).with_name("last_night.json")
    assert begun is not None
    elsewhere = replace(begun, machine="another-host and-its-boot")
    file.write_text(json.dumps(asdict(elsewhere), default=str))
    assert watch.tick() == [f"begun run failed: {JOB}"]
    run = watch.instance.get_run_by_id(run_id)  # whose lock may not reach here
    assert run is not None and not run.is_finished
    file.write_text(json.dumps(asdict(begun), default=str))
    watch.tick()
    run = watch.instance.get_run_by_id(run_id)
    assert run is not None and run.is_failure
    assert watch.tick() == []


@dg.job(name="nothing")
def _nothing() -> None:
    """Has no work."""


def test_a_run_that_found_another_at_work_or_is_tried_again_is_no_news(watch: Watch) -> None:
    watch.run(Busy("busy: another run holds the data repository"))
    watch.run(DatabaseUnreachable("gone"), tags={"dagster/will_retry": "true"})
    assert watch.tick() == []


def test_an_override_is_told_of_until_the_gate_is_passed_without(watch: Watch) -> None:
    reason = "Launchpad: county left"
    watch.run(tags={OVERRIDE_TAG: reason, OVERRIDE_BY_TAG: "Ada"})
    assert watch.tick() == [f"begun override used: {JOB}"]
    assert watch.sink.alerts[0]["error"] == f"the gate was overridden: Ada, {reason}"
    watch.run(tags={OVERRIDE_TAG: reason})
    assert watch.tick() == []
    watch.run()
    assert watch.tick() == [f"over override used: {JOB}"]


def test_a_check_that_warns_is_told_of_until_it_passes(watch: Watch) -> None:
    watch.check(passed=True)
    assert watch.tick() == []
    watch.check(passed=False)
    assert watch.tick() == ["begun check warns: sql_dump: usual"]
    assert watch.sink.alerts[0]["error"] == "service has 9 rows, 40 usually"
    watch.check(passed=False)
    assert watch.tick() == []
    watch.check(passed=True)
    assert watch.tick() == ["over check warns: sql_dump: usual"]


def test_no_new_dump_is_told_of_in_time(watch: Watch) -> None:
    start = watch.now - timedelta(days=5)
    report(watch.settings, succeeded(JOB, start))
    watch.now = start + timedelta(hours=25)
    assert watch.tick() == []
    watch.now = start + timedelta(hours=26, minutes=1)
    assert watch.tick() == [f"begun no new dump: {JOB}"]
    assert "PPR_ALERT_MAX_AGE_HOURS" in watch.sink.alerts[0]["error"]
    watch.now = start + timedelta(days=4)
    assert watch.tick() == []
    watch.run()
    watch.now = datetime.now(UTC)
    assert watch.tick() == [f"over no new dump: {JOB}"]


def test_that_there_is_no_dump_is_not_told_beside_the_reason(watch: Watch) -> None:
    watch.run(GateRefused("812 records"))
    watch.now += timedelta(days=3)
    assert watch.tick() == [f"begun gate refused: {JOB}"]
    assert watch.tick() == []


def fetched(watch: Watch) -> None:
    """As the sensor ``after_publishing`` does when the remote has moved."""
    with open_data_repo(watch.settings.data_repo) as repo:
        fetch(repo)


def test_a_dump_that_the_remote_lacks_for_long_is_told_of(watch: Watch) -> None:
    clone = watch.settings.data_repo.path
    fetched(watch)
    commit_files(clone, "Dump", {"sql_dumps/a.sql": "a"})
    assert watch.tick() == []
    watch.run()
    watch.tick()
    watch.now += timedelta(hours=6, minutes=1)
    assert watch.tick() == [f"begun push undelivered: {JOB}"]
    assert watch.tick() == []
    git(clone, "push", "-q", "origin", "main")
    fetched(watch)
    assert watch.tick() == [f"over push undelivered: {JOB}"]


def test_a_failed_push_is_not_over_because_it_is_young(watch: Watch) -> None:
    clone = watch.settings.data_repo.path
    fetched(watch)
    commit_files(clone, "Dump", {"sql_dumps/a.sql": "a"})
    watch.run(PushFailed("denied"))
    watch.now += timedelta(hours=1)
    assert watch.tick() == [f"begun push undelivered: {JOB}"]
    assert watch.tick() == []


def test_a_staged_dump_that_nobody_publishes_is_told_of(watch: Watch) -> None:
    watch.run()
    staged = watch.settings.data_repo.path / ".git" / "ppr_assets" / "staged"
    staged.mkdir(parents=True, exist_ok=True)
    name = "pantry_pirate_radio_2026-11-02_02-00-00"
    (staged / f"{name}.sql").write_text("")
    (staged / f"{name}.json").write_text("{}")
    assert watch.tick() == []
    watch.now += timedelta(hours=6, minutes=1)
    assert watch.tick() == [f"begun backlog: {JOB}"]
    shutil.rmtree(staged)
    assert watch.tick() == [f"over backlog: {JOB}"]


def test_a_disk_that_fills_up_is_told_of_once_though_it_goes_back_and_forth(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    watch.settings = dataclasses.replace(
        watch.settings, alerts=dataclasses.replace(watch.settings.alerts, disk_free_percent=10.0)
    )
    said = []
    for free in (50, 11, 9, 8, 11, 9, 11, 13, 11):
        monkeypatch.setattr(shutil, "disk_usage", lambda _, free=free: usage(100, 100 - free, free))
        said.append([one.partition(" /")[0] for one in watch.tick()])
    begins, ends = ["begun disk nearly full:"], ["over disk nearly full:"]
    assert said == [[], [], begins, [], [], [], [], ends, []]


def test_quiet_nights_say_nothing(watch: Watch) -> None:
    """The rule has sixty; here are those that Dagster keeps."""
    for _ in range(4):
        watch.run()
        assert watch.tick() == []
    assert watch.skipped == "nothing is open"


def test_what_is_known_outlives_the_daemon_and_the_clone(watch: Watch) -> None:
    """Dagster's storage keeps the cursor, and a copy of what is open in it."""
    watch.run(GateRefused("812 records"))
    assert watch.tick() == [f"begun gate refused: {JOB}"]
    state_file(watch.settings.data_repo).unlink()
    watch.run(GateRefused("811 records"))
    assert watch.tick() == []
    watch.run()
    assert watch.tick() == [f"over gate refused: {JOB}"]


def test_what_is_known_outlives_a_clone_beside_which_nothing_can_be_kept(watch: Watch) -> None:
    """Of a new machine whose disk is full, say."""
    watch.run()
    watch.run(GateRefused("812 records"))
    assert watch.tick() == [f"begun gate refused: {JOB}"]
    file = state_file(watch.settings.data_repo)
    file.unlink()
    lock = file.with_suffix(".lock")
    lock.unlink()
    lock.mkdir()
    watch.run(GateRefused("811 records"))
    watch.run(CopyFailed("published, but not copied"))
    assert watch.tick() == [f"over gate refused: {JOB}", f"begun copy failed: {JOB}"]
    assert watch.tick() == []
    lock.rmdir()
    watch.run()
    assert watch.tick() == [f"over copy failed: {JOB}"]
    assert read_state(watch.settings.data_repo).known.incidents == {}


def test_where_each_run_has_a_clone_of_its_own_status_knows_the_last_good_night_by_the_sensor(
    watch: Watch,
) -> None:
    """As in a cluster: no run has noted anything here, and an unchanged night makes no commit."""
    nowhere = dataclasses.replace(watch.settings.database, host="127.0.0.1", port=9)
    settings = dataclasses.replace(watch.settings, database=nowhere)
    assert not status(settings).nights_known
    watch.run()
    watch.tick()
    found = status(settings)
    assert (found.last_night, found.nights_known) == (None, True)
    assert found.good_at is not None
    assert found.good_at > watch.now - timedelta(minutes=5)
    watch.run(GateRefused("812 records"))
    watch.tick()
    warnings = condition(Look(status(settings), settings, watch.now)).why
    assert f"gate refused: {JOB} is open" in warnings


def test_a_clock_that_was_ahead_for_a_while_hides_no_run(watch: Watch) -> None:
    """A tick of that time has seen all until then, as it thought."""
    now, ahead = watch.now, watch.now + timedelta(days=400)
    _, _, *known = json.loads(str(watch.cursor))
    watch.now = ahead
    report(watch.settings, succeeded(JOB, ahead), clock=lambda: ahead)
    watch.tick()
    watch.cursor, watch.now = json.dumps([str(ahead), str(ahead), *known]), now
    watch.run(GateRefused("812 records"))
    assert watch.tick() == [f"begun gate refused: {JOB}"]
    watch.run()
    assert watch.tick() == [f"over gate refused: {JOB}"]
    assert watch.tick() == []
    watch.now += timedelta(hours=27)
    assert watch.tick() == [f"begun no new dump: {JOB}"]


def test_alerts_that_are_switched_on_late_tell_of_the_last_night(watch: Watch) -> None:
    watch.run(GateRefused("812 records"))
    watch.cursor = None
    assert watch.tick() == [f"begun gate refused: {JOB}"]


def test_a_dead_channel_is_shown_beside_the_tick(watch: Watch) -> None:
    watch.sink.status = 500
    watch.run(GateRefused("812 records"))
    assert watch.tick() == []
    assert watch.skipped.splitlines() == [
        f"gate refused: {JOB}",
        "http://127.0.0.1: the server answered 500 (internal server error)",
    ]
    watch.sink.status = 200
    assert watch.tick() == [f"begun gate refused: {JOB}"]


def test_the_daemon_pings_for_the_nightly_run_alone(watch: Watch) -> None:
    url = watch.sink.url
    watch.settings = told_to(watch.settings, heartbeat=url)
    watch.run(GateRefused("an older one that nobody has seen"))
    done = watch.run()
    watch.run(job="restore")
    watch.tick()
    watch.run(GateRefused("812 records"))
    watch.run(tags={automation.OWN_HEARTBEAT: "command line"})
    watch.tick()
    watch.run(Busy("busy"))
    watch.tick()
    path = urlsplit(url).path
    pings = [(path, done), (f"{path}/fail", "812 records")]
    assert watch.sink.got == pings
    watch.cursor = None
    watch.tick()
    assert watch.sink.got == pings


def test_a_part_of_a_night_is_no_good_night_and_pings_nobody(watch: Watch) -> None:
    watch.run(GateRefused("812 records"))
    assert watch.tick() == [f"begun gate refused: {JOB}"]
    url = watch.sink.url
    watch.settings = told_to(watch.settings, url, heartbeat=url)

    @dg.asset
    def record_count() -> int:
        return 1

    @dg.asset
    def data_repo_commit() -> int:
        return 1

    assets = [record_count, data_repo_commit]
    job = dg.define_asset_job(JOB, selection=assets)
    night = dg.Definitions(assets, jobs=[job]).resolve_job_def(JOB)
    night.execute_in_process(instance=watch.instance, asset_selection=[record_count.key])
    before = [*watch.sink.got]
    watch._look()
    assert watch.sink.got == before
    known = read_state(watch.settings.data_repo).known
    assert ([*known.incidents], known.good) == ([f"gate refused: {JOB}"], {})
    done = night.execute_in_process(instance=watch.instance)
    watch._look()
    assert (urlsplit(url).path, done.run_id) in watch.sink.got
    assert read_state(watch.settings.data_repo).known.incidents == {}


def test_the_sensor_is_there_as_soon_as_somebody_is_to_be_told(watch: Watch) -> None:
    def names(settings: Settings) -> list[str]:
        definitions = build_defs(settings=settings).get_repository_def()
        return [one.name for one in definitions.sensor_defs]

    assert names(watch.settings) == ["after_publishing", "alerts"]
    assert names(told_to(watch.settings)) == ["after_publishing"]
    sensor = build_defs(settings=watch.settings).get_repository_def().get_sensor_def("alerts")
    assert sensor.default_status == dg.DefaultSensorStatus.RUNNING
    assert read_state(watch.settings.data_repo).known.incidents == {}
