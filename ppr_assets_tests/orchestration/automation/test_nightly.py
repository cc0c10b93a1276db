"""The night's job as the command line makes it, held to the one that Dagster loads."""

from __future__ import annotations

import subprocess
import sys

import pytest

from ppr_assets.definitions import build_defs
from ppr_assets.orchestration.automation.nightly import night_alone, nightly_dump
from ppr_assets.orchestration.resources import resources
from ppr_assets.settings import Settings


@pytest.mark.parametrize("places", ["", "/backup"])
def test_alone_it_is_the_same_job(places: str) -> None:
    variables = {"POSTGRES_PASSWORD": "none", "PPR_COPY_URLS": places}
    settings = Settings.from_environment(variables, dotenv=None)
    loud = nightly_dump(settings.data_repo.copies, console_level="CRITICAL")
    whole = build_defs(settings=settings, jobs=[loud], schedules=[], sensors=[])
    alone = night_alone(settings, resources(settings))
    assert alone.get_job_snapshot_id() == whole.resolve_job_def(alone.name).get_job_snapshot_id()


def test_it_loads_nothing_of_a_replay_or_a_look() -> None:
    program = (
        "import sys, ppr_assets.orchestration.automation.nightly\n"
        "print([one for one in sys.modules if 'replay' in one or '.outside' in one])"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert found.stdout == b"[]\n"
