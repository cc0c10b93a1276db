"""The jobs beside the night's, named selections of assets, and their schedules.

In-process executor, as for the night. Job-independent assets do not belong here.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import dagster as dg

from ppr_assets.orchestration.assets.drill import DrillConfig, drill
from ppr_assets.orchestration.assets.published_copy import published_copy, published_restore
from ppr_assets.orchestration.assets.replayed_database import replayed_database
from ppr_assets.orchestration.assets.restored_database import RestoreConfig, restored_database
from ppr_assets.orchestration.automation.launchpad import flat_config
from ppr_assets.settings import ScheduleSettings

RESTORES = [restored_database, drill, replayed_database]
LOOKS = [published_copy]
LOOKS_KEPT = timedelta(days=30)
_AT_ONCE = 50
"""Runs that a tick deletes, which takes a second at most; the next one goes on."""


RESTORE = dg.define_asset_job(
    "restore",
    selection=dg.AssetSelection.assets(restored_database),
    description="Restore a published dump, compare it, and only then put it in place. Without any "
    "config, the latest dump goes to a separate database. To replace the one that serves, name it: "
    "`restore: {target: …}`.",
    executor_def=dg.in_process_executor,
    config=flat_config("restored_database", RestoreConfig, word="restore"),
)

REPLAY = dg.define_asset_job(
    "replay",
    selection=dg.AssetSelection.assets(replayed_database),
    description="Rebuild a database from the published records of a range of days, in one run, "
    "where no dump can be restored. Without any config it is a separate database. To replace the "
    "one that serves, its config takes `target` and `replace: true`.",
    executor_def=dg.in_process_executor,
)
"""Dagster takes no :func:`flat_config` where there are partitions."""

RESTORE_DRILL = dg.define_asset_job(
    "restore_drill",
    selection=dg.AssetSelection.assets(drill),
    description="Fetch the latest dump from the remote, restore it into a scratch database, "
    "compare, and drop that again. No database that anybody uses is touched.",
    executor_def=dg.in_process_executor,
    config=flat_config("drill", DrillConfig, word="drill"),
)

LOOK = dg.define_asset_job(
    "look",
    selection=dg.AssetSelection.assets(published_copy)
    - dg.AssetSelection.checks(published_restore),
    description="Look at what others get, as a stranger does: the branch by its public URL, its "
    "latest dump, the age of that, and each place of copies. Changes nothing.",
    executor_def=dg.in_process_executor,
)

RESTORE_PUBLISHED = dg.define_asset_job(
    "restore_published",
    selection=dg.AssetSelection.checks(published_restore),
    description="Restore what others get into a scratch database, compare, and drop that again.",
    executor_def=dg.in_process_executor,
)


def monthly_drill(settings: ScheduleSettings) -> dg.ScheduleDefinition:
    """On the first of the month, two hours after the night's dump unless that was moved.

    Should both be due at once, one waits for the other: their runs share the pool ``database``.
    """
    return dg.ScheduleDefinition(
        name="monthly_drill",
        job=RESTORE_DRILL,
        cron_schedule="0 4 1 * *",
        execution_timezone=settings.timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Proves every month that the backup on the remote restores.",
    )


def _look(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    forget_old_looks(context.instance, datetime.now(UTC))
    return dg.RunRequest()


def forget_old_looks(instance: dg.DagsterInstance, at: datetime) -> None:
    """Of looks that found everything well, the last month is enough: each leaves some 25 events.
    One that found something stays, as all other runs do."""
    old = dg.RunsFilter(
        job_name=LOOK.name,
        statuses=[dg.DagsterRunStatus.SUCCESS],
        created_before=at - LOOKS_KEPT,
    )
    for record in instance.get_run_records(old, limit=_AT_ONCE, ascending=True):
        instance.delete_run(record.dagster_run.run_id)


def hourly_look(settings: ScheduleSettings) -> dg.ScheduleDefinition:
    """Between the hours, when a night that began on one has mostly ended."""
    return dg.ScheduleDefinition(
        name="hourly_look",
        job=LOOK,
        execution_fn=_look,
        cron_schedule="47 * * * *",
        execution_timezone=settings.timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Looks each hour at what others get, as a stranger does.",
    )


def weekly_restore(settings: ScheduleSettings) -> dg.ScheduleDefinition:
    """On Sundays, two hours after the drill would be due."""
    return dg.ScheduleDefinition(
        name="weekly_restore",
        job=RESTORE_PUBLISHED,
        cron_schedule="0 6 * * 0",
        execution_timezone=settings.timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Restores each week what others get, as a stranger does.",
    )
