"""``ppr-assets history``: one record through all published nights."""

from __future__ import annotations

from typing import Any

import click

from ppr_assets.cli.shared.console import err, out, progress
from ppr_assets.cli.shared.context import Invocation, pass_invocation
from ppr_assets.cli.shared.json_document import json_option, print_json
from ppr_assets.cli.shared.looked_at import offline_option, print_view, print_withheld
from ppr_assets.operations.looking.history import Event, RecordHistory, record_history
from ppr_assets.plain_sql.tables.one_record import SoughtRecord
from ppr_assets.rules.naming import column_name, key_names, table_key

_VALUE = 60


@click.command()
@click.argument("table", metavar="TABLE")
@click.argument("key", metavar="KEY…", nargs=-1, required=True)
@offline_option
@json_option()
@pass_invocation
def history(
    invocation: Invocation, table: str, key: tuple[str, ...], *, offline: bool, as_json: bool
) -> None:
    """Follow one record through all published nights.

    When it was first seen, each change by column with the commit that published it, and when it was
    gone. KEY is the value of the table's primary key, or its values in their order. Retired dumps
    are looked at too. A night whose manifest tells the same rows of the table as another one is not
    read again. Needs no database; a partial clone fetches the dumps that it has to read. A dump
    that is damaged or missing is named, and the others are shown. Values are as PostgreSQL writes
    them. Of a partitioned table the partition has the rows: name that one. What the publication
    policy of today withholds is left out, and stderr says so.

    \b
    Examples:
      ppr-assets history organization 7d5e3a0c-8f3e-4b1f-9a52-0f6f3d7f1c11
      ppr-assets history location ID --json | jq '.events[].changes'

    \b
    Exit codes:
      0    shown, also where no night has such a record
      1    no dump has rows of such a table
      6    data repository unusable, or no dump was published
      8    the policy of today withholds the table, or cannot be read
    """
    sought = SoughtRecord(_key_of(table), key)
    with progress("reading"):
        told = record_history(invocation.settings, sought, offline=offline, on_view=print_view)
    for dump, why in told.unread.items():
        err.print(f"{dump} was not read: {why}")
    if not told.complete:
        err.print("the clone is shallow and lacks older dumps: `git fetch --unshallow` brings them")
    print_withheld(column_name(sought.table, name) for name in told.withheld)
    if as_json:
        print_json(_json(sought, told))
        return
    if not told.events:
        out.print(f"no {sought.table} {', '.join(key)} in {told.dumps} dumps")
    for event in told.events:
        _print(event)


def _key_of(table: str) -> str:
    try:
        return table_key(*key_names(table))
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="TABLE") from None


def _json(sought: SoughtRecord, told: RecordHistory) -> dict[str, Any]:
    return {
        "table": sought.table,
        "key": [*sought.values],
        "events": [event.to_json() for event in told.events],
        "row": told.row,
        "dumps": told.dumps,
        "unread": dict(told.unread),
        "withheld": [*told.withheld],
        "error": None,
    }


def _print(event: Event) -> None:
    head = f"{event.what:<10}  {event.at:%Y-%m-%d %H:%M}  commit {event.commit[:10]}  {event.dump}"
    out.print(head)
    for column, (before, after) in event.changes.items():
        out.print(f"            {column}: {_value(before)} → {_value(after)}")


def _value(value: str | None) -> str:
    if value is None:
        return "NULL"
    shown = "".join(one if one.isprintable() else f"\\x{ord(one):02x}" for one in value)
    return shown if len(shown) <= _VALUE else f"{shown[: _VALUE - 1]}…"
