"""The schedules: what runs by the clock."""

from __future__ import annotations

import dagster as dg

from ppr_assets.orchestration.jobs import NIGHTLY_DUMP, RESTORE_DRILL
from ppr_assets.settings import ScheduleSettings


def nightly(settings: ScheduleSettings) -> dg.ScheduleDefinition:
    """Every night, whatever happened by day: it also catches up on runs that failed."""
    return dg.ScheduleDefinition(
        name="nightly",
        job=NIGHTLY_DUMP,
        cron_schedule=settings.cron,
        execution_timezone=settings.timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Dumps and publishes every night.",
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
