"""The sensor that has somebody told, where PPR_ALERT_URLS or PPR_HEARTBEAT_URL says who.

Each minute it looks at the runs that have begun or ended since its last look, in their order, and
at what no run tells. One sensor and not one for each status: what two of them say of a job would
arrive in any order. Its cursor, which Dagster's storage keeps, is how far it has seen, and a copy
of the open incidents, for a machine whose clone is made anew at each start.
"""

import json
from datetime import UTC, datetime, timedelta

import dagster as dg
from msgspec import Struct
from msgspec.structs import asdict, replace

from ppr_assets.alerts.heartbeat import ping
from ppr_assets.alerts.reporting import adopt_known, report
from ppr_assets.alerts.state import (
    State,
    known_from_json,
    known_to_json,
    read_state,
    state_file,
)
from ppr_assets.errors import PprError
from ppr_assets.failures import told
from ppr_assets.operations.attention import look_around
from ppr_assets.orchestration.assets.data_repo_commit import committed_at
from ppr_assets.orchestration.automation.nightly import end_killed
from ppr_assets.orchestration.automation.run_reports import ENDED, job_of, reports_of_run
from ppr_assets.orchestration.resources import is_whole
from ppr_assets.rules.incidents import CLOCKS_DIFFER_BY, NIGHTLY, Known, Report, news
from ppr_assets.settings import Settings

INTERVAL_SECONDS = 60
OWN_HEARTBEAT = "ppr_assets/heartbeat"
"""The tag of a run whose own process pings."""

_AT_MOST = 50
"""Runs in one tick; the next one goes on."""
_STARTED = dg.DagsterRunStatus.STARTED
_JUST = timedelta(microseconds=1)


class SeenRuns(Struct, frozen=True):
    """``until`` is the last change of a run that was seen, ``begun`` when this sensor began to
    look, ``started`` the run whose start was told last."""

    until: datetime
    begun: datetime
    started: str = ""


def clock() -> datetime:
    return datetime.now(UTC)


@dg.sensor(
    name="alerts",
    minimum_interval_seconds=INTERVAL_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Tells of incidents, once when they begin and once when they are over: failed and "
    "refused runs, warnings of checks, no new dump in time, dumps staged or pending for too long, "
    "a full disk.",
)
def alerts(
    context: dg.SensorEvaluationContext, settings: dg.ResourceParam[Settings]
) -> dg.SensorResult:
    at = clock()
    end_killed(context.instance, settings.data_repo)
    seen = _seen(context, settings, at)
    records = _changed(context.instance, seen, at)
    if records:
        seen = replace(seen, until=records[-1].update_timestamp)
    nights = [one for one in records if _pings_here(one.dagster_run)]
    if nights and context.cursor:  # the first look is at a run that ended long ago
        seen = _heartbeat(context.instance, settings, nights[-1], seen)
    ends = [
        one
        for record in records
        for one in reports_of_run(context.instance, settings.alerts, record)
    ]
    report(settings, ends, clock=clock)
    remark = ""
    try:
        with told(settings):
            report(settings, _looks(context, settings, seen), clock=clock)
    except PprError as error:
        remark = f"\nthe data repository cannot be looked into: {error.render()}"
    words = _words(read_state(settings.data_repo)) + remark
    return dg.SensorResult(skip_reason=words, cursor=_cursor(seen, _known(context, settings)))


def _seen(context: dg.SensorEvaluationContext, settings: Settings, at: datetime) -> SeenRuns:
    """The first look is at the last nightly run that ended, so that what is wrong is told. After
    one that a clock has dated in the future, it is looked from a little before now."""
    if context.cursor:
        until, begun, started, known = json.loads(context.cursor)
        adopt_known(settings, known_from_json(known))
        until, begun = (datetime.fromisoformat(one) for one in (until, begun))
        if until > at + CLOCKS_DIFFER_BY:
            until = at - CLOCKS_DIFFER_BY
        return SeenRuns(until, min(begun, at), started)
    wanted = dg.RunsFilter(job_name=NIGHTLY, statuses=list(ENDED))
    last = context.instance.get_run_records(wanted, limit=1)
    return SeenRuns(last[0].update_timestamp - _JUST if last else at, at)


def _changed(instance: dg.DagsterInstance, seen: SeenRuns, at: datetime) -> list[dg.RunRecord]:
    """And the first of them, oldest first; what is dated in the future was seen then."""
    until = at + CLOCKS_DIFFER_BY
    statuses = [*ENDED, _STARTED]
    wanted = dg.RunsFilter(statuses=statuses, updated_after=seen.until, updated_before=until)
    return [
        *instance.get_run_records(
            wanted, limit=_AT_MOST, order_by="update_timestamp", ascending=True
        )
    ]


def _pings_here(run: dg.DagsterRun) -> bool:
    """Of a whole nightly run whose own process does not ping."""
    return job_of(run) == NIGHTLY and is_whole(run) and OWN_HEARTBEAT not in run.tags


def _heartbeat(
    instance: dg.DagsterInstance, settings: Settings, record: dg.RunRecord, seen: SeenRuns
) -> SeenRuns:
    """Ping for the newest nightly run: who hears a ping takes it for now, so not for those before
    it, which a daemon that was away may find."""
    run = record.dagster_run
    if run.status == dg.DagsterRunStatus.SUCCESS:
        ping(settings, "", run.run_id)
    elif run.status == dg.DagsterRunStatus.FAILURE:
        reports = reports_of_run(instance, settings.alerts, record)
        if reports:  # not of one that met another at work, or is run again by itself
            ping(settings, "fail", reports[-1].text)
    elif run.run_id != seen.started:
        ping(settings, "start", run.run_id)
        seen = replace(seen, started=run.run_id)
    return seen


def _looks(context: dg.SensorEvaluationContext, settings: Settings, seen: SeenRuns) -> list[Report]:
    """What no run tells, without what is known already."""
    known = _known(context, settings)
    good = known.good.get(NIGHTLY) or committed_at(context.instance) or seen.begun
    return news(known, look_around(settings, good, clock()))


def _known(context: dg.SensorEvaluationContext, settings: Settings) -> Known:
    """As the cursor has it where nothing can be kept here."""
    if context.cursor and not state_file(settings.data_repo).exists():
        return known_from_json(json.loads(context.cursor)[-1])
    return read_state(settings.data_repo).known


def _words(state: State) -> str:
    """What the page of the sensor shows beside this tick."""
    open_ = ", ".join(state.known.incidents) or "nothing is open"
    dead = [f"{name}: {one.error}" for name, one in state.channels.items() if one.error]
    return "\n".join([open_, *dead])


def _cursor(seen: SeenRuns, known: Known) -> str:
    return json.dumps([*asdict(seen).values(), known_to_json(known)], default=datetime.isoformat)
