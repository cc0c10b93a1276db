"""What a container runs at its start: a database that holds no records is filled from the latest
dump, any other one is left alone.

Two that start at once do it once: the second waits for the first, and then finds the records.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic, sleep
from typing import Literal

import psycopg

from ppr_assets.data_repo.clone.clone_folder import wants_clone
from ppr_assets.deadline import Deadline
from ppr_assets.errors import (
    Busy,
    DatabaseUnreachable,
    DumpMissing,
    SettingsError,
)
from ppr_assets.operations.restoring.guarding import guard_of
from ppr_assets.operations.restoring.in_place import restore_in_place
from ppr_assets.operations.restoring.replacing import Terms, dropped_if_empty
from ppr_assets.operations.restoring.restore import RestoreOutcome, restore
from ppr_assets.operations.restoring.target import look_from, require_not_storage, require_ordinary
from ppr_assets.operations.restoring.time_limits import DEADLINE_SECONDS, limit_seconds
from ppr_assets.operations.sources.shelf import found_dump
from ppr_assets.operations.sources.wanted import FoundDump, Wanted
from ppr_assets.postgres.databases.beside import connect_beside, is_beside, may_create
from ppr_assets.postgres.sessions.connection import Session, connect, pinned
from ppr_assets.postgres.sessions.failures import server_failures
from ppr_assets.postgres.sessions.session import WITHOUT_LIMITS, prepare
from ppr_assets.postgres.snapshot.records import missing_tables, table_with_records
from ppr_assets.rules.gate.ratchet import Override
from ppr_assets.rules.policy import CORE_TABLES
from ppr_assets.settings import DatabaseSettings, DataRepoSettings, Settings

WAIT_SECONDS = 60.0
"""For the server, which usually starts together with who asks for it."""

_AGAIN_SECONDS = 0.5


@dataclass(frozen=True)
class InitOutcome:
    """``database`` was filled by ``restored``, or left as it is, and ``reason`` says why."""

    status: Literal["restored", "left alone"]
    database: str
    reason: str = ""
    restored: RestoreOutcome | None = None
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class InitTerms:
    """What an application's start lets a restore do.

    ``force``: over a database that holds records, too. ``deadline_seconds`` is the time for a
    restore, that of another process too; by default what is promised for a dump of that size. The
    others are those of :class:`~ppr_assets.operations.restoring.restore.Terms`.
    """

    force: bool = False
    disconnect: bool = False
    wait_seconds: float = WAIT_SECONDS
    deadline_seconds: float | None = None
    override: Override | None = None
    accept: Override | None = None


AT_A_START = InitTerms()


def initialise(settings: Settings, terms: InitTerms = AT_A_START) -> InitOutcome:
    """Fill the database from the latest dump unless it holds records. A dump that brings none, or
    far fewer than serve, is refused, as is one whose objects come back otherwise, unless the terms
    take it.

    Raises :class:`DatabaseUnreachable` when the server is not up in time, :class:`DumpMissing`
    saying what to do when there is no dump, :class:`Busy` when another process is still at it or
    the database is in use, and what restoring raises.
    """
    target = settings.restore_target()
    if settings.skip_db_init:
        said = tuple(_missing(target))
        return InitOutcome("left alone", target.dbname, "SKIP_DB_INIT is true", remarks=said)
    require_ordinary(target.dbname)
    require_not_storage(target, settings.dagster_postgres_url)
    others_seconds = terms.deadline_seconds or DEADLINE_SECONDS
    with _alone(target, Deadline(terms.wait_seconds), others_seconds) as session:
        target = pinned(target, session)
        exists = look_from(session, target).exists
        if exists and not terms.force and (holding := table_with_records(target, CORE_TABLES)):
            return InitOutcome("left alone", target.dbname, f"table {holding} has records")
        # A role that may not make a database can still fill one in which nothing is to be lost.
        aside = may_create(session) and is_beside(session, target.dbname)
        in_place = exists and not terms.force and not aside
        return _filled(settings, target, terms, in_place=in_place)


def _filled(
    settings: Settings, target: DatabaseSettings, terms: InitTerms, *, in_place: bool
) -> InitOutcome:
    way = restore_in_place if in_place else restore
    started = monotonic()
    allowed = Terms(
        guard_of(settings.dump, for_service=True, override=terms.override),
        disconnect=terms.disconnect,
        grants=True,  # what a database was set up with stays, records or not
        accept=terms.accept,
    )
    with _latest(settings.data_repo) as found:
        deadline = Deadline(terms.deadline_seconds or limit_seconds(found), since=started)
        outcome = way(target, found, allowed, deadline=deadline)
    remarks = [*found.remarks, *outcome.remarks]
    if outcome.former is not None:
        why = "--force was given" if terms.force else dropped_if_empty(target, outcome.former)
        if why is not None:
            remarks.append(f"the former database is kept as {outcome.former}: {why}")
    return InitOutcome("restored", target.dbname, restored=outcome, remarks=tuple(remarks))


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
def _alone(target: DatabaseSettings, patience: Deadline, busy_seconds: float) -> Iterator[Session]:
    """A session with the server, as soon as it is up, while no other process does the same."""
    connection = _awaited(target, patience)
    with server_failures(target.describe(), "filling the database"), connection:
        limits = WITHOUT_LIMITS | {"lock_timeout": f"{round(busy_seconds * 1000)}ms"}
        prepare(connection, limits, local=False)
        try:
            number = lock_number(target.dbname)
            connection.execute("SELECT pg_catalog.pg_advisory_lock(%s)", [number])
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


@contextmanager
def _latest(settings: DataRepoSettings) -> Iterator[FoundDump]:
    """The latest dump: of the clone, brought up to date, where there is one; else of the remote,
    from which only that dump is fetched, and nothing is left at DATA_REPO_PATH."""
    fetched = settings.url if wants_clone(settings.path) else None
    try:
        with found_dump(settings, Wanted(source=fetched)) as found:
            yield found
    except DumpMissing as error:
        raise DumpMissing(
            error.message,
            hint="publish one with `ppr-assets dump` where the data are, or point DATA_REPO_URL "
            "to a data repository that has dumps. To start with an empty database on purpose, set "
            "SKIP_DB_INIT=true.",
        ) from error


def lock_number(target: str) -> int:
    """The advisory lock of all that fill ``target`` at a start; restores have another one."""
    digest = hashlib.sha256(b"ppr_assets init " + target.encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
