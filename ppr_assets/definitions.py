"""Assembly: everything that Dagster is to know, from settings read once."""

from __future__ import annotations

from typing import Any

import dagster as dg

from ppr_assets.orchestration.assets.off_site_copy import off_site_copy
from ppr_assets.orchestration.assets.published_copy import published_restore
from ppr_assets.orchestration.assets.tables import external_assets
from ppr_assets.orchestration.automation.alerts import alerts
from ppr_assets.orchestration.automation.jobs import (
    LOOK,
    LOOKS,
    REPLAY,
    RESTORE,
    RESTORE_DRILL,
    RESTORE_PUBLISHED,
    RESTORES,
    hourly_look,
    monthly_drill,
    weekly_restore,
)
from ppr_assets.orchestration.automation.nightly import PIPELINE, nightly, nightly_dump
from ppr_assets.orchestration.automation.sensors import after_publishing
from ppr_assets.orchestration.resources import resources
from ppr_assets.orchestration.source_code import linked_to_code
from ppr_assets.settings import Settings, env_file


def build_defs(*, settings: Settings | None = None, **overrides: Any) -> dg.Definitions:
    """A fresh ``Definitions``. ``settings`` replaces the environment; ``overrides`` replace what
    is handed to :class:`dagster.Definitions`, so that a test can change one part of it."""
    settings = settings or Settings.from_environment(dotenv=env_file())
    parts: dict[str, Any] = {
        "assets": [
            *external_assets(settings.database.dbname),
            *linked_to_code([*PIPELINE, off_site_copy, *LOOKS, *RESTORES]),
        ],
        "asset_checks": [published_restore],
        "jobs": [
            nightly_dump(settings.data_repo.copies),
            *(RESTORE, REPLAY, RESTORE_DRILL, LOOK, RESTORE_PUBLISHED),
        ],
        "schedules": [
            schedule(settings.schedule)
            for schedule in (nightly, monthly_drill, hourly_look, weekly_restore)
        ],
        "sensors": [after_publishing, *([alerts] if settings.alerts.told else [])],
        "resources": resources(settings),
        "executor": dg.in_process_executor,
    }
    return dg.Definitions(**(parts | overrides))


@dg.definitions
def defs() -> dg.Definitions:
    """The code location; settings are read when Dagster loads it, not when this is imported."""
    return build_defs()
