"""The night's job as the command line makes it, held to the one that Dagster loads."""

from __future__ import annotations

import subprocess
import sys

import pytest

from ppr_assets.definitions import build_defs
from ppr_assets.orchestration.automation.nightly import night_alone, nightly_dump
from ppr_assets.orchestration.resources import resources
from ppr_assets.settings import Settings

pytestmark = pytest.mark.slow

NOT_BEFORE_IT_IS_NEEDED = (
    "copies.",
    "data_repo.history.dump_page.",
    "operations.audit.",
    "operations.copying.copy.",
    "operations.diff.",
    "operations.dumping.proof.",
    "operations.looking.",
    "operations.outside.",
    "operations.patching.",
    "operations.replaying.",
    "operations.restoring.drill.",
    "operations.restoring.in_place.",
    "plain_sql.disallowed.",
    "plain_sql.tables.",
    "plain_sql.verify.",
    "postgres.embedded.",
    "postgres.load.",
    "postgres.patching.",
    "postgres.rehearsal.",
    "records.",
    "rules.page.picture.",
    "rules.replay.",
)


@pytest.mark.parametrize("places", ["", "/backup"])
def test_alone_it_is_the_same_job(places: str) -> None:
    variables = {"POSTGRES_PASSWORD": "none", "PPR_COPY_URLS": places}
    settings = Settings.from_environment(variables, dotenv=None)
    loud = nightly_dump(settings.data_repo.copies, console_level="CRITICAL")
    whole = build_defs(settings=settings, jobs=[loud], schedules=[], sensors=[])
    alone = night_alone(settings, resources(settings))
    assert alone.get_job_snapshot_id() == whole.resolve_job_def(alone.name).get_job_snapshot_id()


def test_what_only_other_nights_and_verbs_need_is_not_loaded_for_it() -> None:
    """An unchanged night is over in two seconds, of which the imports are a good part: what a new
    dump, its proof, copies and replays need is imported when there is one."""
    program = (
        "import sys, ppr_assets.cli.dumps.dump, ppr_assets.orchestration.automation.nightly\n"
        "print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    loaded = {f"{name}.".removeprefix("ppr_assets.") for name in done.stdout.split()}
    assert [name for name in loaded if name.startswith(NOT_BEFORE_IT_IS_NEEDED)] == []
    assert "operations.publishing.publish." in loaded  # there was something to look at
