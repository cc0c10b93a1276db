"""How an expected failure of an operation ends a step: one text, its exit code, no retry.

A refusal is not an accident, so it is never retried. Errors that nobody expected are not caught
here; they end the step with their traceback.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from ppr_assets import errors
from ppr_assets.errors import Cancelled, PprError


@contextmanager
def expected_failures() -> Iterator[None]:
    """Turn a :class:`PprError` into a :class:`dagster.Failure`."""
    try:
        yield
    except PprError as error:
        raise failure(error) from error


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

    An interrupt is :class:`Cancelled`. A failure that was not expected becomes a plain
    :class:`PprError` with what Dagster says.
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
    return PprError(
        f"step {event.step_key} failed: {cause.message.strip() if cause else 'no reason given'}",
        hint="this was not expected; the run's page in the Dagster UI has the whole story.",
    )


def _kind(error: PprError) -> str:
    """The error's class, or the nearest above it that belongs to the one tree in ``errors``."""
    return next(kind.__name__ for kind in type(error).__mro__ if kind.__module__ == errors.__name__)
