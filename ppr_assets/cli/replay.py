"""``ppr-assets replay``: the second road to recovery, from the published records."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import click

from ppr_assets.cli.shared.console import out, print_columns, print_json, progress
from ppr_assets.cli.shared.context import Invocation, bundled, pass_invocation
from ppr_assets.cli.shared.looked_at import offline_option
from ppr_assets.operations.replaying.accounts import Accounts, Line
from ppr_assets.operations.replaying.published_files import Selection
from ppr_assets.operations.replaying.replay import ReplayOutcome, opened_input
from ppr_assets.operations.replaying.replay import replay as replay_records
from ppr_assets.operations.restoring.target import require_not_storage, require_ordinary
from ppr_assets.operations.sources.wanted import Wanted

_SHOWN = 12


@dataclass(frozen=True)
class _Which:
    since: str | None
    until: str | None
    scrapers: tuple[str, ...]
    patterns: tuple[str, ...]

    def selection(self, days: int) -> Selection:
        return Selection(days, self.since, self.until, self.scrapers, self.patterns)


def _a_day(_: click.Context, option: click.Parameter, value: str | None) -> str | None:
    """Days are compared as they are written, so they are written in one way."""
    if value is None or re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        return value
    raise click.BadParameter(f"`{value}` must be a day like 2026-11-01", param=option)


@click.command()
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(path_type=Path))
@bundled(
    "which",
    _Which,
    click.option(
        "--since",
        metavar="DAY",
        callback=_a_day,
        help="The first day, as YYYY-MM-DD.  [default: the last DB_INIT_DAYS_TO_SYNC days that "
        "each scraper has]",
    ),
    click.option("--until", metavar="DAY", callback=_a_day, help="The last day."),
    click.option(
        "--scraper", "scrapers", metavar="NAME", multiple=True, help="Of this scraper alone."
    ),
    click.option(
        "--pattern", "patterns", metavar="GLOB", multiple=True, help="Paths like this alone."
    ),
)
@click.option(
    "--from", "source", metavar="DIR|URL", help="Another data repository, as its branch has it."
)
@click.option("--at", metavar="COMMIT", help="As published at this commit.")
@offline_option
@click.option("--into", metavar="DATABASE", help="This database instead of POSTGRES_DB.")
@click.option("--dry-run", is_flag=True, help="Read and decide; leave the server alone.")
@click.option("--strict", is_flag=True, help="Load nothing if a file cannot be used.")
@click.option(
    "--report",
    type=click.Path(path_type=Path, dir_okay=False, writable=True),
    help="What became of each file, as JSON lines.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for programs.")
@pass_invocation
def replay(
    invocation: Invocation,
    paths: tuple[Path, ...],
    which: _Which,
    source: str | None,
    at: str | None,
    into: str | None,
    report: Path | None,
    *,
    offline: bool,
    dry_run: bool,
    strict: bool,
    as_json: bool,
) -> None:
    """Rebuild an empty database from the published records.

    Read is what the data repository has published, or a PATH: a folder or a file of records.
    Records apply from the oldest day on, so that the newest word stands. What is one organization
    or place is decided by name and address, coordinates or contact, and never by a name alone.
    Every file ends as one of loaded, empty, rejected; what the tables have no place for is counted.

    \b
    Examples:
      ppr-assets replay --dry-run
      ppr-assets replay --into rebuilt --report replay.jsonl
      ppr-assets replay --from https://example.org/data.git --since 2025-08-01
      ppr-assets replay ./HAARRRvest/daily/2025-08-08 --scraper freshtrak

    \b
    Exit codes:
      0    replayed
      1    the server could not take it; nothing was loaded
      2    a database or a file that is none
      3    refused: the database holds records
      4    a file cannot be used, and --strict was given
      5    database unreachable
      6    data repository unusable
      7    busy: somebody writes to the database
    """
    settings = invocation.settings
    target = settings.restore_target(into)
    if not dry_run:
        settings.database.require_password()
        require_ordinary(target.dbname)
        require_not_storage(target, settings.dagster_postgres_url)
    if paths and (source or at):
        raise click.UsageError("PATH names files, so neither --from nor --at can choose others")
    wanted = Wanted(source=source, at=at, offline=offline)
    selection = which.selection(settings.db_init_days_to_sync)
    with ExitStack() as until, progress("reading published records"):
        given = until.enter_context(opened_input(settings.data_repo, paths, wanted, selection))
        file = until.enter_context(_report(report)) if report else None

        def told(line: Line) -> None:
            if file:
                file.write(json.dumps(line.to_json()) + "\n")

        outcome = replay_records(target, given, load=not dry_run, strict=strict, on_line=told)
    if as_json:
        print_json(_json(outcome))
        return
    _print_table(outcome.accounts)
    for word, text in _lines(outcome, target.dbname):
        out.print(f"{word:<10} {text}", markup=False)


@contextmanager
def _report(path: Path) -> Iterator[IO[str]]:
    """Has its name when all is done, so that it never says loaded of what was taken back."""
    beside = path.with_name(f"{path.name}.partial")
    try:
        with beside.open("w", encoding="utf-8") as file:
            yield file
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _print_table(accounts: Accounts) -> None:
    heading = ["scraper", "loaded", "empty", "rejected"]
    rows = [
        [scraper, *(str(counts[one]) for one in heading[1:])]
        for scraper, counts in sorted(accounts.by_scraper.items())
    ]
    print_columns([heading, *rows], numbers={1, 2, 3})


def _lines(outcome: ReplayOutcome, database: str) -> Iterator[tuple[str, str]]:
    accounts = outcome.accounts
    yield "files", str(accounts)
    for became in ("empty", "rejected"):
        yield from _most(became, _reasons(accounts, became))
    if accounts.truncated:
        yield "cut short", f"{accounts.truncated} answers were cut off: locations may be missing"
    organizations, locations = outcome.merged
    yield "merged", f"{organizations} organizations and {locations} locations told more than once"
    yield from _most("no place", outcome.no_place)
    yield from _most("filled", outcome.filled)
    yield from _most("unknown", accounts.without_place)
    if outcome.changed:
        shown = ", ".join(f"{count} {table}" for table, count in outcome.changed.items() if count)
        yield "replayed", f"{database}: {shown or 'nothing changed'}"
    else:
        yield "dry run", "the server was left alone"


def _most(word: str, counts: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    """The most frequent, and how many others there are."""
    often = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    for name, count in often[:_SHOWN]:
        yield word, f"{count}: {name}"
    if beside := len(often[_SHOWN:]):
        yield word, f"and {beside} more, which --json lists"


def _reasons(accounts: Accounts, outcome: str) -> Mapping[str, int]:
    return {
        reason: count
        for (became, reason), count in accounts.by_reason.most_common()
        if became == outcome
    }


def _json(outcome: ReplayOutcome) -> dict[str, object]:
    accounts = outcome.accounts
    return {
        "files": accounts.files,
        **{one: accounts.by_outcome[one] for one in ("loaded", "empty", "rejected")},
        "reasons": {one: _reasons(accounts, one) for one in ("empty", "rejected")},
        "merged": dict(zip(("organization", "location"), outcome.merged, strict=True)),
        "changed": dict(outcome.changed),
        "no_place": dict(outcome.no_place),
        "filled": dict(outcome.filled),
        "unknown": dict(accounts.without_place),
        "truncated": accounts.truncated,
    }
