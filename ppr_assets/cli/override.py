"""The option by which a human lets fewer records serve than before, with the reason."""

from __future__ import annotations

import click

from ppr_assets.cli.context import worded
from ppr_assets.rules.ratchet import Override

override_option = click.option(
    "--override",
    "reason",
    metavar="REASON",
    callback=worded,
    help="Take a dump that is refused for its few records, this once. The reason is recorded in "
    "the output and in the comment of the former database.",
)


def overridden(reason: str | None) -> Override | None:
    return Override(reason, "command line") if reason else None
