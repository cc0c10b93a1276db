"""Verbs tell how they end where no daemon looks at them, and once where one does."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import click
import dagster as dg
import pytest

from ppr_assets.alerts.reporting import report
from ppr_assets.alerts.state import read_state
from ppr_assets.child_process import end_group
from ppr_assets.cli.shared.heard import heard
from ppr_assets.errors import DumpUnproven, GateRefused
from ppr_assets.operations.night import Night, reports_of_unrecorded
from ppr_assets.orchestration.automation import alerts as automation
from ppr_assets.rules.incidents import NIGHTLY, override_used
from ppr_assets.settings import Settings
from ppr_assets_tests.fix_command_line import PROGRAM, CommandLine, wait_until
from ppr_assets_tests.fix_sinks import WebSink, told_to, web_server, without_services


@pytest.fixture
def settings(tmp_path: Path, web_sink: WebSink) -> Settings:
    return told_to(without_services(tmp_path), web_sink.url)


def test_a_night_of_cron_is_told_of_once_also_where_a_daemon_runs_beside_it(
    ppr_assets: CommandLine,
    dagster_storage: Mapping[str, str],
    web_sink: WebSink,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with web_server() as health:
        ppr_assets.variables |= {
            "PPR_ALERT_URLS": web_sink.url,
            "PPR_HEARTBEAT_URL": health.url,
            "PPR_DAGSTER_URL": "https://dagster.example.org/",
        }
        daemon = Daemon(ppr_assets, dagster_storage, monkeypatch)
        daemon.tick()
        refused = ppr_assets("dump", SQL_DUMP_MIN_RECORDS="9999")
        daemon.tick()
        good = ppr_assets("dump", "--override", "all is well")
        daemon.tick()
        pings = [path.removeprefix(urlsplit(health.url).path) for path, _ in health.got]
    assert (refused.code, good.code) == (3, 0), good.err
    assert web_sink.said == [
        "begun gate refused: nightly_dump",
        "over gate refused: nightly_dump",
    ], web_sink.alerts
    told = web_sink.alerts[0]
    assert told["error"] == refused.err.strip()
    run_id = refused.out.splitlines()[-1].split()[-1]
    assert told["link"] == f"https://dagster.example.org/runs/{run_id}"
    assert pings == ["/start", "/fail", "/start", ""]
    assert "nothing is open" in ppr_assets("alert", "list").out


def test_dagsters_own_daemon_tells_of_the_last_night(
    ppr_assets: CommandLine, web_sink: WebSink
) -> None:
    """The night of a cron that told nobody; its daemon is started when somebody is to be told."""
    refused = ppr_assets("dump", SQL_DUMP_MIN_RECORDS="9999")
    assert refused.code == 3
    environment = ppr_assets.environment(
        {"PPR_ALERT_URLS": web_sink.url, "SQL_DUMP_MIN_RECORDS": "9999"}
    )
    daemon = subprocess.Popen(
        [str(PROGRAM.with_name("dagster-daemon")), "run", "-m", "ppr_assets.definitions"],
        cwd=ppr_assets.folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait_until(lambda: web_sink.got)
    finally:
        end_group(daemon, grace_seconds=20)
    assert web_sink.said == ["begun gate refused: nightly_dump"]
    assert web_sink.alerts[0]["error"] == refused.err.strip()


class Daemon:
    """What Dagster's daemon does each minute, on the storage of the command line's runs."""

    def __init__(
        self, line: CommandLine, storage: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name, value in storage.items():
            monkeypatch.setenv(name, value)
        self.line, self.home, self.cursor = line, storage["DAGSTER_HOME"], None
        with dg.DagsterInstance.from_config(self.home) as instance:  # not of another test's nights
            for run in instance.get_runs(dg.RunsFilter(job_name=NIGHTLY)):
                instance.delete_run(run.run_id)

    cursor: str | None

    def tick(self) -> None:
        settings = Settings.from_environment({**self.line.variables}, dotenv=None)
        with (
            dg.DagsterInstance.from_config(self.home) as instance,
            dg.build_sensor_context(
                instance=instance, cursor=self.cursor, resources={"settings": settings}
            ) as context,
        ):
            self.cursor = automation.alerts.evaluate_tick(context).cursor


def test_a_verb_that_fails_is_told_of_once_and_so_is_its_end(
    settings: Settings, web_sink: WebSink
) -> None:
    for _ in range(2):
        with pytest.raises(DumpUnproven), heard(settings, "restore_drill"):
            raise DumpUnproven("it differs")
    for _ in range(2):
        with heard(settings, "restore_drill"):
            pass
    kind = "drill failed: restore_drill"
    assert web_sink.said == [f"begun {kind}", f"over {kind}"]


def test_what_nobody_expected_is_told_of_and_goes_on_as_it_was(
    settings: Settings, web_sink: WebSink
) -> None:
    with pytest.raises(ZeroDivisionError), heard(settings, "prune"):
        raise ZeroDivisionError
    assert web_sink.said == ["begun run failed: prune"]


@pytest.mark.parametrize("end", [click.UsageError("what?"), KeyboardInterrupt()])
def test_who_was_typed_wrong_or_interrupted_tells_nobody(
    end: BaseException, settings: Settings, web_sink: WebSink
) -> None:
    with pytest.raises(type(end)), heard(settings, "prune"):
        raise end
    assert web_sink.said == []


def test_what_a_verb_knows_of_its_end_is_told(settings: Settings, web_sink: WebSink) -> None:
    with heard(settings, "nightly_dump") as ending:
        ending.reports = [override_used("nightly_dump", "why", datetime.now(UTC))]
    assert web_sink.said == ["begun override used: nightly_dump"]


def test_a_verb_of_the_command_line_is_heard(tmp_path: Path, web_sink: WebSink) -> None:
    """Of a data repository that cannot be cloned, known in the user's own folder."""
    environment = {
        "DATA_REPO_PATH": str(tmp_path / "none"),
        "DATA_REPO_URL": str(tmp_path / "no-remote"),
        "PPR_ALERT_URLS": web_sink.url,
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "POSTGRES_PASSWORD": "",
    }
    line = CommandLine(tmp_path, environment)
    codes = [line(verb).code for verb in ("drill", "prune", "drill")]
    assert codes == [6, 6, 6]
    assert web_sink.said == ["begun drill failed: restore_drill", "begun push undelivered: prune"]


def test_a_night_whose_settings_cannot_be_read_is_told_of(
    tmp_path: Path, web_sink: WebSink
) -> None:
    settings = without_services(tmp_path)
    environment = {"DATA_REPO_PATH": str(settings.data_repo.path), "PPR_ALERT_URLS": web_sink.url}
    line = CommandLine(tmp_path, environment)
    said = line("dump", SQL_DUMP_MIN_RECORDS="many")
    assert said.code == 2
    assert web_sink.said == ["begun run failed: nightly_dump"]
    assert web_sink.alerts[0]["error"] == said.err.strip()
    assert line("dump", PPR_ALERT_URLS="nonsense").code == 2
    assert len(web_sink.got) == 1


@pytest.mark.parametrize(
    ("night", "said"),
    [
        (Night("a", failure=GateRefused("812")), ["begun gate refused: nightly_dump"]),
        (Night("b"), []),
    ],
)
def test_a_night_without_a_record_is_told_of(
    night: Night, said: list[str], settings: Settings, web_sink: WebSink
) -> None:
    report(settings, reports_of_unrecorded(night))
    assert web_sink.said == said


def test_where_nobody_is_to_be_told_nothing_is_loaded_for_it(tmp_path: Path) -> None:
    settings = without_services(tmp_path)
    with heard(settings, "prune", heartbeat=True):
        pass
    assert read_state(settings.data_repo).channels == {}
    assert [one.name for one in (tmp_path / "clone" / ".git").iterdir()] == ["objects"]
