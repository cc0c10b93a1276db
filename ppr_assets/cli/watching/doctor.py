"""``ppr-assets doctor``: each precondition on a line, ok or what to do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click
from rich.markup import escape

from ppr_assets.cli.dagster.files import require_files
from ppr_assets.cli.dagster.home import HOME, require_config, storage_of
from ppr_assets.cli.dagster.storage import require_home, require_storage
from ppr_assets.cli.shared.console import out
from ppr_assets.cli.shared.context import Invocation, pass_invocation
from ppr_assets.cli.shared.json_document import error_json, json_option, print_json
from ppr_assets.errors import PprError, SettingsError
from ppr_assets.failures import told
from ppr_assets.operations.doctor import Precondition, preconditions
from ppr_assets.operations.restoring.serving.ordinary import require_apart
from ppr_assets.settings import Settings


@click.command()
@json_option("A JSON array, for programs.")
@pass_invocation
def doctor(invocation: Invocation, *, as_json: bool) -> None:
    """Look at everything that a dump needs, and say what to do where something is missing.

    One line for each thing: `ok`, or `FIX` and what to do. Changes nothing, except that a missing
    clone of the data repository is made; what the database holds is tried, without rows, in a
    scratch database where dumps are proven. Exits with the code of the first thing to fix, else 0.
    """
    findings = [*_findings(invocation)] if as_json else [*map(_shown, _findings(invocation))]
    broken = [finding.error for finding in findings if finding.error is not None]
    if as_json:
        print_json([_json(finding) for finding in findings])
    elif broken:
        out.print(f"{len(broken)} to fix; start with the first, it may explain the others")
    else:
        out.print("everything that a dump needs is there")
    if broken:
        raise click.exceptions.Exit(broken[0].exit_code)


def _findings(invocation: Invocation) -> Iterator[Precondition]:
    try:
        settings = invocation.settings
    except SettingsError as error:
        yield Precondition("settings", error.message, error)
        return
    yield Precondition("settings", "read, all usable")
    yield from preconditions(settings)
    yield _dagster(settings)


def _dagster(settings: Settings) -> Precondition:
    """Where runs and lineage are kept; asked without starting anything."""
    home, url = settings.dagster_home, settings.dagster_postgres_url
    try:
        if home is not None:
            require_home(home)
            require_config(home)
        if url is not None:
            require_apart(settings.database, url)
            require_storage(url)
        with told(settings):
            require_files(home or HOME)
    except PprError as error:
        return Precondition("dagster", error.message, error)
    return Precondition("dagster", f"home {home or HOME.resolve()}, {storage_of(home, url)}")


def _json(finding: Precondition) -> dict[str, Any]:
    return {
        "what": finding.what,
        "detail": finding.detail,
        "error": error_json(finding.error),
    }


def _shown(finding: Precondition) -> Precondition:
    mark = "[green]ok [/green]" if finding.error is None else "[red]FIX[/red]"
    out.print(f"{mark}  {finding.what:<16} {escape(finding.detail)}", markup=True)
    if finding.error is not None and finding.error.hint:
        out.print(f"{'':<22}HINT: {finding.error.hint}")
    return finding
