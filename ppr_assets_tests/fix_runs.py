"""Runs of the pipeline in this process, with a Dagster instance that remembers them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import dagster as dg
import pytest
from dagster._core.loader import LoadingContextForTest

from ppr_assets.definitions import build_defs
from ppr_assets_tests import migrations  # noqa: F401 - read once
from ppr_assets_tests.fix_pipeline import ANN, Pipeline

_NIGHTLY = [dg.AssetKey(name) for name in ("record_count", "sql_dump", "data_repo_commit")]


@dataclass
class Runs:
    """Starts runs as the Launchpad and "Materialize" do, and reads what was stored."""

    pipeline: Pipeline
    instance: dg.DagsterInstance

    def nightly(
        self, *selection: str, reason: str | None = None, job: Any = None
    ) -> dg.ExecuteInProcessResult:
        """Run ``nightly_dump`` (or ``job``), all of it or a selection of its assets."""
        alone: dict[str, Any] = {"jobs": [job], "schedules": [], "sensors": []} if job else {}
        definitions = build_defs(settings=self.pipeline.settings, **alone)
        chosen = definitions.resolve_job_def(job.name if job else "nightly_dump")
        return chosen.execute_in_process(
            instance=self.instance,
            asset_selection=[dg.AssetKey(name) for name in selection] or None,
            run_config={"override": {"reason": reason, "by": ANN}} if reason else {},
            raise_on_error=False,
        )

    def job(self, name: str, **config: Any) -> dg.ExecuteInProcessResult:
        """Run the job of this name with what somebody typed into its Launchpad."""
        definitions = build_defs(settings=self.pipeline.settings)
        return definitions.resolve_job_def(name).execute_in_process(
            instance=self.instance, run_config=config, raise_on_error=False
        )

    def metadata(self, asset: str) -> Mapping[str, Any]:
        """The values that the asset's last materialization carries."""
        return {name: value.value for name, value in self.materialized(asset).metadata.items()}

    def data_version(self, asset: str) -> str:
        return (self.materialized(asset).tags or {})["dagster/data_version"]

    def materialized(self, asset: str) -> dg.AssetMaterialization:
        record = self.instance.get_latest_materialization_event(dg.AssetKey(asset))
        assert record is not None and record.asset_materialization is not None, f"no {asset} yet"
        return record.asset_materialization

    def check_states(self) -> dict[str, str]:
        """What the UI shows of each check of the nightly job: its last state, by asset and name."""
        graph = build_defs(settings=self.pipeline.settings).resolve_asset_graph()
        keys = {key for key in graph.asset_check_keys if key.asset_key in _NIGHTLY}
        storage, context = self.instance.event_log_storage, LoadingContextForTest(self.instance)
        return {
            f"{key.asset_key.to_user_string()}.{key.name}": asyncio.run(
                record.resolve_status(context)
            ).value
            for key, record in storage.get_latest_asset_check_execution_by_key([*keys]).items()
        }

    def row_counts(self, table: str) -> list[object]:
        """What was observed of a table, the newest first."""
        found = self.instance.fetch_observations(dg.AssetKey(table), limit=10)
        observations = [record.event_log_entry.asset_observation for record in found.records]
        return [o.metadata["dagster/row_count"].value for o in observations if o is not None]


def checks_of(run: dg.ExecuteInProcessResult) -> dict[str, bool]:
    """Whether each check of the run has passed."""
    return {check.check_name: check.passed for check in run.get_asset_check_evaluations()}


def failure_of(run: dg.ExecuteInProcessResult) -> Mapping[str, Any]:
    """The one failure of the run: its step, what the volunteer reads, what a program reads."""
    (failed,) = [event for event in run.all_events if event.is_step_failure]
    said = failed.step_failure_data.user_failure_data
    assert said is not None, failed.step_failure_data.error
    facts = {name: value.value for name, value in said.metadata.items()}
    return {"step": failed.step_key, "text": said.description, **facts}


def steps_of(run: dg.ExecuteInProcessResult) -> list[str]:
    """The steps that were started, in order."""
    return [str(event.step_key) for event in run.all_events if event.is_step_start]


@pytest.fixture
def runs(pipeline: Pipeline) -> Iterator[Runs]:
    """Without proofs, as long as no test asks for :func:`proofs` too."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield Runs(pipeline, instance)


@pytest.fixture
def proofs(pipeline: Pipeline) -> Iterator[None]:
    """Nights are proven, beside the database: the role may create databases meanwhile."""
    role, world = pipeline.settings.database.user, replace(pipeline)
    pipeline.gate(proof="server")
    pipeline.administer(f"ALTER ROLE {role} CREATEDB")
    try:
        yield
    finally:
        world.administer(f"ALTER ROLE {role} NOCREATEDB")
