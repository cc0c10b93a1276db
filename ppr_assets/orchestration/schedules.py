"""The schedules: what runs by the clock."""

from __future__ import annotations

import dagster as dg

from ppr_assets.orchestration.jobs import NIGHTLY_DUMP
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
