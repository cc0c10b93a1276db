"""``ppr-assets status``: database, counts, mark and headroom, last dump, pushed or not."""

from __future__ import annotations

import json

import click

from ppr_assets.cli.console import out, progress, size
from ppr_assets.cli.context import Invocation, pass_invocation
from ppr_assets.operations.status import Status
from ppr_assets.operations.status import status as ask


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for programs.")
@pass_invocation
def status(invocation: Invocation, as_json: bool) -> None:
    """Show where things stand: the database, the gate, the last dump, the remote.

    Changes nothing. What cannot be learned is an error after everything else was shown.
    """
    with progress("asking the database and the data repository"):
        found = ask(invocation.settings)
    if as_json:
        out.print_json(json.dumps(found.to_json()), indent=2)
    else:
        _show(found)
    if found.errors:
        raise found.errors[0]


def _show(found: Status) -> None:
    lines = {"database": found.database}
    if found.verdict is not None:
        counts = found.verdict.counts
        lines["records"] = f"{sum(counts.values())} in {len(counts)} tables"
        lines["organizations"] = str(counts.get("organization", 0))
        lines["gate"] = f"would say: {found.verdict.status}"
        headroom = (f"{table} {records:+}" for table, records in found.verdict.headroom.items())
        lines["headroom"] = ", ".join(headroom)
    repository = found.repository
    if repository is not None:
        lines["mark"] = str(repository.mark.organization) if repository.mark else "none yet"
        lines["latest"] = repository.latest or "none yet"
        if repository.manifest is not None:
            manifest = repository.manifest
            lines["dumped"] = f"{manifest.snapshot_at:%Y-%m-%d %H:%M:%S} UTC, {size(manifest.bytes)}"
        lines["head"] = repository.head or "no commit yet"
        lines["pushed"] = {True: "yes", False: "no", None: "there is no remote"}[found.pushed]
    for name, text in lines.items():
        out.print(f"{name:<14} {text}", markup=False)
