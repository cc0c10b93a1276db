"""Run a job of the pipeline in this process and tell what came of it.

The command line does not dump on its own: it runs the Dagster job, so that every dump has its run,
its checks and its lineage, whoever started it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from msgspec import Struct

from ppr_assets.data_repo.clone.clone import DataRepoOfRun
from ppr_assets.errors import Cancelled, PprError
from ppr_assets.failures import told
from ppr_assets.operations.night import Night
from ppr_assets.operations.watch import newest_known
from ppr_assets.rules.gate.ratchet import Override
from ppr_assets.rules.incidents import Report
from ppr_assets.settings import Settings

if TYPE_CHECKING:
    from dagster import DagsterInstance

CODE_LOCATION = "ppr_assets"
"""As workspace.yaml and pyproject.toml call it. Runs, schedules and sensors are kept under it."""
_NOT_AGAIN = {"dagster/max_retries": "0"}
"""A run whose process was lost is not begun again by the daemon: it would be nobody's command, and
pass the gate for a reason that was given for another night."""


class Tick(Struct, frozen=True):
    """What the sensor answered: the runs that it asks for, or why it asks for none."""

    run_keys: list[str]
    tags: dict[str, str]
    skip_reason: str | None
    cursor: str | None


def sensor_tick(settings: Settings, instance: DagsterInstance, cursor: str | None) -> Tick:
    """Evaluate ``after_publishing`` once, as Dagster's daemon does every minute."""
    import dagster as dg

    from ppr_assets.orchestration.automation.sensors import after_publishing

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
    override: Override | None = None,
    tags: Mapping[str, str] | None = None,
) -> Night:
    """Run ``nightly_dump``. Raises :class:`Cancelled`; a failure is returned with the night."""
    import dagster as dg

    from ppr_assets.orchestration.automation.nightly import end_killed, night_alone
    from ppr_assets.orchestration.failures import cancelled, unexpected
    from ppr_assets.orchestration.resources import OverrideOfCommandLine, resources

    night = Night(str(uuid4()))
    end_killed(instance, settings.data_repo)
    try:
        with DataRepoOfRun(settings.data_repo) as data_repo:
            _tell_publication(settings, instance, data_repo)
            own = resources(settings, night, OverrideOfCommandLine, data_repo)
            job = night_alone(settings, own)
            with _of_code_location(instance, job.name):
                result = job.execute_in_process(
                    instance=instance,
                    run_id=night.run_id,
                    run_config=_decided(override),
                    tags={**_NOT_AGAIN, **(tags or {}), **_own_heartbeat(settings)},
                    raise_on_error=False,
                )
    except dg.DagsterExecutionInterruptedError as error:
        raise cancelled() from error
    if night.failure is None and not result.success:
        night.failure = unexpected(result)
    if isinstance(night.failure, Cancelled):
        raise night.failure
    return night


def reports_of_night(
    settings: Settings, instance: DagsterInstance, night: Night
) -> Sequence[Report]:
    """What its end means for incidents, as the daemon would read it; nothing where nobody is told,
    or where the storage has not kept the run's end."""
    if not settings.alerts.told:
        return ()
    from ppr_assets.orchestration.automation.run_reports import reports_of_run

    record = instance.get_run_record_by_id(night.run_id)
    return reports_of_run(instance, settings.alerts, record) if record else ()


def _own_heartbeat(settings: Settings) -> Mapping[str, str]:
    if not settings.alerts.told:
        return {}
    from ppr_assets.orchestration.automation.alerts import OWN_HEARTBEAT

    return {OWN_HEARTBEAT: "command line"}


def _tell_publication(
    settings: Settings, instance: DagsterInstance, data_repo: DataRepoOfRun
) -> None:
    """What the sensor tells where a daemon runs, before the run that follows it: an event after
    that one would have Dagster call its assets out of date.

    A data repository that cannot be looked at is told by the run.
    """
    from ppr_assets.orchestration.assets.tables import PUBLICATION, published
    from ppr_assets.orchestration.metadata import DATA_VERSION

    newest = None
    with suppress(PprError), told(settings):
        newest = newest_known(data_repo)
    if newest is not None:
        last = instance.get_latest_materialization_event(PUBLICATION.key)
        known = last.asset_materialization if last else None
        if known is None or (known.tags or {}).get(DATA_VERSION) != newest.sha:
            instance.report_runless_asset_event(published(newest))


@contextmanager
def _of_code_location(instance: DagsterInstance, job: str) -> Iterator[None]:
    """Let the runs that are made in the block name the code location: without one, Dagster's
    timeline leaves them out, and so does the page of the job.

    A job that is executed in this process asks the instance for its run and names none.
    """
    origin = {
        "__class__": "ExternalPipelineOrigin",
        "external_repository_origin": {
            "__class__": "ExternalRepositoryOrigin",
            "repository_location_origin": {
                "__class__": "RegisteredRepositoryLocationOrigin",
                "location_name": CODE_LOCATION,
            },
            "repository_name": "__repository__",
        },
        "pipeline_name": job,
    }
    from dagster import deserialize_value

    named: Any = deserialize_value(json.dumps(origin))
    create = partial(instance.create_run_for_job, remote_job_origin=named)
    with ExitStack() as at_the_end:
        at_the_end.callback(delattr, instance, "create_run_for_job")
        setattr(instance, "create_run_for_job", create)  # noqa: B010 - mypy takes it for a mistake
        yield


def _decided(override: Override | None) -> dict[str, Any]:
    if override is None:
        return {}
    return {"override": {"reason": override.reason, "by": override.by}}
