"""What the command line does without a run, told to Dagster all the same: an event of the asset.

It is done when it is told, so a storage that does not answer changes nothing: it is waited for a
little while, and a line says that the record is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from threading import Thread
from typing import TYPE_CHECKING

import click

from ppr_assets.cli.dagster.home import HOME, dagster_instance
from ppr_assets.errors import DumpDamaged, DumpUnproven, PprError
from ppr_assets.failures import told
from ppr_assets.settings import Settings

if TYPE_CHECKING:
    from ppr_assets.operations.replaying.terms import RebuildOutcome
    from ppr_assets.operations.restoring.drill import DrillOutcome
    from ppr_assets.operations.restoring.leftovers import UndoOutcome
    from ppr_assets.operations.restoring.restore import RestoreOutcome
    from ppr_assets.orchestration.restore_facts import Event

LIMIT_SECONDS = 15.0
"""For the storage alone; to import Dagster takes its own time, and comes to an end."""


def record_restore(
    settings: Settings,
    outcome: RestoreOutcome,
    remarks: Sequence[str] = (),
    *,
    fetched: float | None = None,
) -> None:
    """``remarks``: those of the dump, which was at hand ``fetched`` seconds after it was looked
    for."""
    if _has_storage(settings):
        from ppr_assets.orchestration.restore_facts import events_of_restore

        by = settings.operator
        _record(settings, partial(events_of_restore, outcome, remarks, by=by, fetched=fetched))


def record_drill(
    settings: Settings,
    outcome: DrillOutcome,
    remarks: Sequence[str],
    *,
    fetched: float,
    latest: bool,
) -> None:
    """See :func:`record_restore`; ``latest``: of what is published last in the data repository."""
    if _has_storage(settings):
        from ppr_assets.orchestration.restore_facts import events_of_drill

        by = settings.operator
        _record(
            settings,
            partial(events_of_drill, outcome, remarks, by=by, fetched=fetched, latest=latest),
        )


def record_replay(settings: Settings, outcome: RebuildOutcome, *, seconds: float) -> None:
    if _has_storage(settings):
        from ppr_assets.orchestration.replay_facts import events_of_replay

        by = settings.operator
        _record(settings, partial(events_of_replay, outcome, by=by, seconds=seconds))


def record_undo(settings: Settings, outcome: UndoOutcome) -> None:
    if _has_storage(settings):
        from ppr_assets.orchestration.restore_facts import events_of_undo

        _record(settings, partial(events_of_undo, outcome, by=settings.operator))


def record_patch(settings: Settings, facts: Mapping[str, str]) -> None:
    """``facts``: what was patched, by name."""
    if _has_storage(settings):
        from ppr_assets.orchestration.restore_facts import events_of_patch

        _record(settings, partial(events_of_patch, facts, by=settings.operator))


@contextmanager
def mismatch_recorded(settings: Settings, asset: str) -> Iterator[None]:
    """Record of ``asset`` that the dump of the block is not what it says, where that ends it."""
    try:
        yield
    except (DumpDamaged, DumpUnproven) as error:
        if _has_storage(settings):
            from ppr_assets.orchestration.restore_facts import events_of_mismatch

            _record(settings, partial(events_of_mismatch, asset, error))
        raise


def _has_storage(settings: Settings) -> bool:
    """One that is named, or one that the command line has made in this folder before. Without one
    nothing is recorded, and Dagster not imported."""
    named = settings.dagster_home or settings.dagster_postgres_url
    return named is not None or HOME.is_dir()


def _record(settings: Settings, events: Callable[[], Sequence[Event]]) -> None:
    """Have them kept. Says on stderr what came between, and raises nothing.

    In a thread, since what hangs in a driver heeds no time limit. It ends with the process.
    """
    failures: list[str] = []
    keeping = Thread(target=_keep, args=(settings, events, failures), daemon=True)
    keeping.start()
    keeping.join(LIMIT_SECONDS)
    if keeping.is_alive():
        failures.append(f"its storage has not answered within {LIMIT_SECONDS:.0f} s")
    for failure in failures:
        click.echo(f"remark     not recorded in Dagster: {failure}", err=True)


def _keep(settings: Settings, events: Callable[[], Sequence[Event]], failures: list[str]) -> None:
    try:
        with told(settings), dagster_instance(settings) as instance:
            for event in events():
                instance.report_runless_asset_event(event)
    except PprError as error:
        failures.append(error.message)
