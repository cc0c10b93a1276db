"""``ppr-assets diff``: what changed between two dumps, or since one of them?"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec import Struct
from msgspec.structs import replace

from ppr_assets.cli.shared.console import out, print_columns, progress
from ppr_assets.cli.shared.context import Invocation, a_day, bundled, pass_invocation
from ppr_assets.cli.shared.json_document import json_option, print_json
from ppr_assets.cli.shared.looked_at import offline_option, print_view
from ppr_assets.operations.diff.compare import Focus
from ppr_assets.operations.diff.compare import diff as compared
from ppr_assets.operations.diff.records import EXAMPLES, DumpDiff, Example, TableDiff
from ppr_assets.operations.diff.two_dumps import one_dump, two_dumps
from ppr_assets.operations.sources.wanted import FoundDump
from ppr_assets.rules.wording import few
from ppr_assets.settings import Settings

if TYPE_CHECKING:
    from ppr_assets.operations.replaying.gathered import Accounts

_HEADING = ("table", "before", "after", "added", "removed", "changed", "key")
_VALUE = 40
_COLUMNS = 6
_MANY = 50
_OURS = "POSTGRES_DB"
"""Stands for the database of this name's value, which no server has under the name itself."""
_PUBLISHED = "-"
"""Stands for what the data repository has published, which is at no path of that name."""
_NOT_REPLAYED = (
    "no replay brings back what people have changed or verified by hand, the history of merges, "
    "nor what was never published"
)


class _Sides(Struct, frozen=True):
    """A, and B in one of the three ways that say what it is."""

    before: str | None
    after: str | None
    database: str | None
    replay: tuple[str, ...]
    since: str | None
    until: str | None
    offline: bool

    def require_one(self) -> None:
        if (self.after, self.database, self.replay or None).count(None) < 2:
            raise click.UsageError("B is one: a dump, --database or --replay")
        if (self.since or self.until) and not self.replay:
            raise click.UsageError("--since and --until say which days --replay reads")


class _Shown(Struct, frozen=True):
    """How much is told."""

    stat: bool
    tables: tuple[str, ...]
    as_json: bool

    @property
    def focus(self) -> Focus:
        most = 0 if self.stat else _MANY if self.tables else EXAMPLES
        return Focus(self.tables, most)


_HELP = """Show what changed from dump A to dump B: rows, table by table, and the schema.

A and B are names of dumps, paths of files, or commits, which stand for the latest dump there.
Without B it is the latest; without A the one before it. Needs no database, unless B is one:
--database dumps it aside, as the next night would. --replay makes one from published records
where dumps are proven, with the tables of A, and drops it. Both are held to A, or to the latest
dump, and leave nothing.

A row counts as changed when one with the same primary key was there before; in a table
without one, the first column takes its place. Up to three examples of each are shown. What the
publication policy withholds from one of the two alone is named as that, and changes no row.
Organizations, locations and services that came again under another id are counted: by name,
by place and name or address, by organization and name.

\b
Examples:
  ppr-assets diff
  ppr-assets diff pantry_pirate_radio_2026-11-01_02-00-00
  ppr-assets diff --stat
  ppr-assets diff --table organization --table service
  ppr-assets diff 4f2a91c03d ./downloaded.sql --json | jq '.tables[].table'
  ppr-assets diff --database
  ppr-assets diff pantry_pirate_radio_2026-11-01_02-00-00 --database rebuilt
  ppr-assets diff --replay --since 2025-08-01

\b
Exit codes:
  0    compared, whether they differ or not
  1    no dump, or no replay, could be made
  2    there are no such records to replay, or no such table
  4    one of them is damaged
  5    database unreachable
  6    data repository unusable, or there is no such dump
  7    busy: another replay is compared, or tables are changed all the time
  8    refused by the publication policy: decide on what is new
"""


@click.command(help=_HELP)
@bundled(
    "sides",
    _Sides,
    click.argument("before", metavar="[A]", required=False),
    click.argument("after", metavar="[B]", required=False),
    click.option(
        "--database",
        metavar="[NAME]",
        is_flag=False,
        flag_value=_OURS,
        help="B is what this database, or POSTGRES_DB, would publish now.",
    ),
    click.option(
        "--replay",
        metavar="[PATH]",
        is_flag=False,
        flag_value=_PUBLISHED,
        multiple=True,
        help="B is what a replay of the published records gives, or of those at PATH, which can "
        "be given more than once.",
    ),
    click.option(
        "--since",
        metavar="DAY",
        callback=a_day,
        help="The first day that --replay reads, as YYYY-MM-DD.  [default: the last "
        "DB_INIT_DAYS_TO_SYNC days that each scraper has]",
    ),
    click.option("--until", metavar="DAY", callback=a_day, help="The last day that it reads."),
    offline_option,
)
@bundled(
    "shown",
    _Shown,
    click.option("--stat", is_flag=True, help="How many rows of each table, and no examples."),
    click.option(
        "--table",
        "tables",
        metavar="NAME",
        multiple=True,
        help=f"Only this table, with up to {_MANY} rows of each kind of change.",
    ),
    json_option("A JSON object, for programs."),
)
@pass_invocation
def diff(invocation: Invocation, sides: _Sides, shown: _Shown) -> None:
    sides.require_one()
    found, accounts = _compared(invocation.settings, sides, shown.focus)
    if shown.as_json:
        print_json({**found.to_json(), **_replay_json(accounts)})
        return
    out.print(f"{found.before} → {found.after}")
    if found.tables:
        print_columns([_HEADING, *map(_row, found.tables)], numbers=range(1, 6))
    remarks = _counted(found) if shown.stat else _remarks(found, whole=bool(shown.tables))
    for line in [*_of_replay(found, accounts), *remarks]:
        out.print(line)


def _compared(settings: Settings, sides: _Sides, focus: Focus) -> tuple[DumpDiff, Accounts | None]:
    """And what a replay has come to, where B is one."""
    how: Any = dict(offline=sides.offline, on_view=print_view)  # noqa: C408 - keywords, no labels
    accounts = None
    with progress("comparing"), ExitStack() as until:
        if sides.database is None and not sides.replay:
            dumps = two_dumps(settings.data_repo, sides.before, sides.after, **how)
            one, other = until.enter_context(dumps)
        else:
            one = until.enter_context(one_dump(settings.data_repo, sides.before, **how))
            if not sides.replay:
                other = until.enter_context(_now(settings, sides.database or _OURS))
            else:
                made = _replayed(settings, one, sides)
                other, accounts = until.enter_context(made)
        found = compared(one, other, focus)
    if accounts is not None:
        found = replace(found, schema=())  # made by what A says, so only words differ
    return found, accounts


def _now(settings: Settings, database: str) -> AbstractContextManager[FoundDump]:
    """Loads what servers need only here: a diff of dumps needs none."""
    from ppr_assets.operations.as_dump import database_as_dump

    settings.database.require_password()
    name = settings.database.dbname if database == _OURS else database
    return database_as_dump(settings, dataclasses.replace(settings.database, dbname=name))


def _replayed(
    settings: Settings, schema: FoundDump, sides: _Sides
) -> AbstractContextManager[tuple[FoundDump, Accounts]]:
    from ppr_assets.operations.as_dump import replay_as_dump
    from ppr_assets.operations.replaying.published_files import Selection

    paths = [Path(path) for path in sides.replay if path != _PUBLISHED]
    selection = Selection(settings.db_init_days_to_sync, sides.since, sides.until)
    return replay_as_dump(settings, schema, paths, selection, offline=sides.offline)


def _replay_json(accounts: Accounts | None) -> Mapping[str, object]:
    if accounts is None:
        return {}
    outcomes = {one: accounts.by_outcome[one] for one in ("loaded", "empty", "rejected")}
    return {"replayed": {"files": accounts.files, **outcomes}}


def _of_replay(found: DumpDiff, accounts: Accounts | None) -> Iterator[str]:
    """What a replay was made from, and what of the dump it cannot bring back."""
    if accounts is None:
        return
    yield str(accounts)
    yield _NOT_REPLAYED
    if lost := [
        f"{one.before} {one.table}" for one in found.tables if one.before and not one.after
    ]:
        yield f"rows of tables that only the dump fills: {', '.join(lost)}"


def _row(table: TableDiff) -> tuple[str, ...]:
    sides = ("none" if rows is None else str(rows) for rows in (table.before, table.after))
    changes = (table.added, table.removed, table.changed)
    return (table.table, *sides, *map(str, changes), ", ".join(table.key))


def _counted(found: DumpDiff) -> Iterator[str]:
    """In the place of each: how many."""
    if found.schema:
        yield f"{len(found.schema)} objects of the schema differ"
    if found.withheld:
        yield f"{len(found.withheld)} tables or columns are withheld from one of the two alone"
    yield from _summary(found)


def _summary(found: DumpDiff) -> Iterator[str]:
    if not found:
        yield "nothing changed"
    yield f"{len(found.tables)} of {len(found.tables) + found.same} tables differ"


def _remarks(found: DumpDiff, *, whole: bool) -> Iterator[str]:
    """``whole``: with all columns of each row, and all of each value."""
    yield from map(str, found.other_ids)
    for table in found.tables:
        if table.verified:
            yield f"{table.table}: {table.verified} removed or changed rows had been verified"
    for table in found.tables:
        for example in table.examples:
            yield f"{table.table}  {_shown(example, table.key, whole=whole)}"
    yield from map(str, found.withheld)
    for one in found.schema:
        place = "" if one.schema == "-" else f"{one.schema}."
        yield f"{one.how} {one.kind} {place}{one.name}"
    if len(set(found.server_versions)) > 1:
        yield "dumped from server {} → {}".format(*found.server_versions)
    yield from _summary(found)


def _shown(example: Example, key: tuple[str, ...], *, whole: bool) -> str:
    columns, most = (sys.maxsize, sys.maxsize) if whole else (_COLUMNS, _VALUE)
    before, after = example.before, example.after
    if before is None or after is None:
        row = (after if before is None else before) or {}
        told = [f"{name}={_value(value, most)}" for name, value in row.items() if value is not None]
        return f"{'+' if before is None else '-'} {', '.join(told[:columns])}" + (
            " …" if len(told) > columns else ""
        )
    named = ", ".join(f"{column}={_value(after.get(column), most)}" for column in key)
    changes = [
        f"{column}: {_value(before.get(column), most)} → {_value(after.get(column), most)}"
        for column in dict.fromkeys([*before, *after])
        if before.get(column) != after.get(column)
    ]
    return f"~ {named}: {few(changes, columns, rest=', {} more')}"


def _value(value: str | None, most: int) -> str:
    if value is None:
        return "NULL"
    return value if len(value) <= most else f"{value[: most - 1]}…"
