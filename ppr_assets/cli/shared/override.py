"""The options by which a human takes what is refused, with the reason and a name."""

from __future__ import annotations

from pathlib import Path

import click

from ppr_assets.cli.shared.context import invocation_of, worded
from ppr_assets.rules.gate.ratchet import Override
from ppr_assets.rules.naming import is_dump_name

_NO_REASON = "no reason given"


def _decision(
    context: click.Context, parameter: click.Parameter, reason: str | None
) -> Override | None:
    said = worded(context, parameter, reason)
    if not said:
        return None
    return Override(said, "command line", invocation_of(context).settings.operator)


def _no_dump(
    context: click.Context, parameter: click.Parameter, reason: str | None
) -> Override | None:
    """Refuse a dump's name in the place of the reason: another dump would be restored then."""
    named = reason is not None and (
        reason.endswith((".sql", ".gz", ".xz")) or is_dump_name(f"{reason}.sql")
    )
    if reason is not None and (named or Path(reason).exists()):
        raise click.BadParameter(f"`{reason}` is a dump, not a reason", context, parameter)
    return _decision(context, parameter, reason)


published_override_option = click.option(
    "--override",
    metavar="REASON",
    callback=_decision,
    help="Publish a dump that the gate refuses, this once. The reason is recorded in the manifest, "
    "the commit and the run, for everybody to read.",
)

override_option = click.option(
    "--override",
    metavar="REASON",
    callback=_decision,
    help="Take what is refused for its few records, this once. The reason is recorded in "
    "the output and in the comment of the former database.",
)

accept_option = click.option(
    "--accept-differences",
    "accept",
    metavar="[REASON]",
    is_flag=False,
    flag_value=_NO_REASON,
    callback=_no_dump,
    help="Take a database whose objects are defined otherwise than in the dump, or lacks some; "
    "never other rows, nor fewer tables. What was taken, and why, is recorded in the output and in "
    "the database's own comment.",
)
