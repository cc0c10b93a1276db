"""Rebuild a database from published records: read every file, decide what is one record, and bring
the rows into the tables that are there, in one transaction, or in one for each table; and what of
that would be published."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext

from psycopg import sql
from psycopg.errors import LockNotAvailable

from ppr_assets.errors import Busy, GateRefused, PreconditionFailed
from ppr_assets.operations.replaying.gathered import (
    FileLine,
    OnLine,
    ReplayOutcome,
    counts,
    gathered,
    unseen,
)
from ppr_assets.operations.replaying.input import Input
from ppr_assets.operations.replaying.merged import MergedRecords
from ppr_assets.operations.replaying.terms import CAUTIOUS, RebuildTerms
from ppr_assets.postgres.load.in_transaction import cancelled_at
from ppr_assets.postgres.load.work.statistics import analyze, refresh
from ppr_assets.postgres.sessions.connection import connect
from ppr_assets.postgres.sessions.failures import server_failures
from ppr_assets.postgres.sessions.session import Connection
from ppr_assets.postgres.snapshot.records import (
    count_records,
    missing_tables,
    table_with_records,
)
from ppr_assets.postgres.upsert.staging import Staging, read_columns
from ppr_assets.postgres.upsert.unfinished import begin, finish, is_unfinished
from ppr_assets.rules.gate.ratchet import Verdict, judge
from ppr_assets.rules.policy import CORE_TABLES, GatePolicy
from ppr_assets.rules.replay.rows.columns import COLUMNS
from ppr_assets.rules.replay.rows.fitting import Fitted, FittedColumn
from ppr_assets.rules.wording import shell_word
from ppr_assets.settings import DatabaseSettings

_PATIENCE = "15s"


def replay(
    target: DatabaseSettings,
    given: Input,
    terms: RebuildTerms = CAUTIOUS,
    *,
    on_line: OnLine = unseen,
) -> ReplayOutcome:
    """Read what is given, and load what it tells into ``target``, which has the tables and no
    records. Of the ``terms`` hold ``strict``, ``batch`` (what was committed stays whatever comes,
    and the next such run goes on) and ``deadline``.

    Raises :class:`PreconditionFailed` for a database without the tables, :class:`GateRefused` for
    one that holds records, :class:`Busy` for one that somebody writes to, :class:`DumpDamaged` for
    a rejected file where ``strict``, :class:`FilesUnaccounted` when a file has no outcome, and
    :class:`RestoreFailed` when the deadline passes; nothing is loaded then.
    """
    _require_empty(target, batch=terms.batch)

    def in_time(line: FileLine) -> None:
        terms.deadline.require("reading published records")
        on_line(line)

    with gathered(given, strict=terms.strict, on_line=in_time) as (accounts, merged):
        fitted, changed = _load(target, merged, terms)
        return ReplayOutcome(
            accounts, counts(merged), changed, fitted.no_place, fitted.filled, given.origin
        )


def _require_empty(target: DatabaseSettings, *, batch: bool) -> None:
    with connect(target, autocommit=True) as session:
        if missing := missing_tables(session, CORE_TABLES):
            raise PreconditionFailed(
                f"database {target.dbname} has no table {', '.join(missing)}",
                hint=with_tables_of(target),
            )
        unfinished = is_unfinished(session)
    if unfinished and batch:
        return
    if unfinished:
        raise GateRefused(
            f"database {target.dbname} has what an unfinished replay has left",
            hint="the same command with --batch goes on; --replace fills a new one beside it.",
        )
    if holding := table_with_records(target, CORE_TABLES):
        raise refused(holding, target)


def with_tables_of(target: DatabaseSettings) -> str:
    """The way out for whoever has a database in which there is nothing to be filled."""
    command = f"ppr-assets replay --into {shell_word(target.dbname)} --schema latest"
    return (
        f"`{command}` makes it with the tables of the latest dump, without its rows; --schema also "
        "takes another dump, or a file of `pg_dump --schema-only`. Or let the application's "
        "migrations make them first."
    )


def _require_still_empty(session: Connection, target: DatabaseSettings) -> None:
    """Files take minutes to read; from here on nobody else writes to these tables, and whoever
    reads them is not stopped."""
    session.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(sql.Literal(_PATIENCE)))
    for table in CORE_TABLES:
        name = sql.Identifier("public", table)
        try:
            session.execute(sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(name))
        except LockNotAvailable as error:
            raise Busy(
                f"busy: table {table} of database {target.dbname} is being written to",
                hint="nothing was changed. Stop what writes there, and run again.",
            ) from error
        if session.execute(sql.SQL("SELECT FROM {} LIMIT 1").format(name)).fetchone() is not None:
            raise refused(table, target)


def refused(table: str, target: DatabaseSettings) -> GateRefused:
    return GateRefused(
        f"table {table} of database {target.dbname} has records, a replay needs an empty one",
        hint="nothing was changed. --into NAME --schema latest makes another database; --replace "
        "fills a new one beside this, and puts it in its place.",
    )


def _load(
    target: DatabaseSettings, merged: MergedRecords, terms: RebuildTerms
) -> tuple[Fitted, Mapping[str, int]]:
    with (
        server_failures(target.describe(), "replaying published records"),
        connect(target, autocommit=True) as session,
        cancelled_at(terms.deadline, session, "replaying published records"),
    ):
        batch = terms.batch
        with session.transaction():
            goes_on = batch and is_unfinished(session)
            if not goes_on:
                _require_still_empty(session, target)
            if not batch:
                return _loaded(session, merged, nullcontext)
            if not goes_on:
                begin(session)
        loaded = _loaded(session, merged, session.transaction)
        finish(session)
        return loaded


def _loaded(
    session: Connection, merged: MergedRecords, each: Callable[[], AbstractContextManager[object]]
) -> tuple[Fitted, Mapping[str, int]]:
    # Triggers of the tables may call functions by their bare names, as migrations write them.
    session.execute("SET search_path TO public")
    found = read_columns(session, COLUMNS)
    fitted = Fitted.of(found)
    staging = _staging(session, fitted, found)
    for table, values in merged.rows():
        row = fitted.row(table, values)
        if row is not None:
            staging.add(table, row)
    changed = staging.finish(each)
    fitted.no_place.update(staging.refused)
    return fitted, changed


def _staging(
    session: Connection, fitted: Fitted, found: Mapping[str, Mapping[str, FittedColumn]]
) -> Staging:
    columns = {table: list(columns) for table, columns in fitted.tables.items()}
    verified = {table for table in columns if "verified_by" in found[table]}
    return Staging(session, columns, verified)


def judged_result(database: DatabaseSettings, policy: GatePolicy) -> Verdict:
    """Judge the records of ``database`` against the floor, without a mark. Nothing is refused here;
    who asked decides what follows."""
    tables = None if policy.tables is None else {*CORE_TABLES, *policy.tables}
    with connect(database) as connection:
        counts = count_records(connection, tables, partitioned=tables is not None)
    return judge(counts, None, policy)


def not_publishable(verdict: Verdict) -> Sequence[str]:
    """That a night would refuse what came, before it does."""
    if verdict.status == "accepted":
        return []
    return [f"a dump of it would not be published: {verdict.message}"]


def brought_up_to_date(target: DatabaseSettings) -> Sequence[str]:
    """What follows from the rows: materialized views and statistics. Returns remarks."""
    with (
        server_failures(target.describe(), "bringing views and statistics up to date"),
        connect(target, autocommit=True) as connection,
    ):
        stale = refresh(connection)
        analyze(connection)
    return stale
