"""Run a job of the pipeline in this process and tell what came of it.

The command line does not dump on its own: it runs the Dagster job, so that every dump has its run,
its checks and its lineage, whoever started it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ppr_assets.errors import Cancelled, PprError
from ppr_assets.settings import Settings

if TYPE_CHECKING:
    from dagster import AssetMaterialization, AssetObservation, DagsterInstance


@dataclass(frozen=True)
class FinishedRun:
    """A run that ended: what it noted of each asset, and the failure if it failed."""

    run_id: str
    assets: Mapping[str, Mapping[str, Any]]
    failure: PprError | None


@dataclass(frozen=True)
class Tick:
    """What the sensor answered: the runs that it asks for, or why it asks for none."""

    run_keys: list[str]
    tags: dict[str, str]
    skip_reason: str | None
    cursor: str | None


def sensor_tick(settings: Settings, instance: DagsterInstance, cursor: str | None) -> Tick:
    """Evaluate ``after_publishing`` once, as Dagster's daemon does every minute."""
    import dagster as dg

    from ppr_assets.orchestration.sensors import after_publishing

    with dg.build_sensor_context(
        instance=instance, cursor=cursor, resources={"settings": settings}
    ) as context:
        answer = after_publishing.evaluate_tick(context)
    requests = answer.run_requests or []
    return Tick(
        run_keys=[request.run_key or "" for request in requests],
        tags={name: value for request in requests for name, value in request.tags.items()},
        skip_reason=answer.skip_message,
        cursor=answer.cursor,
    )


def run_nightly(
    settings: Settings,
    instance: DagsterInstance,
    *,
    override_reason: str | None = None,
    tags: Mapping[str, str] | None = None,
) -> FinishedRun:
    """Run ``nightly_dump``. Raises :class:`Cancelled`; a run that failed is returned."""
    import dagster as dg

    from ppr_assets.definitions import build_defs
    from ppr_assets.orchestration.failures import cancelled, error_of
    from ppr_assets.orchestration.jobs import nightly_dump
    from ppr_assets.orchestration.resources import launchpad_config

    # Dagster's console log is for its UI; the command line says in its own words what happened.
    job = nightly_dump(config=launchpad_config(console_level="CRITICAL"))
    definitions = build_defs(settings=settings, jobs=[job], schedules=[], sensors=[])
    try:
        result = definitions.resolve_job_def(job.name).execute_in_process(
            instance=instance,
            run_config={"override": {"reason": override_reason}} if override_reason else {},
            tags=dict(tags or {}),
            raise_on_error=False,
        )
    except dg.DagsterExecutionInterruptedError as error:
        raise cancelled() from error
    failed = [event for event in result.all_events if event.is_step_failure]
    failure = error_of(failed[0]) if failed else None
    if failure is None and not result.success:
        failure = PprError(
            "the run failed outside of its steps",
            hint="its page in the Dagster UI has the whole story; nothing was published.",
        )
    if isinstance(failure, Cancelled):
        raise failure
    return FinishedRun(result.run_id, _facts(instance, result.run_id), failure)


def _facts(instance: DagsterInstance, run_id: str) -> Mapping[str, Mapping[str, Any]]:
    """What the run noted of each asset; of a commit that was kept and not delivered as well.

    From the storage: a result lacks what a step noted before it failed.
    """
    facts: dict[str, Mapping[str, Any]] = {}
    for record in instance.all_logs(run_id):
        event = record.dagster_event
        if event is None:
            continue
        noted: AssetMaterialization | AssetObservation
        if event.is_step_materialization:
            noted = event.step_materialization_data.materialization
        elif event.is_asset_observation:
            noted = event.asset_observation_data.asset_observation
        else:
            continue
        metadata = {name: value.value for name, value in noted.metadata.items()}
        facts[noted.asset_key.to_user_string()] = metadata
    return facts
