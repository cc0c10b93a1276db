"""``ppr-assets replay``: the second road to recovery, from the published records."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import click

from ppr_assets.cli.shared.console import print_json, progress
from ppr_assets.cli.shared.context import Invocation, bundled, pass_invocation
from ppr_assets.cli.shared.looked_at import offline_option
from ppr_assets.cli.shared.replay_explained import print_explanation
from ppr_assets.cli.shared.replay_report import followed, print_replay, replay_json, reported
from ppr_assets.operations.replaying.explain import explain
from ppr_assets.operations.replaying.input import opened_input
from ppr_assets.operations.replaying.published_files import Selection
from ppr_assets.operations.replaying.replay import replay as replay_records
from ppr_assets.operations.restoring.target import require_not_storage, require_ordinary
from ppr_assets.operations.sources.wanted import Wanted


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
@click.option(
    "--explain",
    "explained",
    metavar="FILE|ID",
    help="Instead of replaying, how what is in a file, or the row of an id, came to be.",
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
    explained: str | None,
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
      ppr-assets replay --explain daily/2025-08-08/scrapers/freshtrak/4711.json
      ppr-assets replay ./HAARRRvest/daily/2025-08-08 --scraper freshtrak

    \b
    Exit codes:
      0    replayed
      1    the server could not take it; nothing was loaded
      2    a database, a file or an id that is none
      3    refused: the database holds records
      4    a file cannot be used, and --strict was given
      5    database unreachable
      6    data repository unusable
      7    busy: somebody writes to the database
    """
    settings = invocation.settings
    target = settings.restore_target(into)
    if not (dry_run or explained):
        settings.database.require_password()
        require_ordinary(target.dbname)
        require_not_storage(target, settings.dagster_postgres_url)
    if paths and (source or at):
        raise click.UsageError("PATH names files, so neither --from nor --at can choose others")
    wanted = Wanted(source=source, at=at, offline=offline)
    selection = which.selection(settings.db_init_days_to_sync)
    if explained:
        with (
            progress("reading published records") as say,
            opened_input(settings.data_repo, paths, wanted, selection) as given,
        ):
            found = explain(given, explained, followed(given, say))
        print_explanation(found, as_json=as_json)
        return
    with (
        progress("reading published records") as say,
        opened_input(settings.data_repo, paths, wanted, selection) as given,
        reported(report) as on_line,
    ):
        on_line = followed(given, say, on_line)
        outcome = replay_records(target, given, load=not dry_run, strict=strict, on_line=on_line)
    if as_json:
        print_json(replay_json(outcome))
    else:
        print_replay(outcome, target.dbname)
