"""Runs that the command line makes: Dagster's UI is to show them as those of its code location."""

from __future__ import annotations

import tomllib
from importlib import import_module
from pathlib import Path

import dagster as dg

from ppr_assets.cli.dagster.run import CODE_LOCATION, run_nightly
from ppr_assets.rules.gate.ratchet import Override
from ppr_assets.settings import Settings
from ppr_assets_tests.fix_git import git
from ppr_assets_tests.fix_pipeline import Pipeline
from ppr_assets_tests.fix_publisher import Publisher
from ppr_assets_tests.fix_tools import FakeTool
from ppr_assets_tests.places import ROOT


def test_a_run_names_its_code_location_and_is_never_begun_again_by_the_daemon(
    tmp_path: Path,
) -> None:
    """One that fails at once will do."""
    variables = {"DATA_REPO_PATH": str(tmp_path / "missing"), "POSTGRES_PASSWORD": "none"}
    settings = Settings.from_environment(variables, dotenv=None)
    override = Override("county closed", "command line", "Ann Lee")
    with dg.DagsterInstance.ephemeral() as instance:
        night = run_nightly(settings, instance, override=override, tags={"asked": "by a test"})
        shown = dg.RunsFilter(tags={".dagster/repository": f"__repository__@{CODE_LOCATION}"})
        (run,) = instance.get_runs(shown)
    assert night.failure is not None
    assert (run.run_id, run.job_name) == (night.run_id, "nightly_dump")
    assert run.status is dg.DagsterRunStatus.FAILURE
    assert run.remote_job_origin is not None, "the timeline asks for this one"
    assert run.remote_job_origin.location_name == CODE_LOCATION
    assert run.tags["dagster/max_retries"] == "0"
    assert run.tags["asked"] == "by a test"
    assert run.run_config == {"override": {"reason": "county closed", "by": "Ann Lee"}}


def test_the_publication_is_told_once_before_the_run_that_follows_it(
    pipeline: Pipeline, haarrrvest: Publisher, fake_tool: FakeTool
) -> None:
    """A refused night will do, and is over at the count. The remote has the address of a forge."""
    fake_tool("ssh", f'for last; do :; done\nexec "${{last%% *}}" {pipeline.remote}')
    address = "git@github.com:for-all/data.git"
    git(pipeline.clone, "remote", "set-url", "origin", address)
    pipeline.repo(url=address)
    pipeline.gate(min_records=1000)
    made = [haarrrvest.publish(f"Data update for 2025-08-10 0{hour}:00 UTC") for hour in range(2)]
    with dg.DagsterInstance.ephemeral() as instance:
        for _ in range(2):
            run_nightly(pipeline.settings, instance)
        (told,) = instance.fetch_materializations(dg.AssetKey("publication"), limit=9).records
        counted = instance.get_latest_materialization_event(dg.AssetKey("record_count"))
    event = told.asset_materialization
    assert event is not None
    assert event.description == "Data update for 2025-08-10 01:00 UTC"
    page = f"https://github.com/for-all/data/commit/{made[1]}"
    assert event.metadata["commit"] == dg.MetadataValue.url(page)
    assert counted is not None and counted.asset_materialization is not None
    tags = counted.asset_materialization.tags or {}
    assert tags["dagster/input_data_version/publication"] == made[1], "Dagster calls it out of date"


def test_the_code_location_has_one_name() -> None:
    read = import_module("yaml").safe_load((ROOT / "workspace.yaml").read_text())
    (workspace,) = read["load_from"]
    assert workspace["python_module"]["location_name"] == CODE_LOCATION
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["dg"]["project"]
    assert project["code_location_name"] == CODE_LOCATION
