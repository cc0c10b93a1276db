"""Load a plain-SQL dump into a database.

:func:`load` fills a new, empty database as fast as the machine allows: rows in pieces over several
sessions, then indexes side by side, foreign keys last. A dump that is not recognised whole goes to
psql instead. :func:`load_in_transaction` replaces what is there, all or nothing, and
:func:`make_definitions` fills one without rows.

Belongs here: how statements and rows get into a database, and in which order. What makes a dump
worth loading does not, nor what is compared afterwards.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Literal

from msgspec import Struct

from ppr_assets.deadline import Deadline
from ppr_assets.plain_sql.parsing.byte_ranges import DumpFile, PlainDump
from ppr_assets.plain_sql.parsing.layout import Layout
from ppr_assets.plain_sql.parsing.sections import comes_last, is_data, steps
from ppr_assets.postgres.load.in_transaction import load_in_transaction
from ppr_assets.postgres.load.parallel import Wishes, load_parallel
from ppr_assets.postgres.load.psql import load_with_psql
from ppr_assets.postgres.load.public_schema import public_schema
from ppr_assets.postgres.load.work.statements import run_step
from ppr_assets.postgres.sessions.session import LoadingSession, open_session
from ppr_assets.rules.recorded.parts import TableRecord
from ppr_assets.settings import DatabaseSettings

__all__ = ["LoadReport", "Wishes", "load", "load_in_transaction", "make_definitions"]


class LoadReport(Struct, frozen=True):
    seconds: float
    how: Literal["parallel", "psql"]
    reason: str
    """Why psql was needed; empty when it was not."""
    tables: Mapping[str, TableRecord] | None = None
    """What was read back, by table key; None where that was not asked for, or psql loaded."""


def load(
    dump: PlainDump,
    layout: Layout,
    settings: DatabaseSettings,
    wishes: Wishes | None = None,
    *,
    deadline: Deadline,
) -> LoadReport:
    """Load ``dump`` into ``settings.dbname``, which must be new and empty.

    ``layout`` is what was read from this very dump. Where psql loads, all ``wishes`` are left to
    the caller.

    Raises :class:`RestoreFailed` when the server refuses a statement, goes away, or ``deadline``
    passes; then all sessions are closed, and the database is a ruin.
    """
    began = monotonic()
    reason = why_psql(layout)
    with DumpFile(dump) as file:
        if reason:
            load_with_psql(file, layout, settings, deadline=deadline)
            return LoadReport(monotonic() - began, "psql", reason)
        wishes = wishes or Wishes()
        tables = load_parallel(file, layout, settings, wishes, deadline)
    read = tables if wishes.read_back_in else None
    return LoadReport(monotonic() - began, "parallel", "", read)


def make_definitions(
    dump: PlainDump,
    layout: Layout,
    settings: DatabaseSettings,
    *,
    deadline: Deadline,
    going_on: Callable[[], None],
) -> None:
    """Fill ``settings.dbname``, new and empty, but for rows, values of sequences and large objects:
    in one session, and in the order of the dump, to hold another load to what its own statements
    give.

    Raises :class:`RestoreFailed` when the server refuses a statement, or ``deadline`` passes.
    """
    with DumpFile(dump) as file:
        if layout.unrecognised:
            load_with_psql(file, layout, settings, deadline=deadline, rows=False)
            return
        with open_session(settings, layout.encoding) as connection:
            session = LoadingSession(connection, threading.Event(), layout.search_path)
            public = public_schema(connection)
            wanted = [
                step
                for step in steps(layout, file)
                if not is_data(step) and not public.leaves_out(step)
            ]
            for step in sorted(wanted, key=comes_last):
                deadline.require(f"making {step.what} a second time, to compare")
                going_on()
                run_step(session, file, step)


def why_psql(layout: Layout) -> str:
    """Why the dump is left to psql, or nothing."""
    if layout.unrecognised:
        return f"not recognised: {layout.unrecognised}"
    for entry in layout.entries:
        if entry.kind == "TABLE DATA" and entry.copy is None:
            return f"the rows of {entry.name} are not a COPY block"
    return ""
