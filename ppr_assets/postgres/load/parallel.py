"""Load a dump over several sessions."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from ppr_assets.deadline import Deadline
from ppr_assets.plain_sql.parsing.byte_ranges import DumpFile
from ppr_assets.plain_sql.parsing.layout import Layout
from ppr_assets.plain_sql.parsing.sections import sections
from ppr_assets.postgres.load.plan import WhenMade, plan
from ppr_assets.postgres.load.public_schema import public_schema
from ppr_assets.postgres.load.work.catalog import Catalog, read_catalog
from ppr_assets.postgres.load.work.read_back import Reader
from ppr_assets.postgres.load.work.scheduler import Crew, Task
from ppr_assets.postgres.load.work.statements import run_step
from ppr_assets.postgres.sessions.session import Session, open_session
from ppr_assets.rules.manifest import TableRecord
from ppr_assets.settings import DatabaseSettings


def default_connections() -> int:
    """Two keep a server with one core busy while we read; more than four seldom help."""
    return min(4, max(2, os.cpu_count() or 2))


def load_parallel(
    file: DumpFile,
    layout: Layout,
    settings: DatabaseSettings,
    *,
    connections: int,
    deadline: Deadline,
    analyze: bool,
    read_back_in: Path | None,
    when_made: WhenMade | None,
) -> Mapping[str, TableRecord]:
    """Fill the empty database ``settings.dbname``. Raises :class:`RestoreFailed`.

    Returns what was read back of each table, with ``read_back_in`` to sort in; else nothing.
    """
    parts = sections(layout, file)
    opened = partial(open_session, settings, layout.encoding)
    with Crew(opened, connections, deadline, layout.search_path) as crew:
        catalogs: list[Catalog] = []
        readers: list[Reader] = []
        records: dict[str, TableRecord] = {}

        def make_tables(session: Session) -> None:
            public = public_schema(session.connection)
            for step in parts.before:
                if not public.leaves_out(step):
                    run_step(session, file, step)
            catalogs.append(read_catalog(session.connection))
            if read_back_in is not None:
                readers.append(Reader(session.connection, layout, records, read_back_in))

        crew.run([Task("the tables", make_tables)])
        tasks = plan(
            parts,
            catalogs[0],
            file,
            connections=connections,
            analyze=analyze,
            reader=readers[0] if readers else None,
            when_made=when_made,
        )
        crew.run(tasks)
    return records
