"""The tasks of a parallel load, in dependence of each other.

Rows come in pieces, the largest tables first. When all of a table's rows are in, its constraints
and indexes may be made, and when those of two tables are there, foreign keys between them. What
is not known to be safe that way keeps its place in the dump's order: it is run at the end by one
session.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from ppr_assets.postgres.layout import CopyBlock
from ppr_assets.postgres.load.catalog import Catalog
from ppr_assets.postgres.load.dump_file import DumpFile
from ppr_assets.postgres.load.scheduler import Task
from ppr_assets.postgres.load.sections import Sections, Step
from ppr_assets.postgres.load.session import Session
from ppr_assets.postgres.load.statements import run_step
from ppr_assets.rules.naming import table_key

PIECE = 8 * 1024 * 1024
"""Bytes of rows in one COPY; large enough that its own cost is lost in it."""

_NAME = rb'(?:"(?:[^"]|"")+"|[^\s".(),;]+)'
_TABLE = rb"(" + _NAME + rb")\.(" + _NAME + rb")"
_INDEX = re.compile(rb"\s*CREATE (?:UNIQUE )?INDEX " + _NAME + rb" ON (?:ONLY )?" + _TABLE + b" ")
_ADD = rb"\s+ADD CONSTRAINT " + _NAME
_KEY = re.compile(
    rb"\s*ALTER TABLE (?:ONLY )?" + _TABLE + _ADD + rb" (?:PRIMARY KEY|UNIQUE|EXCLUDE) "
)
_COLUMNS = rb"\(" + _NAME + rb"(?:, " + _NAME + rb")*\)"
_FOREIGN_KEY = re.compile(
    rb"\s*ALTER TABLE ONLY " + _TABLE + _ADD
    + rb" FOREIGN KEY " + _COLUMNS + rb" REFERENCES " + _TABLE + rb"\("
)  # fmt: skip


@dataclass
class _Table:
    """What has been planned for one table so far."""

    bytes: int = 0
    rows: list[Task] = field(default_factory=list)
    keys: list[Task] = field(default_factory=list)
    left: bool = False
    """Whether a constraint or an index of it is left to the end."""


def plan(sections: Sections, catalog: Catalog, file: DumpFile) -> Sequence[Task]:
    """Tasks for all that comes when the tables are there."""
    return _Planner(catalog, file).tasks(sections)


class _Planner:
    def __init__(self, catalog: Catalog, file: DumpFile) -> None:
        self._catalog = catalog
        self._file = file
        self._tables: dict[str, _Table] = {}
        self._tasks: list[Task] = []
        self._row_tasks: tuple[Task, ...] = ()
        self._rows_go_elsewhere = False
        self._foreign_keys_last = False

    def tasks(self, sections: Sections) -> Sequence[Task]:
        self._plan_rows(sections.rows)
        left = [step for step in sections.after if not self._planned(step)]
        self._add(_in_order("sequences and large objects", sections.aside, self._file))
        rest = [*left, *sections.last]
        self._add(_in_order("what follows the data", rest, self._file, tuple(self._tasks)))
        return self._tasks

    def _plan_rows(self, blocks: Iterable[CopyBlock]) -> None:
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
        self._row_tasks = tuple(self._tasks)

    def _rows(self, block: CopyBlock, size: int, after: tuple[Task, ...]) -> list[Task]:
        table = self._table(block.key)
        table.bytes += block.end - block.start
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
        self._tasks += tasks
        return tasks

    def _planned(self, step: Step) -> bool:
        """Plan a step to go beside others; False when it must keep its place."""
        if step.kind == "FK CONSTRAINT":
            return self._foreign_key(step)
        if step.kind in ("INDEX", "CONSTRAINT"):
            return self._key(step)
        return False

    def _key(self, step: Step) -> bool:
        text = self._file.read(step.start, step.end)
        found = _INDEX.match(text) or _KEY.match(text)
        if found is None:
            self._foreign_keys_last = True  # whatever table this belongs to
            return False
        key = _key_of(found.group(1), found.group(2))
        table = self._table(key)
        if key not in self._catalog.kinds or self._catalog.calls(text):
            table.left = True
            return False
        family = {key} | self._catalog.descendants(key)
        alters = found.re is _KEY or b"\nALTER " in text
        rows = (task for name in family for task in self._table(name).rows)
        task = Task(
            what=step.what,
            work=_steps([step], self._file),
            weight=(2 if alters else 1) * table.bytes,
            after=self._row_tasks if self._rows_go_elsewhere else tuple(rows),
            shared=self._with_ancestors(key),
            exclusive=frozenset(family if alters else ()),
        )
        table.keys.append(self._add(task))
        return True

    def _foreign_key(self, step: Step) -> bool:
        text = self._file.read(step.start, step.end)
        found = _FOREIGN_KEY.match(text)
        if found is None or self._foreign_keys_last or self._catalog.calls(text):
            return False
        keys = {_key_of(*found.group(1, 2)), _key_of(*found.group(3, 4))}
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
                exclusive=frozenset(keys).union(*map(self._catalog.descendants, keys)),
            )
        )
        return True

    def _add(self, task: Task) -> Task:
        self._tasks.append(task)
        return task

    def _table(self, key: str) -> _Table:
        return self._tables.setdefault(key, _Table())

    def _with_ancestors(self, key: str) -> frozenset[str]:
        """A statement about a table may look at the tables that it is a part of."""
        return self._catalog.ancestors.get(key, frozenset()) | {key}


def _copy(file: DumpFile, block: CopyBlock, start: int, end: int) -> Callable[[Session], None]:
    def work(session: Session) -> None:
        session.copy_in(block.statement, file.chunks(start, end), f"rows of {block.key}")

    return work


def _steps(steps: Sequence[Step], file: DumpFile) -> Callable[[Session], None]:
    def work(session: Session) -> None:
        for step in steps:
            run_step(session, file, step)

    return work


def _in_order(
    what: str, steps: Sequence[Step], file: DumpFile, after: tuple[Task, ...] = ()
) -> Task:
    return Task(what, _steps(steps, file), after=after)


def _key_of(schema: bytes, name: bytes) -> str:
    return table_key(_unquoted(schema), _unquoted(name))


def _unquoted(name: bytes) -> str:
    if name.startswith(b'"'):
        name = name[1:-1].replace(b'""', b'"')
    return name.decode("utf-8", "surrogateescape")
