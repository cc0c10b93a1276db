"""The tasks of a parallel load, in dependence of each other.

The largest tables come first. A table that is more than one session's share of all rows comes in
pieces, over several; any other one over one session, in the transaction that empties it: its rows
are then frozen, so nobody has to write to their pages again, and lie in the order of the dump.

When all of a table's rows are in, its constraints and indexes may be made, and when those of two
tables are there, foreign keys between them. What is not known to be safe that way keeps its place
in the dump's order: it is run by one session when those are done. Statistics, reading back and
looking at the objects fill whatever time the sessions have left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from ppr_assets.postgres.layout import CopyBlock
from ppr_assets.postgres.load.catalog import Catalog
from ppr_assets.postgres.load.dump_file import DumpFile
from ppr_assets.postgres.load.grammar import read_foreign_key, read_key, table_of_copy
from ppr_assets.postgres.load.read_back import Reader
from ppr_assets.postgres.load.scheduler import Task
from ppr_assets.postgres.load.sections import Sections, Step
from ppr_assets.postgres.load.table_work import (
    analyze_made,
    analyze_table,
    copy_piece,
    copy_whole,
    run_steps,
)

WhenMade = Callable[[Callable[[], None]], None]

PIECE = 8 * 1024 * 1024
"""Bytes of rows in one COPY; large enough that its own cost is lost in it."""

_LAST = 2**60
"""Taken from the weight of what nothing waits for: it fills the time that is left."""

_READER = frozenset({"(reader)"})
"""What reading tasks lock besides their table, which no table is called."""


@dataclass
class _Table:
    """What has been planned for one table so far."""

    name: bytes = b""
    """As the dump's COPY has it, qualified and quoted."""
    bytes: int = 0
    rows: list[Task] = field(default_factory=list)
    keys: list[Task] = field(default_factory=list)
    in_pieces: bool = False
    left: bool = False
    """Whether a constraint or an index of it is left to the end."""


def plan(
    sections: Sections,
    catalog: Catalog,
    file: DumpFile,
    *,
    connections: int,
    analyze: bool,
    reader: Reader | None,
    when_made: WhenMade | None,
) -> Sequence[Task]:
    """Tasks for all that comes when the tables are there, for so many ``connections``.

    ``analyze`` makes statistics of every table that has rows in the dump. ``reader`` has every
    table read when all of its rows and constraints are in. ``when_made`` is called when all
    objects are there, with what raises once the work as a whole is given up.
    """
    planner = _Planner(catalog, file)
    share = sum(block.end - block.start for block in sections.rows) // connections
    planner.plan_rows(sections.rows, share)
    left = [step for step in sections.after if not planner.planned(step)]
    rest = [*left, *sections.last]
    queries = any(step.kind == "MATERIALIZED VIEW DATA" for step in rest)
    if analyze and queries:  # which want statistics to be fast
        planner.plan_analyze(block.key for block in sections.rows)
    planner.plan_in_order("sequences and large objects", sections.aside)
    planner.plan_in_order("what follows the data", rest, after=planner.tasks)
    made = tuple(planner.tasks)
    if when_made is not None:
        planner.plan_call("looking at the objects", when_made, after=made)
    if reader is not None:
        planner.plan_reading(reader)
    if analyze:
        if not queries:
            planner.plan_analyze(block.key for block in sections.rows)
        planner.plan_analyze_made(after=made)
    return planner.tasks


class _Planner:
    def __init__(self, catalog: Catalog, file: DumpFile) -> None:
        self._catalog = catalog
        self._file = file
        self._tables: dict[str, _Table] = {}
        self.tasks: list[Task] = []
        self._row_tasks: tuple[Task, ...] = ()
        self._rows_go_elsewhere = False
        self._foreign_keys_last = False

    def plan_rows(self, blocks: Iterable[CopyBlock], share: int) -> None:
        """Rows that a function of the database's own looks at come after all before them in the
        dump and before all others, in one COPY: it may look for rows of any table. They are not
        frozen, as it would see those of its own table too early."""
        since: list[Task] = []
        barrier: tuple[Task, ...] = ()
        for block in blocks:
            size = block.end - block.start
            if self._catalog.kinds.get(block.key) != "r":  # COPY finds the partition of each row
                self._rows_go_elsewhere = True
            elif not (self._catalog.hidden_calls or block.key in self._catalog.calling):
                if block.key in self._catalog.of_extensions or size > max(share, PIECE):
                    since += self._rows(block, PIECE, barrier)
                else:
                    since += self._frozen_rows(block, barrier)
                continue
            alone = self._rows(block, size, (*barrier, *since))
            barrier, since = tuple(alone) or (*barrier, *since), []
        self._row_tasks = tuple(self.tasks)

    def _frozen_rows(self, block: CopyBlock, after: tuple[Task, ...]) -> list[Task]:
        table = self._with_rows(block)
        if block.start == block.end:
            return []
        task = Task(
            what=f"rows of {block.key}",
            work=copy_whole(self._file, block, table.name),
            weight=3 * table.bytes,
            after=after,
            shared=self._with_ancestors(block.key),
            exclusive=frozenset({block.key}),
        )
        table.rows.append(self._add(task))
        return [task]

    def _rows(self, block: CopyBlock, size: int, after: tuple[Task, ...]) -> list[Task]:
        table = self._with_rows(block)
        tasks = [
            Task(
                what=f"rows of {block.key}",
                work=copy_piece(self._file, block, start, end),
                weight=3 * table.bytes,
                after=after,
                shared=self._with_ancestors(block.key),
            )
            for start, end in self._file.pieces(block.start, block.end, size)
        ]
        table.in_pieces = len(tasks) > 1
        table.rows += tasks
        self.tasks += tasks
        return tasks

    def planned(self, step: Step) -> bool:
        """Plan a step to go beside others; False when it must keep its place."""
        if step.kind == "FK CONSTRAINT":
            return self._foreign_key(step)
        if step.kind in ("INDEX", "CONSTRAINT"):
            return self._key(step)
        return False

    def _key(self, step: Step) -> bool:
        text = self._file.read(step.start, step.end)
        found = read_key(text)
        if found is None:
            self._foreign_keys_last = True  # whatever table this belongs to
            return False
        key = found.table
        table = self._table(key)
        if key not in self._catalog.kinds or self._catalog.calls(text):
            table.left = True
            return False
        family = {key} | self._catalog.descendants(key)
        rows = (task for name in family for task in self._table(name).rows)
        task = Task(
            what=step.what,
            work=run_steps([step], self._file),
            weight=(2 if found.alters else 1) * table.bytes,
            after=self._row_tasks if self._rows_go_elsewhere else tuple(rows),
            shared=self._with_ancestors(key),
            exclusive=frozenset(family if found.alters else ()),
        )
        table.keys.append(self._add(task))
        return True

    def _foreign_key(self, step: Step) -> bool:
        text = self._file.read(step.start, step.end)
        keys = read_foreign_key(text)
        if keys is None or self._foreign_keys_last or self._catalog.calls(text):
            return False
        tables = [self._table(key) for key in keys]
        if any(self._catalog.kinds.get(key) != "r" for key in keys) or any(t.left for t in tables):
            return False
        made = tuple(task for table in tables for task in (*table.rows, *table.keys))
        self._add(
            Task(
                what=step.what,
                work=run_steps([step], self._file),
                weight=max(table.bytes for table in tables) // 2,
                after=(*made, *(self._row_tasks if self._rows_go_elsewhere else ())),
                shared=frozenset().union(*map(self._with_ancestors, keys)),
                exclusive=keys.union(*map(self._catalog.descendants, keys)),
            )
        )
        return True

    def plan_analyze(self, keys: Iterable[str]) -> None:
        for key in keys:
            table = self._table(key)
            if table.name and not self._catalog.reaches_elsewhere(key):
                children = self._catalog.descendants(key)
                below = [task for name in children for task in self._table(name).rows]
                self._add(
                    Task(
                        what=f"analyze {key}",
                        work=analyze_table(table.name, key),
                        weight=table.bytes - _LAST,
                        after=(*table.rows, *table.keys, *below),
                        shared=children,
                        exclusive=frozenset({key}),
                    )
                )

    def plan_analyze_made(self, after: Sequence[Task]) -> None:
        """Statistics of what has no rows in the dump: partitioned tables, materialized views."""
        keys = {key for key, kind in self._catalog.kinds.items() if kind in ("p", "m")}
        if keys:
            locked = keys.union(*map(self._catalog.descendants, keys))
            what = "statistics of partitioned tables and materialized views"
            self._add(
                Task(what, analyze_made, -_LAST, after=tuple(after), exclusive=frozenset(locked))
            )

    def plan_reading(self, reader: Reader) -> None:
        """One table at a time: hashing keeps one core busy, and threads of ours share it."""
        for key in reader.blocks:
            table = self._table(key)
            rows = self._row_tasks if self._rows_go_elsewhere else table.rows
            self._add(
                Task(
                    what=f"reading {key}",
                    work=reader.work(key, in_pieces=table.in_pieces),
                    weight=table.bytes - _LAST,
                    after=(*rows, *table.keys),
                    shared=frozenset({key}),
                    exclusive=_READER,
                )
            )

    def plan_in_order(self, what: str, steps: Sequence[Step], after: Sequence[Task] = ()) -> None:
        """One task for statements that keep their order."""
        self._add(Task(what, run_steps(steps, self._file), after=tuple(after)))

    def plan_call(self, what: str, call: WhenMade, after: Sequence[Task]) -> None:
        """One task that needs no session of the crew's."""
        self._add(Task(what, lambda session: call(session.require_going_on), after=tuple(after)))

    def _add(self, task: Task) -> Task:
        self.tasks.append(task)
        return task

    def _with_rows(self, block: CopyBlock) -> _Table:
        table = self._table(block.key)
        table.bytes += block.end - block.start
        table.name = table_of_copy(block.statement.encode("utf-8", "surrogateescape"))
        return table

    def _table(self, key: str) -> _Table:
        return self._tables.setdefault(key, _Table())

    def _with_ancestors(self, key: str) -> frozenset[str]:
        """A statement about a table may look at the tables that it is a part of."""
        return self._catalog.ancestors.get(key, frozenset()) | {key}
