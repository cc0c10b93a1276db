"""Tasks that fill tables."""

from __future__ import annotations

from collections.abc import Iterable

from ppr_assets.plain_sql.parsing.layout import CopyBlock
from ppr_assets.postgres.load.plan.tasks import LoadPlan, TableTasks
from ppr_assets.postgres.load.work.scheduler import Task
from ppr_assets.postgres.load.work.table_work import copy_piece, copy_whole

PIECE = 8 * 1024 * 1024
"""Bytes of rows in one COPY; large enough that its own cost is lost in it."""


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
