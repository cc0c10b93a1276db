"""``ppr-assets list``: the dumps of the data repository, newest first."""

from __future__ import annotations

from typing import Any

import click

from ppr_assets.cli.shared.console import err, print_columns, size
from ppr_assets.cli.shared.context import Invocation, pass_invocation
from ppr_assets.cli.shared.json_document import json_option, print_json
from ppr_assets.cli.shared.looked_at import offline_option, print_view
from ppr_assets.data_repo.history.dump_history import PastDump
from ppr_assets.operations.published.listing import ListedDump, list_history, list_published
from ppr_assets.rules.policy import FLOOR_TABLE
from ppr_assets.rules.recorded.manifest import Manifest
from ppr_assets.rules.recorded.trust import Trust
from ppr_assets.rules.wording import plural
from ppr_assets.settings import DataRepoSettings

_HEADING = ("dump", "size", "organizations", "records", "remarks")
_HISTORY_HEADING = ("dump", "commit", "organizations", "records", "remarks")


@click.command("list")
@click.option("--history", is_flag=True, help="Every dump ever published, with its commit.")
@click.option(
    "--from",
    "source",
    metavar="DIR|URL",
    help="Those of another data repository, a place of copies, or a folder with dumps.",
)
@offline_option
@json_option("A JSON array, for programs.")
@pass_invocation
def list_dumps(
    invocation: Invocation, source: str | None, *, history: bool, offline: bool, as_json: bool
) -> None:
    """List the published dumps, newest first.

    Remarks tell which one latest.sql names, which was published unproven, why a refused gate was
    passed, and how much the publication policy withheld. Needs the clone of the data repository
    only, not the database. What is listed is what the remote has, or the clone where that is ahead;
    stderr tells which commit that is.

    With --history also those that the keep rules have retired: `ppr-assets restore --at COMMIT`
    restores the dump that the commit beside it has published.

    \b
    Examples:
      ppr-assets list
      ppr-assets list --history
      ppr-assets list --json | jq -r '.[0].sha256'
      ppr-assets list --from s3://pantry-backups/dumps
    """
    if history and source:
        raise click.UsageError("--history is that of DATA_REPO_PATH: no --from")
    if history:
        _show_history(invocation, offline=offline, as_json=as_json)
        return
    settings = invocation.settings.data_repo
    if source:
        dumps = _list_from(settings, source)
    else:
        dumps = list_published(settings, offline=offline, on_view=print_view)
    if as_json:
        print_json([dump.to_json() for dump in dumps])
    elif dumps:
        print_columns([_HEADING, *map(_row, dumps)], numbers=(1, 2, 3))
    else:
        err.print("there is no dump" if source else "no dump was published yet")
    if (damaged := next((dump.error for dump in dumps if dump.error), None)) is not None:
        raise damaged


def _list_from(settings: DataRepoSettings, source: str) -> list[ListedDump]:
    from ppr_assets.operations.sources.shelf import opened_shelf
    from ppr_assets.operations.sources.wanted import Wanted

    with opened_shelf(settings, Wanted(source=source)) as shelf:
        return shelf.listed()


def _show_history(invocation: Invocation, *, offline: bool, as_json: bool) -> None:
    settings = invocation.settings.data_repo
    history = list_history(settings, offline=offline, on_view=print_view)
    if as_json:
        print_json([_past_json(dump) for dump in history.dumps])
    elif history.dumps:
        print_columns([_HISTORY_HEADING, *map(_past_row, history.dumps)], numbers=(2, 3))
    else:
        err.print("no dump was published yet")
    if not history.complete:
        err.print("the clone is shallow and lacks older dumps: `git fetch --unshallow` brings them")


def _past_row(dump: PastDump) -> tuple[str, ...]:
    retired = dump.retired
    return (
        dump.name,
        dump.published.commit[:10],
        str(dump.records.get(FLOOR_TABLE, "")),
        str(sum(dump.records.values()) or ""),
        ", ".join(
            [
                *([f"retired {retired.date:%Y-%m-%d} in {retired.commit[:10]}"] if retired else []),
                *_past_trust(dump).remarks(),
            ]
        ),
    )


def _past_trust(dump: PastDump) -> Trust:
    """As its commit tells it."""
    return Trust.told(dump.proof, dump.override, dump.override_by)


def _past_json(dump: PastDump) -> dict[str, Any]:
    retired = dump.retired
    return {
        "dump": dump.name,
        "commit": dump.published.commit,
        "published_at": dump.published.date.isoformat(),
        "rows": dump.records or None,
        **_past_trust(dump).to_json(),
        "retired_in": retired.commit if retired else None,
        "retired_at": retired.date.isoformat() if retired else None,
    }


def _withheld(manifest: Manifest) -> list[str]:
    columns = sum(bool(one.column) for one in manifest.lacking)
    counts = (len(manifest.lacking) - columns, "table"), (columns, "column")
    told = [plural(number, what) for number, what in counts if number]
    return [f"{' and '.join(told)} withheld"] if told else []


def _row(dump: ListedDump) -> tuple[str, ...]:
    remarks = ["latest"] if dump.latest else []
    remarks += ["latest.sql.gz leads to it"] if dump.packed_latest else []
    remarks += ["in parts"] if dump.in_parts else []
    manifest = dump.manifest
    if dump.error is not None:
        return (dump.name, "", "", "", ", ".join([*remarks, "DAMAGED"]))
    if manifest is None:
        return (dump.name, "", "", "", ", ".join([*remarks, "no manifest, so unproven"]))
    remarks += Trust.of(manifest).remarks()
    remarks += _withheld(manifest)
    return (
        dump.name,
        size(manifest.bytes),
        str(manifest.rows.get("organization", 0)),
        str(sum(manifest.rows.values())),
        ", ".join(remarks),
    )
