"""``ppr-assets query``: SQL over a dump, without a server."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import islice
from math import isinf

import click
from msgspec import Struct

from ppr_assets.cli.looking.meant_dump import meant_options
from ppr_assets.cli.shared.console import err, print_columns, progress
from ppr_assets.cli.shared.context import Invocation, bundled, pass_invocation
from ppr_assets.cli.shared.json_document import json_option, print_json
from ppr_assets.cli.shared.looked_at import print_view, print_withheld
from ppr_assets.errors import QueryFailed
from ppr_assets.operations.looking.csv_text import csv_text
from ppr_assets.operations.looking.dump_tables import dump_tables
from ppr_assets.operations.looking.meant import Meant, meant_dump
from ppr_assets.operations.looking.published_tables import PublishedTables, todays_policy
from ppr_assets.operations.looking.query import SECONDS, Answer, Cell, answered
from ppr_assets.operations.sources.wanted import FoundDump
from ppr_assets.rules.publication.policy import Policy
from ppr_assets.settings import Settings

_HEADING = ("table", "rows", "columns")
_AT_ONCE = 1000
"""Rows that are written."""


class _How(Struct, frozen=True):
    """How long it may take, and in which form it is answered."""

    timeout: float
    as_csv: bool
    as_json: bool

    def require_one_form(self) -> None:
        if self.as_csv and self.as_json:
            raise click.UsageError("--csv and --json are two forms, one is needed")

    def show(self, answer: Answer) -> None:
        show = _print_csv if self.as_csv else _print_json if self.as_json else _print_table
        show(answer)


@click.command()
@click.argument("sql", metavar="[SQL]", required=False)
@meant_options
@bundled(
    "how",
    _How,
    click.option(
        "--timeout",
        type=click.FloatRange(min=0, min_open=True),
        default=SECONDS,
        show_default=True,
        help="Seconds after which a query is given up.",
    ),
    click.option(
        "--csv",
        "as_csv",
        is_flag=True,
        help='CSV with a heading; NULL is nothing, an empty text is "".',
    ),
    json_option("A JSON array of objects, for programs."),
)
@pass_invocation
def query(invocation: Invocation, sql: str | None, meant: Meant, how: _How) -> None:
    """Ask a dump in SQL, without a server.

    The dump is verified, and SQLite in memory gets the tables that SQL names, so the SQL is that of
    SQLite. A schema's tables go by their names in PostgreSQL; numbers are numbers where that is
    exact, booleans 1 and 0, everything else text as PostgreSQL writes it. Nothing can be written. A
    partial clone fetches the one dump. What the publication policy of today withholds is left out
    of published dumps, and stderr says so. Without SQL: tables, how many rows they have, their
    columns.

    \b
    Examples:
      ppr-assets query
      ppr-assets query "select count(*) from organization"
      ppr-assets query "select name from location limit 5" --at 2026-11-01
      ppr-assets query "select * from service" --csv > services.csv

    \b
    Exit codes:
      0    answered
      1    SQLite refuses the query, or it took too long
      4    the dump is damaged
      6    data repository unusable, or there is no such dump
      8    the policy cannot be read
    """
    how.require_one_form()
    settings = invocation.settings
    with ExitStack() as until:
        with progress("reading"):
            found = until.enter_context(meant_dump(settings.data_repo, meant, print_view))
            opened = until.enter_context(dump_tables(found))
            dump = PublishedTables(opened, _policy(settings, meant, found))
            answer = _tables(dump)
            if sql is not None:
                answer = until.enter_context(answered(dump, sql, seconds=how.timeout))
                err.print(_read(found.name, answer))
        how.show(answer)
    print_withheld(dump.said())


def _policy(settings: Settings, meant: Meant, found: FoundDump) -> Policy | None:
    """What somebody has as a file is theirs to look at."""
    if found.commit is None or meant.source is not None:
        return None
    return todays_policy(settings, elsewhere=False, offline=meant.offline)


def _read(name: str, answer: Answer) -> str:
    return f"read {', '.join(answer.tables) or 'no table'} of {name}"


def _tables(dump: PublishedTables) -> Answer:
    rows = (
        (key, dump.count(key), ", ".join(f"{one.name} {one.type}" for one in columns.values()))
        for key, columns in sorted((key, table.columns) for key, table in dump.tables.items())
    )
    return Answer(_HEADING, rows, ())


def _print_csv(answer: Answer) -> None:
    sys.stdout.write(csv_text([answer.columns]))
    rows = iter(answer.rows)
    while some := [*islice(rows, _AT_ONCE)]:
        sys.stdout.write(csv_text(some))


def _print_json(answer: Answer) -> None:
    """Raises :class:`QueryFailed` where one column would stand in another one's place."""
    twice = [name for name, count in Counter(answer.columns).items() if count > 1]
    if twice:
        raise QueryFailed(
            f"several columns are called `{twice[0]}`, and JSON keeps one of each name",
            hint=f"name them: `select a.{twice[0]} as a_{twice[0]}, …`; --csv has them all.",
        )
    print_json([dict(zip(answer.columns, map(_json, row), strict=True)) for row in answer.rows])


def _print_table(answer: Answer) -> None:
    rows = [*answer.rows]
    numbers = {
        at
        for at in range(len(answer.columns))
        if rows and all(isinstance(row[at], int | float | None) for row in rows)
    }
    print_columns([answer.columns, *_shown(rows)], numbers=numbers)


def _shown(rows: Iterable[tuple[Cell, ...]]) -> Iterator[list[str]]:
    """On one line each."""
    for row in rows:
        yield [_text(cell, "NULL").translate(_CONTROLS) for cell in row]


_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), 127)} | {
    ord(one): f"\\{letter}" for one, letter in zip("\n\r\t", "nrt", strict=True)
}
"""A cell keeps to its line, and moves no cursor."""


def _text(cell: Cell, null: str) -> str:
    if cell is None:
        return null
    return str(_json(cell))


def _json(cell: Cell) -> int | float | str | None:
    """JSON has no infinities, so they are texts, as those of a dump are."""
    if isinstance(cell, float) and isinf(cell):
        return "Infinity" if cell > 0 else "-Infinity"
    return f"\\x{cell.hex()}" if isinstance(cell, bytes) else cell
