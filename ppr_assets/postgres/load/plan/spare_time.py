"""Tasks that nothing waits for, and that fill whatever time the sessions have left."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from ppr_assets.postgres.load.plan.tasks import LoadPlan
from ppr_assets.postgres.load.work.read_back import Reader
from ppr_assets.postgres.load.work.scheduler import Task
from ppr_assets.postgres.load.work.table_work import analyze_made, analyze_table

WhenMade = Callable[[Callable[[], None]], None]

_LAST = 2**60
"""Taken from the weight of what nothing waits for: it fills the time that is left."""

_READER = frozenset({"(reader)"})
"""What reading tasks lock besides their table, which no table is called."""


def plan_analyze(plan: LoadPlan, keys: Iterable[str]) -> None:
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


def plan_analyze_made(plan: LoadPlan, after: Sequence[Task]) -> None:
    """Statistics of what has no rows in the dump: partitioned tables, materialized views."""
    keys = {key for key, kind in plan.catalog.kinds.items() if kind in ("p", "m")}
    if keys:
        locked = keys.union(*map(plan.catalog.descendants, keys))
        what = "statistics of partitioned tables and materialized views"
        plan.add(Task(what, analyze_made, -_LAST, after=tuple(after), exclusive=frozenset(locked)))


def plan_reading(plan: LoadPlan, reader: Reader) -> None:
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


def plan_call(plan: LoadPlan, what: str, call: WhenMade, after: Sequence[Task]) -> None:
    """One task that needs no session of the crew's."""
    plan.add(Task(what, lambda session: call(session.require_going_on), after=tuple(after)))
