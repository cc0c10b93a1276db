"""``ppr-assets replay``: the second road to recovery, from the published records."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from time import monotonic

import click
from msgspec import Struct
from msgspec.structs import replace

from ppr_assets.cli.dagster.recording import record_replay
from ppr_assets.cli.databases.replay_report import (
    Outcome,
    followed,
    print_replay,
    replay_json,
    reported,
)
from ppr_assets.cli.shared.console import print_lines, progress
from ppr_assets.cli.shared.context import Invocation, a_day, bundled, by_option, pass_invocation
from ppr_assets.cli.shared.heard import heard
from ppr_assets.cli.shared.json_document import json_option, print_json
from ppr_assets.cli.shared.looked_at import offline_option
from ppr_assets.cli.shared.override import override_option
from ppr_assets.cli.shared.target_lines import testing_line
from ppr_assets.operations.replaying.gathered import preview
from ppr_assets.operations.replaying.input import Input, opened_input
from ppr_assets.operations.replaying.published_files import Selection
from ppr_assets.operations.replaying.terms import RebuildOutcome, RebuildTerms
from ppr_assets.operations.restoring.serving.ordinary import require_not_storage, require_ordinary
from ppr_assets.operations.sources.wanted import Wanted
from ppr_assets.rules.gate.ratchet import Override
from ppr_assets.settings import DatabaseSettings, Settings


class _Which(Struct, frozen=True):
    """The files that are read: those at ``paths``, or of what the data repository has published."""

    paths: tuple[Path, ...]
    since: str | None
    until: str | None
    scrapers: tuple[str, ...]
    patterns: tuple[str, ...]

    def selection(self, days: int) -> Selection:
        return Selection(days, self.since, self.until, self.scrapers, self.patterns)


class _Origin(Struct, frozen=True):
    """Where published records are from."""

    source: str | None
    at: str | None
    offline: bool

    @property
    def wanted(self) -> Wanted:
        return Wanted(source=self.source, at=self.at, offline=self.offline)


class _How(Struct, frozen=True):
    """How it is gone about, and told. ``read_only``: the server is left alone."""

    dry_run: bool
    strict: bool
    report: Path | None
    explained: str | None
    as_json: bool

    @property
    def read_only(self) -> bool:
        return self.dry_run or self.explained is not None


class _Where(Struct, frozen=True):
    """Where it goes, and what a human lets it do there."""

    into: str | None
    schema: str | None
    replace: bool
    disconnect: bool
    batch: bool
    override: Override | None

    def terms(self, settings: Settings, wanted: Wanted, *, strict: bool) -> RebuildTerms:
        from ppr_assets.operations.restoring.serving.guarding import guard_of

        guard = guard_of(settings.dump, for_service=self.into is None, override=self.override)
        schema = self._schema(wanted) if self.schema else None
        return RebuildTerms(self.replace, schema, self.disconnect, strict, self.batch, guard)

    def _schema(self, records: Wanted) -> Wanted:
        """A file that is there, or else a dump of where the ``records`` are from."""
        if self.schema and Path(self.schema).is_file():
            return Wanted(source=self.schema)
        return replace(records, dump=None if self.schema == "latest" else self.schema)


_HELP = """Rebuild a database from the published records.

Read is what the data repository has published, or a PATH: a folder or a file of records.
Records apply from the oldest day on, so that the newest word stands. What is one organization
or place is decided by name and address, coordinates or contact, and never by a name alone.
Every file ends as one of loaded, empty, rejected; what the tables have no place for is counted.
Empty tables are filled in one transaction. Where there are none, or with --replace, a new
database is filled beside the target and takes its place by a rename: a replay that would leave
organization, location or service without records, or with less than
SQL_DUMP_RATCHET_PERCENTAGE of those that serve now, is refused.

\b
Examples:
  ppr-assets replay --dry-run
  ppr-assets replay --into rebuilt --schema latest --report replay.jsonl
  ppr-assets replay --replace
  ppr-assets replay --from https://example.org/data.git --since 2025-08-01
  ppr-assets replay --explain daily/2025-08-08/scrapers/freshtrak/4711.json
  ppr-assets replay ./HAARRRvest/daily/2025-08-08 --scraper freshtrak

\b
Exit codes:
  0    replayed
  1    the server could not take it; nothing was loaded
  2    no such database, file or id
  3    refused: the database holds records, or too few would be left
  4    a file cannot be used, and --strict was given; --schema is damaged
  5    database unreachable
  6    data repository unusable, or there is no such dump for --schema
  7    busy: somebody writes to the database, or sessions (see --disconnect)
  130  cancelled
"""


@click.command(help=_HELP)
@bundled(
    "which",
    _Which,
    click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(path_type=Path)),
    click.option(
        "--since",
        metavar="DAY",
        callback=a_day,
        help="The first day, as YYYY-MM-DD.  [default: the last DB_INIT_DAYS_TO_SYNC days that "
        "each scraper has]",
    ),
    click.option("--until", metavar="DAY", callback=a_day, help="The last day."),
    click.option(
        "--scraper", "scrapers", metavar="NAME", multiple=True, help="Only files of this scraper."
    ),
    click.option(
        "--pattern", "patterns", metavar="GLOB", multiple=True, help="Only paths like this."
    ),
)
@bundled(
    "origin",
    _Origin,
    click.option(
        "--from", "source", metavar="DIR|URL", help="Another data repository, as its branch has it."
    ),
    click.option("--at", metavar="COMMIT", help="As published at this commit."),
    offline_option,
)
@bundled(
    "where",
    _Where,
    click.option(
        "--into",
        metavar="DATABASE",
        help="This database instead of POSTGRES_DB; with --schema it need not exist.",
    ),
    click.option(
        "--schema",
        metavar="DUMP|FILE",
        help="Make the tables where there are none: those of a dump of the data repository "
        "(latest, or its name), or of a file (plain SQL). Rows are not taken.",
    ),
    click.option(
        "--replace",
        is_flag=True,
        help="Fill a new database and put it in the place of one that has records, which is kept. "
        "Its tables are those of --schema, else of the one that serves.",
    ),
    click.option(
        "--disconnect",
        is_flag=True,
        help="End sessions on the target, at the swap. Without it they are a reason to refuse.",
    ),
    click.option(
        "--batch",
        is_flag=True,
        help="Commit each table for itself, for a history that is too large for one transaction. "
        "What was committed stays if it is ended; the same command goes on then.",
    ),
    override_option,
    by_option,
)
@bundled(
    "how",
    _How,
    click.option("--dry-run", is_flag=True, help="Read and decide; leave the server alone."),
    click.option("--strict", is_flag=True, help="Load nothing if a file cannot be used."),
    click.option(
        "--report",
        type=click.Path(path_type=Path, dir_okay=False, writable=True),
        help="What became of each file, as JSON lines.",
    ),
    click.option(
        "--explain",
        "explained",
        metavar="FILE|ID",
        help="Instead of replaying, how what is in a file, or the row of an id, came to be.",
    ),
    json_option(),
)
@pass_invocation
def replay(
    invocation: Invocation, which: _Which, origin: _Origin, where: _Where, how: _How
) -> None:
    settings = invocation.settings
    target = settings.restore_target(where.into)
    if not how.read_only:
        settings.database.require_password()
        require_ordinary(target.dbname)
        require_not_storage(target, settings.dagster_postgres_url)
    if which.paths and (origin.source or origin.at):
        raise click.UsageError("PATH names files, so neither --from nor --at can choose others")
    selection = which.selection(settings.db_init_days_to_sync)
    opening = opened_input(settings.data_repo, which.paths, origin.wanted, selection)
    if how.explained:
        _explain(opening, how.explained, as_json=how.as_json)
        return
    if not (how.dry_run or how.as_json):
        _tell_before(settings, target, where)
    terms = partial(where.terms, settings, origin.wanted, strict=how.strict)
    started = monotonic()
    outcome = _replayed(settings, target, opening, terms, how)
    seconds = monotonic() - started
    if how.as_json:
        print_json(replay_json(outcome))
    else:
        print_replay(outcome)
    if isinstance(outcome, RebuildOutcome):
        record_replay(settings, outcome, seconds=seconds)


def _explain(opening: AbstractContextManager[Input], asked: str, *, as_json: bool) -> None:
    from ppr_assets.cli.databases.replay_report import print_explanation
    from ppr_assets.operations.replaying.explain import explain

    with (
        progress("reading published records") as watched,
        opening as given,
        followed(given, watched=watched) as on_line,
    ):
        found = explain(given, asked, on_line)
    print_explanation(found, as_json=as_json)


def _tell_before(settings: Settings, target: DatabaseSettings, where: _Where) -> None:
    if where.batch:
        print_lines([("batch", "each table is committed for itself, and stays if this is ended")])
    if settings.testing:
        print_lines([testing_line(target.dbname)])


def _replayed(
    settings: Settings,
    target: DatabaseSettings,
    opening: AbstractContextManager[Input],
    terms: Callable[[], RebuildTerms],
    how: _How,
) -> Outcome:
    with (
        nullcontext() if how.dry_run else heard(settings, "replay"),
        progress("reading published records") as watched,
        opening as given,
        reported(how.report) as reporting,
        followed(given, reporting, watched=watched) as on_line,
    ):
        if how.dry_run:
            return preview(given, strict=how.strict, on_line=on_line)
        # Loaded while the processes that read the files get ready.
        from ppr_assets.operations.replaying.rebuild import rebuild

        return rebuild(settings, target, given, terms(), on_line=on_line)
