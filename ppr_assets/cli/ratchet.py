"""``ppr-assets ratchet``: show the mark, or set it on purpose."""

from __future__ import annotations

import click

from ppr_assets.cli.console import out
from ppr_assets.cli.context import Invocation, pass_invocation
from ppr_assets.operations.published import published
from ppr_assets.operations.ratchet import reset as reset_mark


@click.group()
def ratchet() -> None:
    """Show the mark that dumps are held against, or set it on purpose."""


@ratchet.command()
@pass_invocation
def show(invocation: Invocation) -> None:
    """Show the mark, and what is needed of each table that the ratchet holds for."""
    settings = invocation.settings
    mark = published(settings.data_repo).mark
    if mark is None:
        out.print("no mark yet: the first dump sets it", markup=False)
        return
    percent = f"{(settings.dump.percentage * 100).normalize():f}%"
    when = f"{mark.updated_at:%Y-%m-%d %H:%M:%S} UTC" if mark.updated_at else "at an unknown time"
    out.print(f"organization {mark.organization}, set {when} by {mark.updated_by or 'nobody named'}")
    for table, rows in sorted(mark.tables.items()):
        out.print(f"{table} {rows}", markup=False)
    ratcheted = settings.dump.ratchet_tables
    out.print(f"refused below {percent} of it: {', '.join(ratcheted) if ratcheted else 'all'}")


@ratchet.command()
@click.option("--to", type=click.IntRange(min=0), required=True, help="Organizations.")
@click.option("--reason", required=True, help="Why; it is committed for everybody to read.")
@pass_invocation
def reset(invocation: Invocation, to: int, reason: str) -> None:
    """Commit another mark. The only way down, and the way out of a damaged ratchet file.

    The marks of other tables are forgotten; the next dump earns them anew.

    \b
    Example:
      ppr-assets ratchet reset --to 812 --reason "closed county removed on purpose"
    """
    outcome = reset_mark(invocation.settings, to=to, reason=reason)
    before = outcome.before.organization if outcome.before else "none"
    out.print(f"mark {before} → {outcome.after.organization} in commit {outcome.commit[:10]}")
    if outcome.delivery.failure is not None:
        raise outcome.delivery.failure
