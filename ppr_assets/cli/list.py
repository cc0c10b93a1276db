"""``ppr-assets list``: the dumps of the data repository, newest first."""

from __future__ import annotations

import click

from ppr_assets.cli.console import err, print_columns, print_json, size
from ppr_assets.cli.context import Invocation, pass_invocation
from ppr_assets.operations.listing import ListedDump, list_published

_HEADING = ("dump", "size", "organizations", "records", "remarks")


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="A JSON array, for programs.")
@pass_invocation
def list_dumps(invocation: Invocation, as_json: bool) -> None:
    """List the published dumps, newest first.

    Remarks tell which one latest.sql names, and why a refused gate was passed. Needs the clone of
    the data repository only, not the database.

    \b
    Examples:
      ppr-assets list
      ppr-assets list --json | jq -r '.[0].sha256'
    """
    dumps = list_published(invocation.settings.data_repo)
    if as_json:
        print_json([dump.to_json() for dump in dumps])
    elif dumps:
        print_columns([_HEADING, *map(_row, dumps)], numbers=(1, 2, 3))
    else:
        err.print("no dump was published yet")


def _row(dump: ListedDump) -> tuple[str, ...]:
    remarks = ["latest"] if dump.latest else []
    manifest = dump.manifest
    if manifest is None:
        return (dump.name, "", "", "", ", ".join([*remarks, "no manifest"]))
    if manifest.override is not None:
        remarks.append(f"overridden: {manifest.override.reason}")
    return (
        dump.name,
        size(manifest.bytes),
        str(manifest.rows.get("organization", 0)),
        str(sum(manifest.rows.values())),
        ", ".join(remarks),
    )
