"""Load a dump over several sessions.

Statistics, reading back and looking at the objects fill whatever time the sessions have left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

from msgspec import Struct, field

from ppr_assets.deadline import Deadline
from ppr_assets.plain_sql.parsing.byte_ranges import DumpFile
from ppr_assets.plain_sql.parsing.layout import Layout
from ppr_assets.plain_sql.parsing.sections import Sections, sections
from ppr_assets.postgres.load.plan import LoadPlan, plan_key, plan_rows
from ppr_assets.postgres.load.public_schema import public_schema
from ppr_assets.postgres.load.work.catalog import Catalog, read_catalog
from ppr_assets.postgres.load.work.read_back import Reader
from ppr_assets.postgres.load.work.scheduler import Crew, Task, default_connections
from ppr_assets.postgres.load.work.statements import run_step
from ppr_assets.postgres.load.work.statistics import analyze_made, analyze_table
from ppr_assets.postgres.sessions.session import LoadingSession, open_session
from ppr_assets.progress import stage
from ppr_assets.rules.recorded.parts import TableRecord
from ppr_assets.settings import DatabaseSettings

WhenMade = Callable[[Callable[[], None]], None]

_LAST = 2**60
"""Taken from the weight of what nothing waits for: it fills the time that is left."""

_READER = frozenset({"(reader)"})
"""What reading tasks lock besides their table, which no table is called."""


class Wishes(Struct, frozen=True):
    """What is to be done with the rows on the way, and over how many sessions.

    ``analyze`` makes statistics of every table that has rows in the dump. ``read_back_in``, a
    folder to sort in, has every table read when all of its rows and constraints are in.
    ``when_made`` is called from another thread when all objects are there, while rows may still be
    read; it is given a function that raises once the work as a whole is given up.
    """

    connections: int = field(default_factory=default_connections)
    analyze: bool = False
    read_back_in: Path | None = None
    when_made: WhenMade | None = None


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
        tasks = _tasks(parts, catalogs[0], file, wishes, readers[0] if readers else None)
        with stage("loading rows", layout.rows_bytes, then="building indexes, comparing rows"):
            crew.run(tasks)
    return records


def _tasks(
    sections: Sections,
    catalog: Catalog,
    file: DumpFile,
    wishes: Wishes,
    reader: Reader | None,
) -> Sequence[Task]:
    """Tasks for all that comes when the tables are there; ``reader`` is what reads them back."""
    so_far = LoadPlan(catalog, file)
    share = sum(block.end - block.start for block in sections.rows) // wishes.connections
    plan_rows(so_far, sections.rows, share)
    filled = [block.key for block in sections.rows]
    left = [step for step in sections.after if not plan_key(so_far, step)]
    rest = [*left, *sections.last]
    queries = any(step.kind == "MATERIALIZED VIEW DATA" for step in rest)
    if wishes.analyze and queries:  # which want statistics to be fast
        _plan_analyze(so_far, filled)
    so_far.add_in_order("sequences and large objects", sections.aside)
    so_far.add_in_order("what follows the data", rest, after=so_far.tasks)
    made = tuple(so_far.tasks)
    if call := wishes.when_made:  # needs no session of the crew's
        what = "looking at the objects"
        so_far.add(Task(what, lambda session: call(session.require_going_on), after=made))
    if reader is not None:
        _plan_reading(so_far, reader)
    if wishes.analyze:
        if not queries:
            _plan_analyze(so_far, filled)
        _plan_analyze_made(so_far, after=made)
    return so_far.tasks


def _plan_analyze(plan: LoadPlan, keys: Iterable[str]) -> None:
    for key in keys:
        table = plan.table(key)
        if table.name and not plan.catalog.reaches_elsewhere(key):
            children = plan.catalog.descendants(key)
            below = [task for name in children for task in plan.table(name).rows]
            plan.add(
                Task(
                    what=f"analyze {key}",
                    work=analyze_table(table.name, key),
                    weight=table.bytes - _LAST,
                    after=(*table.rows, *table.keys, *below),
                    shared=children,
                    exclusive=frozenset({key}),
                )
            )


def _plan_analyze_made(plan: LoadPlan, after: Sequence[Task]) -> None:
    """Statistics of what has no rows in the dump: partitioned tables, materialized views."""
    keys = {key for key, kind in plan.catalog.kinds.items() if kind in ("p", "m")}
    if keys:
        locked = keys.union(*map(plan.catalog.descendants, keys))
        what = "statistics of partitioned tables and materialized views"
        plan.add(Task(what, analyze_made, -_LAST, after=tuple(after), exclusive=frozenset(locked)))


def _plan_reading(plan: LoadPlan, reader: Reader) -> None:
    """One table at a time: hashing keeps one core busy, and threads of ours share it."""
    for key in reader.blocks:
        table = plan.table(key)
        rows = plan.row_tasks if plan.rows_go_elsewhere else table.rows
        plan.add(
            Task(
                what=f"reading {key}",
                work=reader.work(key, in_pieces=table.in_pieces),
                weight=table.bytes - _LAST,
                after=(*rows, *table.keys),
                shared=frozenset({key}),
                exclusive=_READER | ({key} & reader.forced),
            )
        )
