"""The sensor ``alerts`` as Dagster's daemon asks it, over runs that end as they are told to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from ppr_assets.errors import PprError
from ppr_assets.orchestration.automation import alerts as automation
from ppr_assets.orchestration.failures import failure
from ppr_assets.settings import Settings
from ppr_assets_tests import migrations  # noqa: F401 - read once
from ppr_assets_tests.fix_git import GitWorld
from ppr_assets_tests.fix_sinks import WebSink, told_to

JOB = "nightly_dump"


@dataclass
class Watch:
    settings: Settings
    instance: dg.DagsterInstance
    sink: WebSink
    now: datetime
    cursor: str | None = None
    skipped: str = ""

    def run(
        self, error: Exception | None = None, *, job: str = JOB, tags: dict[str, str] | None = None
    ) -> str:
        @dg.op
        def work() -> None:
            if error is not None:
                raise failure(error) if isinstance(error, PprError) else error

        @dg.job(name=job)
        def one() -> None:
            work()

        done = one.execute_in_process(instance=self.instance, raise_on_error=False, tags=tags)
        return done.run_id

    def check(self, *, passed: bool) -> None:
        """A run that succeeds, with a check that warns where it has not passed."""

        @dg.asset(
            name="sql_dump",
            check_specs=[
                dg.AssetCheckSpec("usual", asset="sql_dump"),
                dg.AssetCheckSpec("on_remote", asset="sql_dump"),
            ],
        )
        def sql_dump() -> Iterator[object]:
            for name, good in (("usual", passed), ("on_remote", False)):
                yield dg.AssetCheckResult(
                    check_name=name,
                    passed=good,
                    severity=dg.AssetCheckSeverity.WARN,
                    description="service has 9 rows, 40 usually",
                )
            yield dg.MaterializeResult()

        dg.materialize([sql_dump], instance=self.instance)

    def tick(self) -> list[str]:
        """What is said by then, and was not before. What does not get through is sent at the next
        look, which is taken at once: a busy machine has broken off a conversation now and then."""
        before = len(self.sink.got)
        self._look()
        if "broke off" in self.skipped:
            self._look()
        return self.sink.said[before:] if self.settings.alerts.wanted else []

    def _look(self) -> None:
        with dg.build_sensor_context(
            instance=self.instance, cursor=self.cursor, resources={"settings": self.settings}
        ) as context:
            answer = automation.alerts.evaluate_tick(context)
        assert not answer.run_requests
        self.cursor, self.skipped = answer.cursor, answer.skip_message or ""


@pytest.fixture
def watch(
    git_world: GitWorld,
    bare_remote: Path,
    web_sink: WebSink,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Watch]:
    assert bare_remote.exists()
    clone = git_world.copy("publisher", tmp_path / "data-repo")
    environment = {"DATA_REPO_PATH": str(clone), "PUBLISHER_PUSH_ENABLED": "true"}
    settings = told_to(Settings.from_environment(environment, dotenv=None), web_sink.url)
    settings = replace(settings, alerts=replace(settings.alerts, disk_free_percent=0.0))
    with dg.DagsterInstance.ephemeral() as instance:
        made = Watch(settings, instance, web_sink, datetime.now(UTC))
        monkeypatch.setattr(automation, "clock", lambda: made.now)
        assert made.tick() == []
        yield made
