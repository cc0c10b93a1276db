"""What the end of a run means for incidents, from what Dagster keeps of it.

The same for the daemon's runs and for those of the command line, so that one which both look at is
told of once.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

import dagster as dg

from ppr_assets import errors
from ppr_assets.errors import PprError
from ppr_assets.orchestration.assets.data_repo_commit import ON_REMOTE
from ppr_assets.orchestration.assets.off_site_copy import COPY_VERIFIED
from ppr_assets.orchestration.assets.sql_dump import PROVEN
from ppr_assets.orchestration.resources import OVERRIDE_BY_TAG, OVERRIDE_TAG, is_whole
from ppr_assets.rules.incidents import (
    CHECK_WARNS,
    DRILL,
    LOOK,
    NIGHTLY,
    Report,
    begun,
    failed,
    is_done,
    over,
    override_used,
    succeeded,
)
from ppr_assets.settings import AlertSettings

ENDED = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE)
_WILL_RETRY = "dagster/will_retry"
_AS_SET_UP = {ON_REMOTE.name, PROVEN.name, COPY_VERIFIED.name}
"""Checks that warn of a run that succeeds only where pushing or proving is switched off, and the
one whose failure the run's end tells."""
_JOBS = {
    "data_repo_commit": NIGHTLY,
    "drill": DRILL,
    "published_copy": LOOK,
    "restored_database": "restore",
    "replayed_database": "replay",
}
"""Whose work a run does that somebody has started from an asset's page."""


def job_of(run: dg.DagsterRun) -> str:
    """The job whose work the run does."""
    if not run.asset_selection or not run.job_name.startswith("__"):
        return run.job_name
    names = {key.to_user_string() for key in run.asset_selection}
    return next((job for asset, job in _JOBS.items() if asset in names), run.job_name)


def reports_of_run(
    instance: dg.DagsterInstance, settings: AlertSettings, record: dg.RunRecord
) -> list[Report]:
    """What is begun and what is over, now that the run has ended; nothing of one that goes on, was
    cancelled, or is run again by itself. A part of a night that succeeds ends nothing of it."""
    run = record.dagster_run
    if run.status not in ENDED or run.tags.get(_WILL_RETRY) == "true":
        return []
    at = _moment(record.end_time or record.update_timestamp.timestamp())
    job, link = job_of(run), settings.run_link(run.run_id)
    reason, part = _override(run), job == NIGHTLY and not is_whole(run)
    error = _error(instance, run) if run.status == dg.DagsterRunStatus.FAILURE else None
    done = error is None or is_done(job, error)
    judged = reason or (done and job == NIGHTLY and not part)
    used = [override_used(job, reason, at, link)] if judged else []
    checks = [_of_check(one, at, link) for one in _evaluations(instance, run)] if done else []
    ends = failed(job, error, at, link) if error else succeeded(job, at)
    return [*used, *checks, *(one for one in ends if not (part and one.over))]


def _override(run: dg.DagsterRun) -> str:
    """Who has overridden the gate, by which way and why; empty where nobody has."""
    by, reason = (run.tags.get(tag, "") for tag in (OVERRIDE_BY_TAG, OVERRIDE_TAG))
    return f"{by}, {reason}" if by and reason else reason


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _error(instance: dg.DagsterInstance, run: dg.DagsterRun) -> PprError:
    """The failure of the run's step, as it was raised; what Dagster says of a run that died."""
    ends = {dg.DagsterEventType.STEP_FAILURE, dg.DagsterEventType.RUN_FAILURE}
    said = "the run ended without a message"
    for entry in instance.all_logs(run.run_id, of_type=ends):
        event = entry.dagster_event
        if event is None or not event.is_step_failure:
            message = (event.message if event else None) or entry.user_message
            said = " ".join(message.split())[:500] or said
            continue
        data = event.step_failure_data
        if data.user_failure_data is not None and "error" in data.user_failure_data.metadata:
            return _as_raised(data.user_failure_data.metadata)
        words = " ".join(data.error_display_string.split())[:300]
        return PprError(f"step {event.step_key} failed of what was not expected: {words}")
    return PprError(said, hint="its page in Dagster's UI has the whole story.")


def _as_raised(facts: Mapping[str, dg.MetadataValue]) -> PprError:
    """See :func:`~ppr_assets.orchestration.failures.failure`, which wrote it."""
    told = {name: str(facts[name].value) for name in ("error", "message", "hint")}
    kind: type[PprError] = getattr(errors, told["error"], PprError)
    return kind(told["message"], hint=told["hint"])


def _evaluations(
    instance: dg.DagsterInstance, run: dg.DagsterRun
) -> Iterator[dg.AssetCheckEvaluation]:
    wanted = dg.DagsterEventType.ASSET_CHECK_EVALUATION
    for entry in instance.all_logs(run.run_id, of_type=wanted):
        if entry.dagster_event is not None:
            yield entry.dagster_event.asset_check_evaluation_data


def _of_check(found: dg.AssetCheckEvaluation, at: datetime, link: str) -> Report:
    """Of a run that has succeeded all the same."""
    asset = found.asset_key.to_user_string()
    subject = f"{asset}: {found.check_name}"
    if found.passed or found.check_name in _AS_SET_UP:
        return over(CHECK_WARNS, subject, at)
    text = found.description or f"the check {found.check_name} of {asset} has not passed"
    return begun(CHECK_WARNS, subject, at, text, link)
