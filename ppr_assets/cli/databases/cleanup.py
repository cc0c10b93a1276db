"""``ppr-assets cleanup``: drop the former databases that restores have kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import click

from ppr_assets.cli.shared.console import out, size
from ppr_assets.cli.shared.context import Invocation, pass_invocation
from ppr_assets.cli.shared.json_document import json_option, print_json
from ppr_assets.errors import Busy
from ppr_assets.operations.restoring.leftovers import Cleaned
from ppr_assets.operations.restoring.leftovers import cleanup as drop_leftovers


@click.command()
@click.option("--dry-run", is_flag=True, help="Only say what would be dropped.")
@click.option(
    "--older-than",
    metavar="DAYS",
    type=click.IntRange(min=0, max=36500),
    default=1,
    show_default=True,
    help="Keep former databases that were replaced within so many days; 0 keeps none.",
)
@click.option(
    "--into",
    metavar="DATABASE",
    help="Clean up after `restore --into DATABASE` instead of POSTGRES_DB.",
)
@json_option("A JSON array, for programs.")
@pass_invocation
def cleanup(
    invocation: Invocation, *, dry_run: bool, older_than: int, into: str | None, as_json: bool
) -> None:
    """Drop what restores have left beside the database.

    That is former databases, DATABASE_before_MOMENT, which were the way back, and half-made ones
    of runs that were killed. Former ones with a session in them, and those of the last day,
    are kept and named: whoever restores the wrong dump finds out in the morning.

    \b
    Examples:
      ppr-assets cleanup --dry-run
      ppr-assets cleanup --older-than 7
      ppr-assets cleanup --older-than 0

    \b
    Exit codes:
      0    done, or nothing to do
      1    the server refused to drop one
      5    database unreachable
      7    busy: a restore or drill is at work, or somebody is in a database
           that would go; the others were dropped
    """
    settings = invocation.settings
    settings.database.require_password()
    target = settings.restore_target(into)
    looked_at = []
    span = timedelta(days=older_than)
    for cleaned in drop_leftovers(target, older_than=span, dry_run=dry_run):
        looked_at.append(cleaned)
        if not as_json:
            out.print(_line(cleaned))
    if as_json:
        print_json([_json(cleaned) for cleaned in looked_at])
    if not dry_run:
        _require_unused(looked_at)
    if not (looked_at or as_json):
        out.print(f"nothing to drop: no restore has left anything beside {target.dbname}")


def _require_unused(looked_at: Sequence[Cleaned]) -> None:
    used = [cleaned.leftover.name for cleaned in looked_at if cleaned.in_use]
    if used:
        raise Busy(
            f"busy: somebody works in a database that was replaced, so it was kept: "
            f"{', '.join(used)}",
            hint="what is written there is not in the database that serves. End those sessions "
            "(they are named above), and run again.",
        )


def _json(cleaned: Cleaned) -> dict[str, Any]:
    left = cleaned.leftover
    return {
        "database": left.name,
        "bytes": left.bytes,
        "made_at": left.made_at.isoformat(),
        "half_made": left.kind == "restoring",
        "what": cleaned.what,
        "why": cleaned.why or None,
    }


def _line(cleaned: Cleaned) -> str:
    left = cleaned.leftover
    room = f", {size(left.bytes)}" if left.bytes is not None else ""
    half_made = ", half made" if left.kind == "restoring" else ""
    why = f": {cleaned.why}" if cleaned.why else ""
    moment = f"{left.made_at:%Y-%m-%d %H:%M:%S} UTC"
    return f"{cleaned.what} {left.name}{room}, from {moment}{half_made}{why}"
