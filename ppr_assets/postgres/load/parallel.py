"""Load a dump over several sessions."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from ppr_assets.deadline import Deadline
from ppr_assets.plain_sql.parsing.byte_ranges import DumpFile
from ppr_assets.plain_sql.parsing.layout import Layout
from ppr_assets.plain_sql.parsing.sections import sections
from ppr_assets.postgres.load.plan import Wishes, plan
from ppr_assets.postgres.load.public_schema import public_schema
from ppr_assets.postgres.load.work.catalog import Catalog, read_catalog
from ppr_assets.postgres.load.work.read_back import Reader
from ppr_assets.postgres.load.work.scheduler import Crew, Task
from ppr_assets.postgres.load.work.statements import run_step
from ppr_assets.postgres.sessions.session import LoadingSession, open_session
from ppr_assets.progress import stage
from ppr_assets.rules.recorded.parts import TableRecord
from ppr_assets.settings import DatabaseSettings


def load_parallel(
    file: DumpFile,
    layout: Layout,
    settings: DatabaseSettings,
    wishes: Wishes,
    deadline: Deadline,
) -> Mapping[str, TableRecord]:
    """Fill the empty database ``settings.dbname``. Raises :class:`RestoreFailed`.

    Returns what was read back of each table, with a folder to sort in; else nothing.
    """
    parts = sections(layout, file)
    opened = partial(open_session, settings, layout.encoding)
    with Crew(opened, wishes.connections, deadline, layout.search_path) as crew:
        catalogs: list[Catalog] = []
        readers: list[Reader] = []
        records: dict[str, TableRecord] = {}

        def make_tables(session: LoadingSession) -> None:
            public = public_schema(session.connection)
            for step in parts.before:
                if not public.leaves_out(step):
                    run_step(session, file, step)
            catalogs.append(read_catalog(session.connection))
            if folder := wishes.read_back_in:
                readers.append(Reader(session.connection, layout, records, folder))

        crew.run([Task("the tables", make_tables)])
        tasks = plan(parts, catalogs[0], file, wishes, readers[0] if readers else None)
        with stage("loading rows", layout.rows_bytes, then="building indexes, comparing rows"):
            crew.run(tasks)
    return records
