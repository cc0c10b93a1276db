"""The asset ``published_copy``: what others get, looked at as they get it.

An asset of its own beside ``data_repo_commit``, whose checks ask the remote with our token and
right after the push: here somebody looks who has the URL alone, at any hour. A look tells of what
it finds itself; its run fails so that the timeline shows it.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from time import monotonic
from typing import Any

import dagster as dg

from ppr_assets.alerts.reporting import report
from ppr_assets.alerts.state import read_state
from ppr_assets.operations.outside.findings import Finding, errors_of, failure_of
from ppr_assets.operations.outside.look import Looked, look, restore_published
from ppr_assets.orchestration.assets.data_repo_commit import committed_at, data_repo_commit
from ppr_assets.orchestration.assets.tables import OWNERS
from ppr_assets.orchestration.failures import checks_not_looked_at, expected_failures, failure
from ppr_assets.orchestration.metadata import Metadata, manifest_facts
from ppr_assets.rules.incidents import (
    DAMAGED,
    NIGHTLY,
    NO_BRANCH,
    STALE,
    UNREACHABLE,
    UNREADABLE,
)
from ppr_assets.settings import Settings

READABLE = dg.AssetCheckSpec(
    "readable",
    asset="published_copy",
    description="Anybody gets the branch by its public URL, with nothing to show, and finds a dump "
    "by its latest.sql. Where DATA_REPO_PUBLIC_URL is `private`: with the token.",
)
WHOLE = dg.AssetCheckSpec(
    "whole",
    asset="published_copy",
    description="The dump is whole, and its bytes have the manifest's SHA-256.",
)
FRESH = dg.AssetCheckSpec(
    "fresh",
    asset="published_copy",
    description="It is the dump that the last good night left, and that one ended within "
    "PPR_ALERT_MAX_AGE_HOURS; where no nights are known, the dump is no older than that.",
)
COPIES_WHOLE = dg.AssetCheckSpec(
    "copies_whole",
    asset="published_copy",
    description="Each place of PPR_COPY_URLS has that dump too, and its newest copy is whole.",
)
_SUBJECTS = {
    READABLE.name: (UNREACHABLE, NO_BRANCH, UNREADABLE),
    WHOLE.name: (DAMAGED,),
    FRESH.name: (STALE,),
}


@dg.asset(
    deps=[data_repo_commit],
    check_specs=[READABLE, WHOLE, FRESH, COPIES_WHOLE],
    group_name="backup",
    kinds={"git"},
    owners=OWNERS,
    hooks={checks_not_looked_at},
    description="What others get, looked at each hour as a stranger does: the branch by its public "
    "URL, without token and clone, its latest dump, the age of that, and each place of copies.",
)
def published_copy(
    context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings]
) -> Iterator[Any]:
    started, at = monotonic(), datetime.now(UTC)
    known = read_state(settings.data_repo).known
    good = known.good.get(NIGHTLY) or committed_at(context.instance)
    with expected_failures(settings):
        looked = look(settings, good=good, at=at)
    link = settings.alerts.run_link(context.run.run_id)
    report(settings, [one.report(at, link) for one in looked.findings])
    yield from _check_results(looked)
    facts = {**_facts(looked), "seconds": dg.MetadataValue.float(round(monotonic() - started, 3))}
    if (found := looked.error()) is not None:
        context.log_event(dg.AssetObservation(asset_key=context.asset_key, metadata=facts))
        raise failure(found)
    yield dg.MaterializeResult(metadata=facts)


@dg.asset_check(
    asset=published_copy,
    name="restores",
    pool="database",
    description="A database comes of what others get: restored each week into a scratch database, "
    "compared row by row, and dropped.",
)
def published_restore(
    context: dg.AssetCheckExecutionContext, settings: dg.ResourceParam[Settings]
) -> Any:
    at = datetime.now(UTC)
    with expected_failures(settings):
        found, outcome = restore_published(settings)
    report(settings, [found.report(at, settings.alerts.run_link(context.run.run_id))])
    error = failure_of([found])
    facts: Metadata = {}
    if outcome is not None:
        facts["proof"] = dg.MetadataValue.text(str(outcome.proof))
        facts["rows"] = dg.MetadataValue.int(outcome.rows)
    yield dg.AssetCheckResult(
        passed=error is None, description=error.message if error else None, metadata=facts
    )
    if error is not None:
        raise failure(error)


def _check_results(looked: Looked) -> Iterator[dg.AssetCheckResult]:
    """What could not be looked at is left out of a run that fails."""
    for name, subjects in _SUBJECTS.items():
        found = [one for one in looked.branch if one.subject in subjects]
        if found or looked.error() is None:
            yield _result(name, found, looked.remarks)
    yield _result(COPIES_WHOLE.name, [one.finding for one in looked.places])


def _result(
    name: str, found: Sequence[Finding], remarks: Sequence[str] = ()
) -> dg.AssetCheckResult:
    errors = errors_of(found)
    said = [error.message for error in errors] or ([] if found else remarks)
    return dg.AssetCheckResult(
        check_name=name, passed=not errors, description="\n".join(said) or None
    )


def _facts(looked: Looked) -> Metadata:
    dump = looked.dump
    facts: Metadata = manifest_facts(dump.manifest) if dump and dump.manifest else {}
    if dump is not None:
        facts |= {
            "dump": dg.MetadataValue.text(dump.name),
            "commit": dg.MetadataValue.text(dump.commit),
            "read": dg.MetadataValue.bool(dump.read),
        }
    if looked.who is not None:
        facts["branch"] = dg.MetadataValue.text(looked.who.where)
    if looked.since is not None:
        hours = (looked.at - looked.since).total_seconds() / 3600
        facts["age_hours"] = dg.MetadataValue.float(round(hours, 2))
    if looked.remarks:
        facts["remarks"] = dg.MetadataValue.text("\n".join(looked.remarks))
    return facts
