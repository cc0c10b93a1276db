"""How an operation's failure ends a step: one text, its exit code, no retry.

A refusal is not an accident, so it is never retried. An error that nobody expected is not caught
here; it ends the step with its traceback, which the run's page shows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from ppr_assets import errors
from ppr_assets.errors import Cancelled, PprError, Unexpected
from ppr_assets.failures import in_words
from ppr_assets.operations.night import Night
from ppr_assets.settings import Settings


@contextmanager
def expected_failures(settings: Settings, night: Night | None = None) -> Iterator[None]:
    """Turn a :class:`PprError`, and what a server, a file or git fails of, into a
    :class:`dagster.Failure`. Each is noted in ``night``, also what nobody expected."""
    try:
        yield
    except Exception as error:
        known = in_words(error, settings)
        if isinstance(known, Unexpected):
            if night is not None:
                night.failure = known
            raise
        raise failure(known, night) from known


def failure(error: PprError, night: Night | None = None) -> dg.Failure:
    """The step's failure: what the volunteer reads, and in its metadata what a program reads."""
    if night is not None:
        night.failure = error
    return dg.Failure(
        description="\nHINT: ".join(filter(None, [error.message, in_launchpad(error.hint)])),
        metadata={
            "error": _kind(error),
            "message": error.message,
            "hint": in_launchpad(error.hint),
            "exit_code": error.exit_code,
        },
        allow_retries=False,
    )


LAUNCHPAD_FIELDS = (
    ("--accept-differences", "accept_differences"),
    ("--deadline", "deadline_seconds"),
    ("--disconnect", "disconnect"),
    ("--grants-from-former", "grants_from_former"),
    ("--into", "target"),
    ("--override", "override"),
    ("--replace", "replace"),
    ("--schema", "schema_of"),
    ("--scraper", "scraper"),
)
"""What stands in a run's config for an option of the command line."""


def in_launchpad(hint: str) -> str:
    """The hint, with what its options are called where the run was launched; those in a command
    that is quoted are for a terminal."""
    outside = re.sub(r"`[^`]*`", "", hint)
    named = [(option, name) for option, name in LAUNCHPAD_FIELDS if option in outside]
    if not named or "Launchpad" in hint:
        return hint
    told = ", ".join(f"{option} is `{name}`" for option, name in named)
    return f"{hint} In the Launchpad {told}{', with `by`' if '--override' in outside else ''}."


def cancelled() -> Cancelled:
    """What a run ends with that somebody, or the system, has interrupted."""
    return Cancelled(
        "the run was cancelled",
        hint="an unfinished dump is never published; `ppr-assets status` shows what stands.",
    )


@dg.failure_hook(name="checks_not_looked_at")
def checks_not_looked_at(context: dg.HookContext) -> None:
    """Let the checks that a failed step has kept from being made show as skipped.

    They are planned when a run begins, and a plan that a failed run has not come to is painted as
    a failed check. The same plan under no run is what Dagster calls skipped.
    """
    planned = dg.DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED
    made = dg.DagsterEventType.ASSET_CHECK_EVALUATION
    left: dict[dg.AssetCheckKey, dg.DagsterEvent] = {}
    for entry in context.instance.all_logs(context.run_id, of_type={planned, made}):
        event = entry.get_dagster_event()
        if event.event_type == planned:
            left[event.asset_check_planned_data.asset_check_key] = event
        else:
            left.pop(event.asset_check_evaluation_data.asset_check_key, None)
    for event in left.values():
        context.instance.report_dagster_event(event, run_id="")


def unexpected(run: dg.ExecuteInProcessResult) -> PprError:
    """What made a run fail that noted no failure, from what Dagster kept of it: an interrupt is
    :class:`Cancelled`, what a step did not expect :class:`Unexpected`."""
    failed = next((event for event in run.all_events if event.is_step_failure), None)
    if failed is None:
        return PprError(
            "the run failed outside of its steps",
            hint="its page in the Dagster UI has the whole story; nothing was published.",
        )
    whole = cause = failed.step_failure_data.error
    while cause is not None and cause.cause is not None:
        cause = cause.cause
    if cause is not None and cause.cls_name == dg.DagsterExecutionInterruptedError.__name__:
        return cancelled()
    words = " ".join(cause.message.split())[:300] if cause else "no reason given"
    return Unexpected(
        f"step {failed.step_key} failed of what was not expected: {words}",
        story=whole.to_string() if whole else "",
    )


def _kind(error: PprError) -> str:
    """The error's class, or the nearest above it that belongs to the one tree in ``errors``."""
    return next(kind.__name__ for kind in type(error).__mro__ if kind.__module__ == errors.__name__)
