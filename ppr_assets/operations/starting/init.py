"""A database that holds no records is filled, any other one is left alone.

Two that start at once do it once: the second waits for the first, and then finds the records.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import sleep

import psycopg

from ppr_assets.deadline import Deadline
from ppr_assets.errors import Busy, DatabaseUnreachable, SettingsError
from ppr_assets.operations.restoring.loading import DEADLINE_SECONDS
from ppr_assets.operations.restoring.serving.ordinary import require_not_storage, require_ordinary
from ppr_assets.operations.restoring.serving.target import look_from
from ppr_assets.operations.starting.roads import AT_A_START, InitOutcome, InitTerms, Roads
from ppr_assets.postgres.databases.beside import connect_beside, is_beside, may_create
from ppr_assets.postgres.sessions.advisory_lock import lock_number
from ppr_assets.postgres.sessions.connection import Session, connect, milliseconds, pinned
from ppr_assets.postgres.sessions.failures import server_failures
from ppr_assets.postgres.sessions.session import WITHOUT_LIMITS, prepare
from ppr_assets.postgres.snapshot.records import missing_tables, table_with_records
from ppr_assets.postgres.upsert.unfinished import is_unfinished
from ppr_assets.rules.policy import CORE_TABLES
from ppr_assets.settings import DatabaseSettings, Settings

_AGAIN_SECONDS = 0.5


def initialise(settings: Settings, terms: InitTerms = AT_A_START) -> InitOutcome:
    """Fill the database unless it holds records: from the latest dump, else an older one, else the
    published records. A dump that brings no records, or whose objects come back otherwise, is not
    taken, unless the terms take it.

    Raises :class:`DatabaseUnreachable` when the server is not up in time, what was wrong with the
    latest dump (:class:`DumpMissing` where there is none) when no other road led on,
    :class:`Busy` when another process is still at it or the database is in use, and what restoring
    and replaying raise of the server.
    """
    target = settings.restore_target()
    if settings.skip_db_init:
        said = tuple(_missing(target))
        return InitOutcome("left alone", target.dbname, "SKIP_DB_INIT is true", remarks=said)
    require_ordinary(target.dbname)
    require_not_storage(target, settings.dagster_postgres_url)
    others_seconds = terms.deadline_seconds or DEADLINE_SECONDS
    with alone(target, Deadline(terms.wait_seconds), others_seconds) as session:
        target = pinned(target, session)
        exists = look_from(session, target).exists
        if exists and not terms.force and (holding := table_with_records(target, CORE_TABLES)):
            reason = f"table {holding} has records"
            return InitOutcome("left alone", target.dbname, reason, remarks=_half_full(target))
        # A role that may not make a database can still fill one in which nothing is to be lost.
        aside = may_create(session) and is_beside(session, target.dbname)
        in_place = exists and not terms.force and not aside
        return Roads(settings, target, terms, exists=exists, in_place=in_place).take()


def _half_full(target: DatabaseSettings) -> tuple[str, ...]:
    with connect(target, autocommit=True) as connection:
        if not is_unfinished(connection):
            return ()
    return ("a replay is unfinished there: `ppr-assets replay --batch` goes on",)


def _missing(target: DatabaseSettings) -> Iterator[str]:
    """What whoever skips this should know. Asked once and not waited for: nothing depends on it,
    and migrations that make the tables may come next."""
    try:
        with connect(target, autocommit=True) as connection:
            missing = missing_tables(connection, CORE_TABLES)
    except (DatabaseUnreachable, SettingsError) as error:
        yield f"nobody looked whether {', '.join(CORE_TABLES)} are there: {error.message}"
        return
    if missing:
        yield (
            f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not there: unless "
            "something else makes the tables, run `ppr-assets init` without SKIP_DB_INIT"
        )


@contextmanager
def alone(target: DatabaseSettings, patience: Deadline, busy_seconds: float) -> Iterator[Session]:
    """A session with a server that may still be starting, while no other process fills the
    database."""
    connection = _awaited(target, patience)
    with server_failures(target.describe(), "filling the database"), connection:
        limits = WITHOUT_LIMITS | {"lock_timeout": milliseconds(busy_seconds)}
        prepare(connection, limits, local=False)
        try:
            number = lock_number("init", target.dbname)  # restores have another one
            connection.patience_seconds += busy_seconds  # no answer comes before the other is done
            connection.execute("SELECT pg_catalog.pg_advisory_lock(%s)", [number])
            connection.patience_seconds -= busy_seconds
        except psycopg.errors.LockNotAvailable as error:
            raise Busy(
                f"busy: another process fills database {target.dbname}, and has not done so "
                f"within {busy_seconds:g} s",
                hint="run again when it is done; nothing was changed here.",
            ) from error
        yield connection


def _awaited(target: DatabaseSettings, patience: Deadline) -> Session:
    while True:
        try:
            return connect_beside(target)
        except DatabaseUnreachable as error:
            if patience.remaining() == 0:
                raise DatabaseUnreachable(
                    f"{error.message} (asked again for {patience.seconds:g} s)", hint=error.hint
                ) from error
        sleep(min(_AGAIN_SECONDS, patience.remaining()))
