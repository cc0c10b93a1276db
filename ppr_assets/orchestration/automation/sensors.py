"""The sensors: what runs because something was published.

``after_publishing`` costs one ``git ls-remote`` while nothing happens. It asks for one run for the
newest publishing commit and never for a commit of this project, which would feed itself. A run
key is used once for ever, also when its run failed: catching up is the nightly schedule's part.
"""

import json

import dagster as dg

from ppr_assets.errors import PprError
from ppr_assets.operations.watch import SeenCommits, look_for_publication
from ppr_assets.orchestration.assets.tables import published
from ppr_assets.orchestration.automation.nightly import NIGHTLY_DUMP
from ppr_assets.settings import Settings

INTERVAL_SECONDS = 60
PUBLICATION_TAG = "ppr_assets/publication"
"""By which an auditor finds what a run has followed."""


@dg.sensor(
    name="after_publishing",
    job_name=NIGHTLY_DUMP,
    minimum_interval_seconds=INTERVAL_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Dumps after each publishing commit in the data repository.",
)
def after_publishing(
    context: dg.SensorEvaluationContext, settings: dg.ResourceParam[Settings]
) -> dg.SensorResult:
    seen = SeenCommits(**json.loads(context.cursor)) if context.cursor else SeenCommits()
    try:
        look = look_for_publication(settings, seen)
    except PprError as error:
        return dg.SensorResult(skip_reason=error.render())
    cursor = json.dumps({"head": look.seen.head, "publication": look.seen.publication})
    if look.wanted is None:
        return dg.SensorResult(skip_reason=look.reason, cursor=cursor)
    if look.new is None:  # there is no clone yet, so nobody knows what this commit is
        first = dg.RunRequest(run_key=f"clone-{look.wanted}")
        return dg.SensorResult(run_requests=[first], cursor=cursor)
    run = dg.RunRequest(run_key=f"publish-{look.wanted}", tags={PUBLICATION_TAG: look.wanted})
    return dg.SensorResult(run_requests=[run], asset_events=[published(look.new)], cursor=cursor)
