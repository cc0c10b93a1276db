"""``ppr-assets doctor``: each precondition on a line, ok or what to do."""

from __future__ import annotations

import click
from rich.markup import escape

from ppr_assets.cli.console import out
from ppr_assets.cli.context import Invocation, pass_invocation
from ppr_assets.errors import PprError
from ppr_assets.operations.examine import examine


@click.command()
@pass_invocation
def doctor(invocation: Invocation) -> None:
    """Look at everything that a dump needs, and say what to do where something is missing.

    Changes nothing, except that a missing clone of the data repository is made. Exits with the
    code of the first thing that is missing.
    """
    first: PprError | None = None
    settings = invocation.settings
    out.print("[green]ok[/green]      settings         read, all usable")
    for finding in examine(settings):
        mark = "[green]ok[/green]     " if finding.error is None else "[red]missing[/red]"
        out.print(f"{mark} {finding.what:<16} {escape(finding.detail)}")
        if finding.error is not None:
            first = first or finding.error
            if finding.error.hint:
                out.print(f"{'':<24} HINT: {escape(finding.error.hint)}")
    if first is not None:
        raise click.exceptions.Exit(first.exit_code)
