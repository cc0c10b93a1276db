"""What has been planned so far."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct, field

from ppr_assets.plain_sql.parsing.byte_ranges import DumpFile
from ppr_assets.plain_sql.parsing.sections import Step
from ppr_assets.postgres.load.work.catalog import Catalog
from ppr_assets.postgres.load.work.scheduler import Task
from ppr_assets.postgres.load.work.table_work import run_steps


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
