"""The tasks that fill a dump's tables and make their keys, in dependence of each other.

The largest tables come first. A table that is more than one session's share of all rows comes in
pieces, over several; any other one over one session, in the transaction that empties it: its rows
are then frozen, so nobody has to write to their pages again, and lie in the order of the dump.

When all of a table's rows are in, its constraints and indexes may be made, and when those of two
tables are there, foreign keys between them. What is not known to be safe that way keeps its place
in the dump's order: it is run by one session when those are done.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct, field

from ppr_assets.plain_sql.parsing.byte_ranges import DumpFile
from ppr_assets.plain_sql.parsing.keys import read_foreign_key, read_key
from ppr_assets.plain_sql.parsing.layout import CopyBlock
from ppr_assets.plain_sql.parsing.sections import Step
from ppr_assets.postgres.load.work.catalog import Catalog
from ppr_assets.postgres.load.work.scheduler import Task
from ppr_assets.postgres.load.work.statements import copy_piece, copy_whole, run_steps

PIECE = 8 * 1024 * 1024
"""Bytes of rows in one COPY; large enough that its own cost is lost in it."""


class TableTasks(Struct):
    """What has been planned for one table so far."""

    name: bytes = b""
    """As SQL has it; empty where the dump has no rows of it."""
    bytes: int = 0
    rows: list[Task] = field(default_factory=list)
    keys: list[Task] = field(default_factory=list)
    in_pieces: bool = False
    left: bool = False
    """Whether a constraint or an index of it is left to the end."""


class LoadPlan:
    """The tasks, and what those to come have to know of them.

    ``row_tasks`` are all that fill tables; ``rows_go_elsewhere``: some fill others than the one
    they name. ``foreign_keys_last``: a key is left to the end, and nobody knows which table's.
    """

    def __init__(self, catalog: Catalog, file: DumpFile) -> None:
        self.catalog = catalog
        self.file = file
        self.tasks: list[Task] = []
        self.row_tasks: tuple[Task, ...] = ()
        self.rows_go_elsewhere = False
        self.foreign_keys_last = False
        self._tables: dict[str, TableTasks] = {}

    def add(self, task: Task) -> Task:
        self.tasks.append(task)
        return task

    def table(self, key: str) -> TableTasks:
        return self._tables.setdefault(key, TableTasks())

    def with_ancestors(self, key: str) -> frozenset[str]:
        """A statement about a table may look at the tables that it is a part of."""
        return self.catalog.ancestors.get(key, frozenset()) | {key}

    def add_in_order(self, what: str, steps: Sequence[Step], after: Sequence[Task] = ()) -> None:
        """One task for statements that keep their order."""
        self.add(Task(what, run_steps(steps, self.file), after=tuple(after)))


def plan_rows(plan: LoadPlan, blocks: Iterable[CopyBlock], share: int) -> None:
    """Rows that a function of the database's own looks at come after all before them in the
    dump and before all others, in one COPY: it may look for rows of any table. They are not
    frozen, as it would see those of its own table too early."""
    since: list[Task] = []
    barrier: tuple[Task, ...] = ()
    for block in blocks:
        size = block.end - block.start
        if plan.catalog.kinds.get(block.key) != "r":  # COPY finds the partition of each row
            plan.rows_go_elsewhere = True
        elif not (plan.catalog.hidden_calls or block.key in plan.catalog.calling):
            if block.key in plan.catalog.of_extensions or size > max(share, PIECE):
                since += _rows(plan, block, PIECE, barrier)
            else:
                since += _frozen_rows(plan, block, barrier)
            continue
        alone = _rows(plan, block, size, (*barrier, *since))
        barrier, since = tuple(alone) or (*barrier, *since), []
    plan.row_tasks = tuple(plan.tasks)


def _frozen_rows(plan: LoadPlan, block: CopyBlock, after: tuple[Task, ...]) -> list[Task]:
    table = _with_rows(plan, block)
    if block.start == block.end:
        return []
    task = Task(
        what=f"rows of {block.key}",
        work=copy_whole(plan.file, block, table.name),
        weight=3 * table.bytes,
        after=after,
        shared=plan.with_ancestors(block.key),
        exclusive=frozenset({block.key}),
    )
    table.rows.append(plan.add(task))
    return [task]


def _rows(plan: LoadPlan, block: CopyBlock, size: int, after: tuple[Task, ...]) -> list[Task]:
    table = _with_rows(plan, block)
    tasks = [
        Task(
            what=f"rows of {block.key}",
            work=copy_piece(plan.file, block, start, end),
            weight=3 * table.bytes,
            after=after,
            shared=plan.with_ancestors(block.key),
        )
        for start, end in plan.file.pieces(block.start, block.end, size)
    ]
    table.in_pieces = len(tasks) > 1
    table.rows += tasks
    plan.tasks += tasks
    return tasks


def _with_rows(plan: LoadPlan, block: CopyBlock) -> TableTasks:
    table = plan.table(block.key)
    table.bytes += block.end - block.start
    table.name = block.table
    return table


def plan_key(plan: LoadPlan, step: Step) -> bool:
    """Plan a step to go beside others; False when it must keep its place."""
    if step.kind == "FK CONSTRAINT":
        return _foreign_key(plan, step)
    if step.kind in ("INDEX", "CONSTRAINT"):
        return _key(plan, step)
    return False


def _key(plan: LoadPlan, step: Step) -> bool:
    text = plan.file.read(step.start, step.end)
    found = read_key(text)
    if found is None:
        plan.foreign_keys_last = True  # whatever table this belongs to
        return False
    key = found.table
    table = plan.table(key)
    if key not in plan.catalog.kinds or plan.catalog.calls(text):
        table.left = True
        return False
    family = {key} | plan.catalog.descendants(key)
    rows = (task for name in family for task in plan.table(name).rows)
    task = Task(
        what=step.what,
        work=run_steps([step], plan.file),
        weight=(2 if found.alters else 1) * table.bytes,
        after=plan.row_tasks if plan.rows_go_elsewhere else tuple(rows),
        shared=plan.with_ancestors(key),
        exclusive=frozenset(family if found.alters else ()),
    )
    table.keys.append(plan.add(task))
    return True


def _foreign_key(plan: LoadPlan, step: Step) -> bool:
    text = plan.file.read(step.start, step.end)
    found = read_foreign_key(text)
    if found is None or plan.foreign_keys_last or plan.catalog.calls(text):
        return False
    keys = frozenset({found.table, found.to})
    tables = [plan.table(key) for key in keys]
    if any(plan.catalog.kinds.get(key) != "r" for key in keys) or any(t.left for t in tables):
        return False
    made = tuple(task for table in tables for task in (*table.rows, *table.keys))
    plan.add(
        Task(
            what=step.what,
            work=run_steps([step], plan.file),
            weight=max(table.bytes for table in tables) // 2,
            after=(*made, *(plan.row_tasks if plan.rows_go_elsewhere else ())),
            shared=frozenset().union(*map(plan.with_ancestors, keys)),
            exclusive=keys.union(*map(plan.catalog.descendants, keys)),
        )
    )
    return True
