"""The night's job and its schedule, and the job alone for who runs it in this process.

In-process executor: the three steps follow each other anyway, and a process for each costs more
time (about 5 s a run) than they all need.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

from ppr_assets.operations.last_night import last_night, of_this_machine, was_killed
from ppr_assets.orchestration.assets.data_repo_commit import data_repo_commit
from ppr_assets.orchestration.assets.off_site_copy import off_site_copy
from ppr_assets.orchestration.assets.record_count import record_count
from ppr_assets.orchestration.assets.sql_dump import sql_dump
from ppr_assets.orchestration.assets.tables import external_assets
from ppr_assets.orchestration.automation.launchpad import launchpad_config
from ppr_assets.orchestration.source_code import linked_to_code
from ppr_assets.settings import CopySettings, DataRepoSettings, ScheduleSettings, Settings

PIPELINE = [record_count, sql_dump, data_repo_commit]
NIGHTLY_DUMP = "nightly_dump"


def nightly_dump(copies: CopySettings, *, console_level: str | None = None) -> Any:
    """The main job; it ends with the copies where the settings name places for them."""
    steps = [*PIPELINE, off_site_copy] if copies.urls else PIPELINE
    return dg.define_asset_job(
        NIGHTLY_DUMP,
        selection=dg.AssetSelection.assets(*steps),
        description="Count, judge, dump and publish, and copy where PPR_COPY_URLS says so. "
        "Unchanged data make no commit; a refused dump changes nothing. To pass the gate once, "
        'give `override: {reason: "…", by: "…"}` in the Launchpad.',
        executor_def=dg.in_process_executor,
        config=launchpad_config(console_level=console_level),
    )


def night_alone(settings: Settings, resources: Mapping[str, Any]) -> dg.JobDefinition:
    """``nightly_dump`` as the code location has it, without loading all that a night does not need.
    Dagster's console log is for its UI, and silent here."""
    job = nightly_dump(settings.data_repo.copies, console_level="CRITICAL")
    assets = linked_to_code([*PIPELINE, off_site_copy])
    definitions = dg.Definitions(
        assets=[*external_assets(settings.database.dbname), *assets],
        jobs=[job],
        resources=resources,
        executor=dg.in_process_executor,
    )
    return definitions.resolve_job_def(job.name)


def nightly(settings: ScheduleSettings) -> dg.ScheduleDefinition:
    """Every night, whatever happened by day: it also catches up on runs that failed."""
    return dg.ScheduleDefinition(
        name="nightly",
        job_name=NIGHTLY_DUMP,
        cron_schedule=settings.cron,
        execution_timezone=settings.timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Dumps and publishes every night.",
    )


def end_killed(instance: dg.DagsterInstance, settings: DataRepoSettings) -> None:
    """Have Dagster know of a night that was killed: for it the run would go on for hours, and keep
    every other out of the pools. Of one on another machine nothing is sure enough for that."""
    last = last_night(settings)
    if last is None or not of_this_machine(last) or not was_killed(settings, last):
        return
    run = instance.get_run_by_id(last.run_id)
    if run is not None and not run.is_finished:
        instance.report_run_failed(run, "its process was killed")
