"""``ppr-assets restore``: bring a database back from a dump, the old one serving until then."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from time import monotonic

import click
from msgspec import Struct
from msgspec.structs import asdict, astuple, replace

from ppr_assets.cli.dagster.recording import mismatch_recorded, record_restore, record_undo
from ppr_assets.cli.databases.patch import RowOptions, restore_rows, row_options
from ppr_assets.cli.databases.restore_report import outcome_json, outcome_lines
from ppr_assets.cli.shared.chosen_dump import age, dump_or_date_options, print_stage
from ppr_assets.cli.shared.console import print_lines, progress, size
from ppr_assets.cli.shared.context import Invocation, bundled, by_option, pass_invocation
from ppr_assets.cli.shared.heard import heard
from ppr_assets.cli.shared.json_document import json_option, print_json
from ppr_assets.cli.shared.looked_at import print_view
from ppr_assets.cli.shared.override import accept_option, override_option
from ppr_assets.cli.shared.target_lines import former_lines, testing_line
from ppr_assets.deadline import Deadline
from ppr_assets.operations.restoring.in_place import restore_in_place
from ppr_assets.operations.restoring.leftovers import undo
from ppr_assets.operations.restoring.loading import limit_seconds, silent
from ppr_assets.operations.restoring.plain_stream import write_stream
from ppr_assets.operations.restoring.replacing import Terms
from ppr_assets.operations.restoring.restore import restore as restore_aside
from ppr_assets.operations.restoring.serving.guarding import guard_of
from ppr_assets.operations.restoring.serving.ordinary import require_not_storage, require_ordinary
from ppr_assets.operations.restoring.serving.target import Target, look_at
from ppr_assets.operations.sources.shelf import found_dump
from ppr_assets.operations.sources.wanted import FoundDump, Wanted
from ppr_assets.plain_sql.dump_file import stored_bytes
from ppr_assets.rules.gate.ratchet import Override
from ppr_assets.rules.gate.replacement import WITHOUT_EXTENSIONS
from ppr_assets.settings import DataRepoSettings, Settings


class _How(Struct, frozen=True):
    """What is to be done with the dump, and what a human lets it do."""

    into: str | None
    disconnect: bool
    drop_old: bool
    in_place: bool
    grants: bool
    without_extensions: bool
    to_stdout: bool
    undo: bool
    deadline_seconds: float | None
    override: Override | None
    accept: Override | None

    def terms(self, settings: Settings) -> Terms:
        serves = self.into is None
        guard = guard_of(settings.dump, for_service=serves, override=self.override)
        if self.without_extensions:
            guard = replace(guard, without=(*guard.without, *WITHOUT_EXTENSIONS))
        return Terms(guard, self.disconnect, self.drop_old, self.grants, self.accept)

    def require_consistent(self, *, as_json: bool) -> None:
        if self.in_place and (self.disconnect or self.drop_old):
            raise click.UsageError("--in-place swaps nothing: no --disconnect and no --drop-old")
        if self.without_extensions and (self.in_place or self.into is None):
            raise click.UsageError(
                "--without-extensions makes less than the dump has: with --into, not in place"
            )
        if self.override and self.drop_old:
            raise click.UsageError("--override keeps the former database: no --drop-old")
        alone = replace(self, to_stdout=False, deadline_seconds=None)
        if self.to_stdout and (as_json or any(astuple(alone))):
            raise click.UsageError("--to-stdout goes with what chooses a dump, and nothing else")
        if self.undo and any(astuple(replace(self, undo=False, into=None, disconnect=False))):
            raise click.UsageError("--undo goes with --into, --disconnect, --by and --json alone")


_HELP = """Restore a dump in the place of the database.

DUMP is a dump's name or the path of a file; the latest if not given. It is verified, loaded
into a new database beside the target, compared with what the dump says, and swapped in by a
rename. The former database is kept as DATABASE_before_MOMENT until `ppr-assets cleanup`.
Whatever fails before the swap, Ctrl-C too, the target serves as before; so nothing is asked.
A dump is refused that would leave organization, location or service without records, or with
less than SQL_DUMP_RATCHET_PERCENTAGE of those that serve now; in place, any table without.
With --table or --record nothing is replaced: a patch in SQL is shown, which --apply applies.

\b
Examples:
  ppr-assets restore
  ppr-assets restore --before 2026-11-01 --into november
  ppr-assets restore --at 1f3a9c2 --disconnect
  ppr-assets restore --undo
  ppr-assets restore --from https://github.com/someone/data.git
  ppr-assets restore --from s3://pantry-backups/dumps
  ppr-assets restore ./downloaded.sql --into look_at_it
  ppr-assets restore --table location --where "name like 'Daily%'" --apply
  ppr-assets restore --to-stdout | psql -v ON_ERROR_STOP=1 -1 -d new_database

\b
Exit codes:
  0    restored, compared, in its place; or the patch shown or applied
  1    loading failed or was not done in time, or the server cannot hold it;
       or no such rows, or a constraint refuses the patch
  2    not a database for dumps: the server's own, or Dagster's storage
  3    refused: too few records would be left, or what the dump withholds
       would be gone
  4    damaged, or what was restored differs from the dump
  5    database unreachable
  6    data repository unusable, or there is no such dump
  7    busy: sessions on the target (see --disconnect), another restore, or
       rows that somebody has changed since the patch was made
  130  cancelled
"""


@click.command(help=_HELP)
@dump_or_date_options
@bundled(
    "how",
    _How,
    click.option(
        "--into",
        metavar="DATABASE",
        help="This database on the same server instead of POSTGRES_DB; it need not exist.",
    ),
    click.option(
        "--disconnect",
        is_flag=True,
        help="End the sessions on the target, at the swap only. Without it they are a reason to "
        "refuse.",
    ),
    click.option(
        "--drop-old", is_flag=True, help="Drop the former database once the new one serves."
    ),
    click.option(
        "--in-place",
        is_flag=True,
        help="For a role that may not create databases: replace the tables in one transaction.",
    ),
    click.option(
        "--grants-from-former",
        "grants",
        is_flag=True,
        help="Give roles again, before the swap, what they may do with the objects of the "
        "database that is replaced; no dump holds that. Where nothing is missing there, what they "
        "could do with the newest former one.",
    ),
    click.option(
        "--without-extensions",
        is_flag=True,
        help="Go without the extensions that this server has not, and what needs them. With "
        "--into; the database's comment says what is missing.",
    ),
    click.option(
        "--to-stdout",
        is_flag=True,
        help="Touch no server: verify the dump, and write it for a psql of any version, to be "
        "loaded into a new database.",
    ),
    click.option(
        "--undo",
        is_flag=True,
        help="Restore nothing: let the newest former database serve again. What serves now is "
        "kept as a former one, so that the same command takes it back.",
    ),
    click.option(
        "--deadline",
        "deadline_seconds",
        metavar="SECONDS",
        type=click.FloatRange(min=0, min_open=True),
        default=None,
        help="Give up when it is not done by then; the target serves as before.  [default: 300, or "
        "300 for each gigabyte of the dump]",
    ),
    override_option,
    accept_option,
    by_option,
)
@row_options
@json_option()
@pass_invocation
def restore(
    invocation: Invocation, wanted: Wanted, how: _How, rows: RowOptions, *, as_json: bool
) -> None:
    if wanted.dump is not None and wanted.before is not None:
        raise click.UsageError("DUMP names one dump, so --before cannot choose another")
    how.require_consistent(as_json=as_json)
    if rows.given(alone=not any(astuple(replace(how, into=None)))):
        restore_rows(invocation.settings, wanted, rows, into=how.into, as_json=as_json)
    elif how.undo:
        if wanted != Wanted():
            raise click.UsageError("--undo restores no dump, so none can be chosen")
        _undo(invocation.settings, how, as_json=as_json)
    elif how.to_stdout:
        _stream(invocation.settings.data_repo, wanted)
    else:
        _restore(invocation.settings, wanted, how, as_json=as_json)


def _undo(settings: Settings, how: _How, *, as_json: bool) -> None:
    settings.database.require_password()
    target = settings.restore_target(how.into)
    with heard(settings, "restore"):
        outcome = undo(target, disconnect=how.disconnect, by=settings.operator)
    if as_json:
        print_json(asdict(outcome))
    else:
        print_lines([("undone", f"{target.dbname} is again what was called {outcome.was}")])
        print_lines(former_lines(target.dbname, outcome.former))
        print_lines([("remark", remark) for remark in outcome.remarks])
    record_undo(settings, outcome)


def _stream(settings: DataRepoSettings, wanted: Wanted) -> None:
    with found_dump(settings, wanted) as found:
        if found.view is not None:
            print_view(found.view)
        write_stream(found, sys.stdout.buffer)


def _restore(settings: Settings, wanted: Wanted, how: _How, *, as_json: bool) -> None:
    settings.database.require_password()
    started = monotonic()
    target = settings.restore_target(how.into)
    require_ordinary(target.dbname)
    require_not_storage(target, settings.dagster_postgres_url)
    way = restore_in_place if how.in_place else restore_aside
    with found_dump(settings.data_repo, wanted) as found:
        fetched = monotonic() - started
        if not as_json:
            looked = look_at(target)
            target = looked.settings  # the server that is shown is the one that is restored to
            print_lines(_plan(settings, found, looked, how))
        limit = Deadline(how.deadline_seconds or limit_seconds(found), since=started)
        told = silent if as_json else print_stage
        doing = f"restoring {found.name} into {target.dbname}"
        recorded = mismatch_recorded(settings, "restored_database")
        with recorded, heard(settings, "restore"), progress(doing):
            outcome = way(target, found, how.terms(settings), deadline=limit, on_stage=told)
        if as_json:
            print_json(outcome_json(found, outcome))
        else:
            print_lines(outcome_lines(target, outcome))
        record_restore(settings, outcome, found.remarks, fetched=fetched)


def _plan(
    settings: Settings, found: FoundDump, target: Target, how: _How
) -> Iterator[tuple[str, str]]:
    """What is going to happen, before it does."""
    length = found.manifest.bytes if found.manifest else stored_bytes(found.path)
    yield "dump", f"{found.name}, {size(length)}, {age(found, datetime.now(UTC))}"
    yield "from", found.origin
    if found.view is not None:
        yield "looked at", found.view.describe(datetime.now(UTC))
    for remark in found.remarks:
        yield "remark", remark
    where = target.settings.describe()
    if settings.testing:
        yield testing_line(target.settings.dbname)
    if how.in_place:
        yield "in place", "nobody can read the tables until it is done, and nothing is kept"
    if target.exists:
        room = f", {size(target.bytes)}" if target.bytes is not None else ""
        fate = ", to be dropped then" if how.drop_old else ""
        yield "replaces", f"{where}{room}{fate}"
    else:
        yield "makes", f"{where}, which is not there yet"
