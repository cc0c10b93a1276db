"""``ppr-assets list``: the dumps of the data repository, newest first."""

from __future__ import annotations

import json

import click
from rich.table import Table

from ppr_assets.cli.console import out, size
from ppr_assets.cli.context import Invocation, pass_invocation
from ppr_assets.operations.listing import ListedDump, list_published


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="A JSON array, for programs.")
@pass_invocation
def list_dumps(invocation: Invocation, as_json: bool) -> None:
    """List the published dumps, newest first; the one that latest.sql names is marked.

    Needs the clone of the data repository only, not the database.
    """
    dumps = list_published(invocation.settings.data_repo)
    if as_json:
        out.print_json(json.dumps([dump.to_json() for dump in dumps]), indent=2)
        return
    if not dumps:
        out.print("no dump was published yet")
        return
    out.print(_table(dumps))


def _table(dumps: list[ListedDump]) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("dump", "size", "organizations", "records", "override"):
        table.add_column(column, justify="right" if column not in ("dump", "override") else "left")
    for dump in dumps:
        manifest = dump.manifest
        if manifest is None:
            table.add_row(dump.name, "", "", "", "(no manifest)")
            continue
        table.add_row(
            f"{dump.name}{'  ← latest' if dump.latest else ''}",
            size(manifest.bytes),
            str(manifest.rows.get("organization", 0)),
            str(sum(manifest.rows.values())),
            manifest.override.reason if manifest.override else "",
        )
    return table
