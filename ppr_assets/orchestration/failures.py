"""How an operation's failure ends a step: one text, its exit code, no retry.

A refusal is not an accident, so it is never retried. An error that nobody expected is not caught
here; it ends the step with its traceback, which the run's page shows.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from ppr_assets import errors
from ppr_assets.errors import Cancelled, PprError, Unexpected
from ppr_assets.failures import in_words
from ppr_assets.settings import Settings


@contextmanager
def expected_failures(settings: Settings) -> Iterator[None]:
    """Turn a :class:`PprError`, and what a server, a file or git fails of, into a
    :class:`dagster.Failure`."""
    try:
        yield
    except Exception as error:
        known = in_words(error, settings)
        if isinstance(known, Unexpected):
            raise
        raise failure(known) from error


def failure(error: PprError) -> dg.Failure:
    """The step's failure: what the volunteer reads, and in its metadata what a program reads."""
    return dg.Failure(
        description=error.render(),
        metadata={
            "error": _kind(error),
            "message": error.message,
            "hint": error.hint,
            "exit_code": error.exit_code,
        },
        allow_retries=False,
    )


def cancelled() -> Cancelled:
    """What a run ends with that somebody, or the system, has interrupted."""
    return Cancelled(
        "the run was cancelled",
        hint="an unfinished dump is never published; `ppr-assets status` shows what stands.",
    )


def error_of(event: dg.DagsterEvent) -> PprError:
    """The error that made a step fail, back from the step's failure event.

    An interrupt is :class:`Cancelled`. A failure that was not expected is :class:`Unexpected`,
    with what Dagster kept of it.
    """
    said = event.step_failure_data.user_failure_data
    if said is not None and "error" in said.metadata:
        kind = getattr(errors, str(said.metadata["error"].value))
        error = kind(str(said.metadata["message"].value), hint=str(said.metadata["hint"].value))
        assert isinstance(error, PprError)
        return error
    cause = event.step_failure_data.error
    while cause is not None and cause.cause is not None:
        cause = cause.cause
    if cause is not None and cause.cls_name == dg.DagsterExecutionInterruptedError.__name__:
        return cancelled()
    words = " ".join(cause.message.split())[:300] if cause else "no reason given"
    whole = event.step_failure_data.error
    return Unexpected(
        f"step {event.step_key} failed of what was not expected: {words}",
        story=whole.to_string() if whole else "",
    )


def _kind(error: PprError) -> str:
    """The error's class, or the nearest above it that belongs to the one tree in ``errors``."""
    return next(kind.__name__ for kind in type(error).__mro__ if kind.__module__ == errors.__name__)
