"""``ppr-assets dump``: one guarded dump, committed and, where enabled, pushed."""

from __future__ import annotations

from collections.abc import Sequence

import click

from ppr_assets.cli.dagster.home import dagster_instance
from ppr_assets.cli.dagster.run import reports_of_night, run_nightly
from ppr_assets.cli.dagster.run_report import night_json, report
from ppr_assets.cli.shared.console import out, progress
from ppr_assets.cli.shared.context import Invocation, by_option, pass_invocation
from ppr_assets.cli.shared.heard import heard, heard_settings
from ppr_assets.cli.shared.json_document import json_option, print_json
from ppr_assets.cli.shared.override import published_override_option
from ppr_assets.operations.night import Night, reports_of_unrecorded, run_unrecorded
from ppr_assets.plain_sql.triggers import compile_ahead
from ppr_assets.rules.gate.ratchet import Override
from ppr_assets.rules.incidents import NIGHTLY, Report
from ppr_assets.rules.naming import PUBLICATION
from ppr_assets.settings import Settings


@click.command()
@published_override_option
@by_option
@click.option(
    "--without-record",
    is_flag=True,
    help="Only in an emergency, when Dagster's own storage is broken: the same dump, with every "
    "guard, without a run that records it. The manifest and the commit say so.",
)
@json_option()
@pass_invocation
def dump(
    invocation: Invocation, override: Override | None, *, without_record: bool, as_json: bool
) -> None:
    """Dump the database, guarded, and publish it in the data repository.

    Runs the Dagster job `nightly_dump` in this process, so that the dump has its run and lineage.
    When the data have not changed there is no new file and no commit. Whatever goes wrong, what
    was published before still stands.

    \b
    Examples:
      ppr-assets dump
      ppr-assets dump --override "closed county removed on purpose, ticket 214"
      ppr-assets dump --without-record

    \b
    Exit codes, so that cron can tell:
      0    published, or unchanged
      1    a file, or Dagster's own storage, cannot be used; or published, and
           not copied to a place of PPR_COPY_URLS, or the copy there differs
      3    refused by the gate: look whether the last scraper run finished
      5    database unreachable
      6    data repository unusable, or push rejected (the commit is kept)
      7    busy: another run is at work
      8    refused by the publication policy: decide on what is new
      130  cancelled
    """
    compile_ahead()  # while Dagster is imported
    settings = heard_settings(invocation, NIGHTLY)
    with heard(settings, NIGHTLY, heartbeat=True) as ending:
        settings.database.require_password()
        with progress("counting, dumping, publishing"):
            run = _unrecorded if without_record else _recorded
            night, ending.reports = run(settings, override)
        if as_json:
            print_json(night_json(night))
        else:
            _print(settings, night, override)
        if night.failure is not None:
            raise night.failure


def _recorded(settings: Settings, override: Override | None) -> tuple[Night, Sequence[Report]]:
    with dagster_instance(settings) as instance:
        night = run_nightly(settings, instance, override=override)
        return night, reports_of_night(settings, instance, night)


def _unrecorded(settings: Settings, override: Override | None) -> tuple[Night, Sequence[Report]]:
    night = run_unrecorded(settings, override=override)
    return night, reports_of_unrecorded(night)


def _print(settings: Settings, night: Night, override: Override | None) -> None:
    for line in report(night, settings.dump.policy_file or PUBLICATION):
        out.print(line)
    if override is not None and night.failure is None and night.override is None:
        out.print("override   not needed: the gate accepts it, and none is recorded")
