"""Tasks that make constraints and indexes, and foreign keys when those are there."""

from __future__ import annotations

from ppr_assets.plain_sql.parsing.keys import read_foreign_key, read_key
from ppr_assets.plain_sql.parsing.sections import Step
from ppr_assets.postgres.load.plan.tasks import LoadPlan
from ppr_assets.postgres.load.work.scheduler import Task
from ppr_assets.postgres.load.work.table_work import run_steps


def planned(plan: LoadPlan, step: Step) -> bool:
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
