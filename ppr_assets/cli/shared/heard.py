"""How a verb's own run ends is told, where no daemon looks at it: from cron, or by hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import click
from msgspec import Struct

from ppr_assets.cli.shared.context import Invocation
from ppr_assets.errors import SettingsError
from ppr_assets.failures import in_words
from ppr_assets.rules.incidents import Report, failed, succeeded
from ppr_assets.settings import Settings


class Ending(Struct):
    """What the verb itself knows of its end; without ``reports``, it has succeeded or failed."""

    reports: Sequence[Report] = ()


def heard_settings(invocation: Invocation, job: str) -> Settings:
    """The settings. That they cannot be read is told of as well, a night of cron would else fail
    unheard."""
    try:
        return invocation.settings
    except SettingsError:
        with (
            suppress(SettingsError),
            heard(Settings.for_alerts(invocation.dotenv), job, heartbeat=True),
        ):
            raise
        raise


@contextmanager
def heard(settings: Settings, job: str, *, heartbeat: bool = False) -> Iterator[Ending]:
    """Report how the block ends as the end of a run of ``job``, and ping around it.

    Who only tries something (``--dry-run``) has no run, and an interrupt is told of to nobody.
    """
    ending = Ending()
    if not settings.alerts.told:
        yield ending
        return
    from ppr_assets.alerts.heartbeat import ping
    from ppr_assets.alerts.reporting import now, report

    if heartbeat:
        ping(settings, "start")
    try:
        yield ending
    except click.ClickException:  # said wrongly, so nothing was begun
        raise
    except Exception as error:
        known = in_words(error, settings)
        reports = ending.reports or failed(job, known, now())
        report(settings, reports)
        if heartbeat and reports:
            ping(settings, "fail", known.render())
        raise
    report(settings, ending.reports or succeeded(job, now()))
    if heartbeat:
        ping(settings, "")
