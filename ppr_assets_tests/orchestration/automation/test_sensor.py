"""The sensor over a real clone and its remote: one run a publication, next to nothing if idle."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import dagster as dg
import pytest

from ppr_assets.definitions import build_defs
from ppr_assets_tests import migrations  # noqa: F401 - read once
from ppr_assets_tests.fix_git import git
from ppr_assets_tests.fix_pipeline import Pipeline, settled
from ppr_assets_tests.fix_publisher import GENERATED_LOG, REAL_LOG, Publisher, read_log
from ppr_assets_tests.fix_tools import FakeTool
from ppr_assets_tests.opened import dump, publish


@dataclass
class Watcher:
    """The sensor as Dagster's daemon asks it: every time with the cursor that it gave last."""

    pipeline: Pipeline
    instance: dg.DagsterInstance
    cursor: str | None = None
    skipped: str = ""
    events: list[dg.AssetMaterialization] = field(default_factory=list)

    def tick(self) -> list[dg.RunRequest]:
        """The runs that it asks for; ``skipped`` says why, where it asks for none."""
        definitions = build_defs(settings=self.pipeline.settings)
        (sensor,) = definitions.get_repository_def().sensor_defs
        with dg.build_sensor_context(
            instance=self.instance,
            cursor=self.cursor,
            resources={"settings": self.pipeline.settings},
        ) as context:
            answer = sensor.evaluate_tick(context)
        self.cursor = answer.cursor
        self.skipped = answer.skip_message or ""
        self.events = [cast("dg.AssetMaterialization", event) for event in answer.asset_events]
        return list(answer.run_requests or [])

    def run_keys(self) -> list[str | None]:
        return [request.run_key for request in self.tick()]


@pytest.fixture
def watcher(pipeline: Pipeline) -> Iterator[Watcher]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield Watcher(pipeline, instance)


@pytest.fixture(params=["generated", "real"])
def log(request: pytest.FixtureRequest) -> str:
    if request.param == "generated":
        return GENERATED_LOG
    if not REAL_LOG.exists():
        pytest.skip(f"the real publishing log is not at {REAL_LOG}")
    return REAL_LOG.read_text(encoding="utf-8")


def test_it_follows_a_publisher_and_not_itself(
    watcher: Watcher, haarrrvest: Publisher, log: str
) -> None:
    commits = read_log(log)
    half = len(commits) // 2
    earlier = haarrrvest.replay(commits[:half])
    (request,) = watcher.tick()
    assert request.run_key == f"publish-{earlier}"
    assert request.tags["ppr_assets/publication"] == earlier
    assert watcher.run_keys() == []
    assert "nothing new since" in watcher.skipped

    dumped, published = watcher.pipeline.night()
    assert dumped.manifest is not None
    assert dumped.manifest.publication == earlier
    assert published.commit == watcher.pipeline.remote_head()
    assert watcher.run_keys() == []
    assert "only dumps up to" in watcher.skipped

    later = haarrrvest.replay(commits[half:])
    assert watcher.run_keys() == [f"publish-{later}"]
    assert watcher.run_keys() == []


def test_a_publication_is_an_event_of_its_asset(watcher: Watcher, haarrrvest: Publisher) -> None:
    commit = haarrrvest.publish("Data update for 2025-08-10 06:00 UTC")
    watcher.tick()
    (event,) = watcher.events
    assert event.asset_key == dg.AssetKey("publication")
    assert event.description == "Data update for 2025-08-10 06:00 UTC"
    assert (event.tags or {})["dagster/data_version"] == commit
    assert event.metadata["commit"].value == commit
    assert event.metadata["author"].value == git(haarrrvest.clone, "log", "-1", "--format=%an")
    watcher.tick()
    assert watcher.events == []


def test_several_publications_between_two_looks_are_one_run(
    watcher: Watcher, haarrrvest: Publisher
) -> None:
    watcher.tick()
    made = [haarrrvest.publish(f"Data update for 2025-08-10 0{hour}:00 UTC") for hour in range(3)]
    assert watcher.run_keys() == [f"publish-{made[-1]}"]


def test_a_publication_under_a_newer_dump_is_still_seen(
    watcher: Watcher, haarrrvest: Publisher
) -> None:
    watcher.tick()
    settings = watcher.pipeline.settings
    dump(settings, run_id="a-run")
    hidden = haarrrvest.publish("Data update for 2025-08-10 06:00 UTC")
    assert publish(settings, run_id="a-run").status == "published"
    assert watcher.pipeline.remote_head() != hidden
    assert watcher.run_keys() == [f"publish-{hidden}"]


def test_a_publication_that_a_night_has_followed_asks_for_nothing(
    watcher: Watcher, haarrrvest: Publisher
) -> None:
    watcher.tick()
    haarrrvest.publish("Data update for 2025-08-10 06:00 UTC")
    watcher.pipeline.night()
    assert watcher.run_keys() == []
    assert "has followed publication" in watcher.skipped


def test_a_forced_push_is_looked_at_anew(watcher: Watcher, haarrrvest: Publisher) -> None:
    haarrrvest.publish("Data update for 2025-08-10 06:00 UTC")
    watcher.tick()
    rewritten = haarrrvest.rewrite("Data update for 2025-08-10 06:00 UTC, corrected")
    assert watcher.run_keys() == [f"publish-{rewritten}"]
    back = git(haarrrvest.clone, "rev-parse", "HEAD^")
    git(haarrrvest.clone, "push", "-q", "--force", "origin", f"{back}:main")
    assert watcher.run_keys() == [f"publish-{back}"]


def test_a_forced_push_that_keeps_the_publication_asks_for_nothing(
    watcher: Watcher, haarrrvest: Publisher
) -> None:
    watcher.tick()
    watcher.pipeline.night()
    watcher.tick()
    git(haarrrvest.clone, "push", "-q", "--force", "origin", "HEAD:main")  # our dump is gone there
    assert watcher.run_keys() == []
    assert "was seen before" in watcher.skipped


def test_after_a_restart_without_memory_a_followed_publication_is_not_followed_again(
    watcher: Watcher, haarrrvest: Publisher
) -> None:
    commit = haarrrvest.publish("Data update for 2025-08-10 06:00 UTC")
    watcher.tick()
    watcher.pipeline.night()
    watcher.cursor = None
    assert watcher.run_keys() == []
    assert f"has followed publication {commit[:10]}" in watcher.skipped


def test_an_unreachable_remote_is_a_reason_to_skip_and_forgets_nothing(
    watcher: Watcher, haarrrvest: Publisher
) -> None:
    watcher.tick()
    remote, away = watcher.pipeline.remote, watcher.pipeline.remote.with_name("away.git")
    commit = haarrrvest.publish("Data update for 2025-08-10 06:00 UTC")
    remote.rename(away)
    remembered = watcher.cursor
    assert watcher.run_keys() == []
    assert "no use of remote" in watcher.skipped
    assert "HINT: " in watcher.skipped
    assert watcher.cursor in (remembered, None)  # None: Dagster keeps the one it has
    watcher.cursor = remembered
    away.rename(remote)
    assert watcher.run_keys() == [f"publish-{commit}"]


def test_a_remote_that_hangs_is_cut_off(watcher: Watcher, fake_tool: FakeTool) -> None:
    watcher.tick()
    fake_tool("git", "sleep 60")
    watcher.pipeline.repo(timeout_seconds=0.5)
    assert watcher.run_keys() == []
    assert "`git ls-remote` did not end within 0.5 seconds" in watcher.skipped
    assert settled(watcher.pipeline.children) == []


def test_an_idle_look_is_one_ls_remote_and_nothing_else(
    watcher: Watcher, fake_tool: FakeTool, tmp_path: Path
) -> None:
    watcher.tick()
    calls = tmp_path / "calls"
    fake_tool("git", f'echo "$@" >> {calls}; exec {shutil.which("git")} "$@"')
    assert watcher.run_keys() == []
    (call,) = calls.read_text().splitlines()
    assert call == "ls-remote --quiet origin refs/heads/main"


def test_where_there_is_no_clone_yet_the_run_makes_it(
    watcher: Watcher, haarrrvest: Publisher
) -> None:
    """A first clone may take longer than Dagster lets a sensor think."""
    shutil.rmtree(watcher.pipeline.clone)
    head = watcher.pipeline.remote_head()
    assert watcher.run_keys() == [f"clone-{head}"]
    assert not watcher.pipeline.clone.exists()
    assert watcher.run_keys() == []

    watcher.pipeline.night()
    assert watcher.run_keys() == []
    commit = haarrrvest.publish("Data update for 2025-08-10 06:00 UTC")
    assert watcher.run_keys() == [f"publish-{commit}"]


def test_without_a_remote_the_clones_own_branch_is_watched(watcher: Watcher) -> None:
    git(watcher.pipeline.clone, "remote", "remove", "origin")
    watcher.pipeline.repo(url=None, push_enabled=False)
    head = watcher.pipeline.head()
    assert watcher.run_keys() == [f"publish-{head}"]
    watcher.pipeline.night()
    assert watcher.run_keys() == []


def test_a_folder_that_is_no_repository_is_a_reason_to_skip(
    watcher: Watcher, tmp_path: Path
) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").touch()
    settings = watcher.pipeline.settings
    photos = replace(settings.data_repo, path=tmp_path / "photos")
    watcher.pipeline.settings = replace(settings, data_repo=photos)
    assert watcher.run_keys() == []
    assert "is not a git repository" in watcher.skipped
