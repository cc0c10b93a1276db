"""Make what a dump describes, without rows, in the order in which it stands there.

One session, no plan: what a dump's own statements give, to hold another load to.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from ppr_assets.deadline import Deadline
from ppr_assets.plain_sql.parsing.byte_ranges import DumpFile, PlainDump
from ppr_assets.plain_sql.parsing.layout import Layout
from ppr_assets.plain_sql.parsing.sections import comes_last, is_data, steps
from ppr_assets.postgres.load.psql import load_with_psql
from ppr_assets.postgres.load.public_schema import public_schema
from ppr_assets.postgres.load.work.statements import run_step
from ppr_assets.postgres.sessions.session import Session, open_session
from ppr_assets.settings import DatabaseSettings


def make_definitions(
    dump: PlainDump,
    layout: Layout,
    settings: DatabaseSettings,
    *,
    deadline: Deadline,
    going_on: Callable[[], None],
) -> None:
    """Fill ``settings.dbname``, new and empty, but for rows, values of sequences and large objects.

    Raises :class:`RestoreFailed` when the server refuses a statement, or ``deadline`` passes.
    """
    with DumpFile(dump) as file:
        if layout.unrecognised:
            load_with_psql(file, layout, settings, deadline=deadline, rows=False)
            return
        with open_session(settings, layout.encoding) as connection:
            session = Session(connection, threading.Event(), layout.search_path)
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
