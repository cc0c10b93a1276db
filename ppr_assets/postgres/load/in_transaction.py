"""Load a dump over what is there, in a transaction of the caller's."""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from time import monotonic

import psycopg

from ppr_assets.deadline import Deadline
from ppr_assets.errors import DatabaseFailed, RestoreFailed
from ppr_assets.plain_sql.parsing.byte_ranges import DumpFile, PlainDump
from ppr_assets.plain_sql.parsing.entries import Key
from ppr_assets.plain_sql.parsing.layout import Layout
from ppr_assets.plain_sql.parsing.pieces import unquoted
from ppr_assets.plain_sql.parsing.sections import comes_last, is_data, steps
from ppr_assets.postgres.load.public_schema import PublicSchema, public_schema
from ppr_assets.postgres.load.taking_locks import with_tables_locked
from ppr_assets.postgres.load.work.scheduler import PATIENCE_SECONDS, cancel, cut_off
from ppr_assets.postgres.load.work.statements import run_step, split
from ppr_assets.postgres.sessions.failures import server_words
from ppr_assets.postgres.sessions.session import (
    Connection,
    LoadingSession,
    failed,
    prepare_transaction,
)
from ppr_assets.progress import counted, stage

_CANCEL_SECONDS = 0.2

_DROPS = re.compile(rb"DROP ([A-Z ]+?) (?:IF EXISTS )?(.+?);\s*\Z", re.DOTALL)

_NOT_THERE = (
    psycopg.errors.InvalidSchemaName,
    psycopg.errors.UndefinedTable,
    psycopg.errors.UndefinedObject,
    psycopg.errors.UndefinedFunction,
    psycopg.errors.UndefinedColumn,
)


def load_in_transaction(
    connection: Connection,
    dump: PlainDump,
    layout: Layout,
    *,
    deadline: Deadline,
    rows: bool = True,
) -> None:
    """Drop what the dump replaces and load it, in the transaction open on ``connection``. Without
    ``rows`` nothing is dropped, and nothing made that the dump holds as data.

    Nothing is committed. Raises :class:`RestoreFailed`, also when ``deadline`` passes or the
    dump is one that only psql can read; the caller rolls back.
    """
    _require_statements(layout)
    prepare_transaction(connection, layout.encoding)
    session = LoadingSession(connection, threading.Event(), layout.search_path)
    held = layout.rows_bytes if rows else None
    with (
        DumpFile(dump) as file,
        cancelled_at(deadline, connection, "restoring in place"),
        stage("loading rows", held, then="building indexes"),
    ):
        public = public_schema(connection)
        drop_all = partial(_drop_all, session, _drops(layout, file, public) if rows else [])
        with_tables_locked(connection, layout.made_tables, drop_all, deadline)
        last = []
        for entry, step in zip(layout.entries, steps(layout, file), strict=True):
            if not rows and is_data(step):
                continue
            if entry.copy:
                copied = counted(file.chunks(entry.copy.start, entry.copy.end))
                session.copy_in(entry.copy.statement, copied, f"rows of {entry.copy.key}")
            elif comes_last(step):
                last.append(step)
            elif not public.leaves_out(step):
                run_step(session, file, step, in_transaction=True)
        for step in last:
            run_step(session, file, step)


def _require_statements(layout: Layout) -> None:
    """Raise :class:`RestoreFailed` for a dump that is not all statements of one transaction."""
    if layout.unrecognised:
        raise RestoreFailed(
            f"this dump cannot be restored in place: not recognised: {layout.unrecognised}",
            hint="restore it into a new database instead, which psql can do.",
        )
    if layout.own_transaction:
        raise RestoreFailed(
            f"this dump cannot be restored in place: it has a transaction of its own: "
            f"{layout.own_transaction}",
            hint="restore it into a new database instead, or take such statements out of a copy of "
            "the file; nothing was changed.",
        )


def _drop_all(session: LoadingSession, statements: list[bytes]) -> None:
    """Run the DROPs at the dump's head; what they would drop may be missing, IF EXISTS or not.

    ``ALTER DOMAIN IF EXISTS … DROP CONSTRAINT`` fails where the domain does not exist, and a
    partition's key cannot be dropped before the partitioned table's. So what fails is tried again
    when the others are done, as long as that helps.
    """
    while statements:
        failures = [(text, error) for text in statements if (error := _drop(session, text))]
        failures = [(t, error) for t, error in failures if not isinstance(error, _NOT_THERE)]
        if len(failures) == len(statements):
            raise _in_the_way(failures[0][1])
        statements = [text for text, _ in failures]


def _drops(layout: Layout, file: DumpFile, public: PublicSchema) -> list[bytes]:
    """The DROPs at the dump's head, without those of what stays."""
    return [
        drop
        for drop in split(file.read(*layout.prologue))
        if not (public.leaves_standing(drop) or _stays(drop, layout.left_out))
    ]


def _stays(drop: bytes, left_out: frozenset[Key]) -> bool:
    """Whether this statement of a dump's prologue drops one of the entries ``left_out``."""
    found = _DROPS.match(drop)
    if found is None:
        return False
    kind, rest = found[1].decode(), found[2]
    name = unquoted(rest) if kind != "FUNCTION" else rest.decode("utf-8", "surrogateescape")
    return any(
        one == kind and (name == own or (kind == "FUNCTION" and name == f"{schema}.{own}"))
        for one, schema, own in left_out
    )


def _in_the_way(error: psycopg.Error) -> RestoreFailed:
    words = server_words(error, error.diag.message_detail)
    return RestoreFailed(
        f"what is there could not be removed: {words}",
        hint="it must belong to the role that restores, and nothing that only this database has "
        "may need it: drop that first. Nothing was changed.",
    )


def _too_many_locks(error: psycopg.Error) -> RestoreFailed:
    return RestoreFailed(
        f"what is there could not be removed: {error.diag.message_primary}",
        hint="one transaction needs a lock for each table, index and large object. "
        f"{error.diag.message_hint or ''} A restore into a new database needs but a few. Nothing "
        "was changed.",
    )


def _drop(session: LoadingSession, statement: bytes) -> psycopg.Error | None:
    """Run one statement of the prologue, or leave everything as it was and say why."""
    session.require_going_on()
    try:
        with session.connection.transaction():  # a savepoint
            session.connection.execute(statement)
    except (psycopg.errors.QueryCanceled, psycopg.errors.LockNotAvailable):
        raise
    except psycopg.errors.OutOfMemory as error:
        raise _too_many_locks(error) from error
    except psycopg.Error as error:
        if session.connection.closed:
            raise failed("the removal of what is there", error) from error
        return error
    return None


@contextmanager
def cancelled_at(deadline: Deadline, connection: Connection, doing: str) -> Iterator[None]:
    """Cancel what runs on ``connection`` when the deadline passes while ``doing`` something, and
    raise :class:`RestoreFailed` that says so."""
    over = threading.Event()

    def watch() -> None:
        left = deadline.remaining()
        over.wait(None if math.isinf(left) else left)
        patience_ends = monotonic() + PATIENCE_SECONDS
        while not over.is_set():
            if monotonic() < patience_ends:
                cancel(connection)
            else:
                cut_off(connection)
            over.wait(_CANCEL_SECONDS)

    watcher = threading.Thread(target=watch, name="deadline")
    watcher.start()
    try:
        yield
    except (RestoreFailed, DatabaseFailed, psycopg.Error) as error:
        if isinstance(error, psycopg.Error) or isinstance(error.__cause__, psycopg.Error):
            deadline.require(doing)  # it may have been the cancelling
        raise
    finally:
        over.set()
        watcher.join()
