"""The tasks of a parallel load, in dependence of each other.

Rows come in pieces, the largest tables first. When all of a table's rows are in, its constraints
and indexes may be made, and when those of two tables are there, foreign keys between them. What
is not known to be safe that way keeps its place in the dump's order: it is run at the end by one
session.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ppr_assets.postgres.layout import CopyBlock
from ppr_assets.postgres.load.catalog import Catalog
from ppr_assets.postgres.load.dump_file import DumpFile
from ppr_assets.postgres.load.grammar import read_foreign_key, read_key, table_of_copy
from ppr_assets.postgres.load.scheduler import Task, Work
from ppr_assets.postgres.load.sections import Sections, Step
from ppr_assets.postgres.load.session import Session
from ppr_assets.postgres.load.statements import run_step

PIECE = 8 * 1024 * 1024
"""Bytes of rows in one COPY; large enough that its own cost is lost in it."""

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
    left: bool = False
    """Whether a constraint or an index of it is left to the end."""


def plan(
    sections: Sections,
    catalog: Catalog,
    file: DumpFile,
    *,
    reading: Mapping[str, Work],
    analyze: bool,
) -> Sequence[Task]:
    """Tasks for all that comes when the tables are there.

    ``reading`` is work to do for a table, by its key, when all of its rows and constraints are
    in; it only reads. ``analyze`` makes statistics of every table that has rows in the dump.
    """
    planner = _Planner(catalog, file)
    planner.plan_rows(sections.rows)
    left = [step for step in sections.after if not planner.planned(step)]
    if analyze:
        planner.plan_analyze(block.key for block in sections.rows)
    planner.plan_in_order("sequences and large objects", sections.aside)
    rest = [*left, *sections.last]
    planner.plan_in_order("what follows the data", rest, after=planner.tasks)
    planner.plan_reading(reading)
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

    def plan_rows(self, blocks: Iterable[CopyBlock]) -> None:
        """Rows that a function of the database's own looks at come after all before them in the
        dump and before all others, in one COPY: it may look for rows of any table."""
        since: list[Task] = []
        barrier: tuple[Task, ...] = ()
        for block in blocks:
            if self._catalog.kinds.get(block.key) != "r":  # COPY finds the partition of each row
                self._rows_go_elsewhere = True
            elif not (self._catalog.hidden_calls or block.key in self._catalog.calling):
                since += self._rows(block, PIECE, barrier)
                continue
            alone = self._rows(block, block.end - block.start, (*barrier, *since))
            barrier, since = tuple(alone) or (*barrier, *since), []
        self._row_tasks = tuple(self.tasks)

    def _rows(self, block: CopyBlock, size: int, after: tuple[Task, ...]) -> list[Task]:
        table = self._table(block.key)
        table.bytes += block.end - block.start
        table.name = table_of_copy(block.statement.encode("utf-8", "surrogateescape"))
        tasks = [
            Task(
                what=f"rows of {block.key}",
                work=_copy(self._file, block, start, end),
                weight=3 * table.bytes,
                after=after,
                shared=self._with_ancestors(block.key),
            )
            for start, end in self._file.pieces(block.start, block.end, size)
        ]
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
            work=_steps([step], self._file),
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
                work=_steps([step], self._file),
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
            if table.name:
                self._add(
                    Task(
                        what=f"analyze {key}",
                        work=_analyze(table.name, key),
                        weight=table.bytes // 3,
                        after=(*table.rows, *table.keys),
                        exclusive=frozenset({key}),
                    )
                )

    def plan_reading(self, work: Mapping[str, Work]) -> None:
        """One table at a time: hashing keeps one core busy, and threads of ours share it."""
        for key, read in work.items():
            table = self._table(key)
            rows = self._row_tasks if self._rows_go_elsewhere else table.rows
            self._add(
                Task(
                    what=f"reading {key}",
                    work=read,
                    weight=table.bytes,
                    after=(*rows, *table.keys),
                    shared=frozenset({key}),
                    exclusive=_READER,
                )
            )

    def plan_in_order(self, what: str, steps: Sequence[Step], after: Sequence[Task] = ()) -> None:
        """One task for statements that keep their order."""
        self._add(Task(what, _steps(steps, self._file), after=tuple(after)))

    def _add(self, task: Task) -> Task:
        self.tasks.append(task)
        return task

    def _table(self, key: str) -> _Table:
        return self._tables.setdefault(key, _Table())

    def _with_ancestors(self, key: str) -> frozenset[str]:
        """A statement about a table may look at the tables that it is a part of."""
        return self._catalog.ancestors.get(key, frozenset()) | {key}


def _copy(file: DumpFile, block: CopyBlock, start: int, end: int) -> Work:
    def work(session: Session) -> None:
        session.copy_in(block.statement, file.chunks(start, end), f"rows of {block.key}")

    return work


def _steps(steps: Sequence[Step], file: DumpFile) -> Work:
    def work(session: Session) -> None:
        for step in steps:
            run_step(session, file, step)

    return work


def _analyze(name: bytes, key: str) -> Work:
    def work(session: Session) -> None:
        session.execute(b"ANALYZE " + name, f"statistics of {key}")

    return work
