"""A dump asked in SQL, by SQLite in memory, which reads the tables that the query names.

Which those are SQLite says itself: it prepares the query on the dump's tables while they are empty,
and asks for each column that it would read. Whatever does not read is refused.
"""

from __future__ import annotations

import re
import sqlite3
import time
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager

from msgspec import Struct

from ppr_assets.errors import QueryFailed
from ppr_assets.operations.looking.published_tables import PublishedTables
from ppr_assets.operations.looking.sqlite_tables import attach_schemas, insert, quoted
from ppr_assets.rules.wording import few

SECONDS = 60.0
"""A query may take, from its first step on, if not said otherwise."""
MEMORY_BYTES = 4 * 1024**3
"""What SQLite may take of memory."""
_STEPS = 20_000
"""Of SQLite's machine, between two looks at the clock: some hundred microseconds."""
_SHOWN = 12
_READS = frozenset(
    {
        sqlite3.SQLITE_SELECT,
        sqlite3.SQLITE_READ,
        sqlite3.SQLITE_FUNCTION,
        sqlite3.SQLITE_RECURSIVE,
    }
)
_UNTOLD = re.compile(r"\b(?:using|natural)\b", re.IGNORECASE)
"""With these SQLite does not say which columns it compares, and of which tables."""
_DIALECT = (
    "the SQL is SQLite's; `ppr-assets query` without a query shows the tables and their columns."
)

Cell = int | float | str | bytes | None


class Answer(Struct, frozen=True):
    """``tables``: the keys of those that were read. ``rows`` come while they are found."""

    columns: tuple[str, ...]
    rows: Iterator[tuple[Cell, ...]]
    tables: Sequence[str]


@contextmanager
def answered(dump: PublishedTables, sql: str, *, seconds: float = SECONDS) -> Iterator[Answer]:
    """Ask ``dump``. Raises :class:`QueryFailed`, also while the rows are read, and what
    :meth:`PublishedTables.rows` raises."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as session:
        session.execute(f"PRAGMA hard_heap_limit={MEMORY_BYTES}")
        session.execute("PRAGMA temp_store=MEMORY")
        attach_schemas(session, dump.tables.values())
        clock = _Clock(seconds)
        session.set_progress_handler(clock.over, _STEPS)
        with _in_words(dump, clock):
            names = _named(session, dump, sql)
            session.set_progress_handler(None, 0)  # loading takes what it takes
            session.execute("BEGIN")  # one transaction for all rows, and not one for each
            for key, columns in names.items():
                table = dump.tables[key]
                insert(session, quoted(table.schema, table.name), dump, key, columns)
            session.execute("COMMIT")
            session.set_authorizer(_only_reads)
            clock.start()
            session.set_progress_handler(clock.over, _STEPS)
            cursor = session.execute(sql)
            if cursor.description is None:
                raise QueryFailed("the query gives no rows", hint=_DIALECT)
            columns = tuple(column[0] for column in cursor.description)
            yield Answer(columns, _rows(cursor, dump, clock), [*names])


def _named(
    session: sqlite3.Connection, dump: PublishedTables, sql: str
) -> Mapping[str, Collection[str]]:
    """The tables that the query reads, each with the columns, by SQLite's own word. Of one whose
    columns do not matter (``count(*)``) that is the name as it was written, so without a schema it
    may be several."""
    read: defaultdict[tuple[str, str], set[str]] = defaultdict(set)

    def noted(action: int, one: str | None, two: str | None, schema: str | None, _: object) -> int:
        if action == sqlite3.SQLITE_READ and one:
            read[(schema or "").lower(), one.lower()].add(two or "")
        return _only_reads(action, one, two, schema, _)

    session.set_authorizer(noted)
    with closing(session.execute(sql)):
        pass
    session.set_authorizer(None)
    named = {
        table.key: [
            read[schema, table.name.lower()]
            for schema in (table.schema.lower(), "")
            if (schema, table.name.lower()) in read
        ]
        for table in dump.tables.values()
    }
    if _UNTOLD.search(sql):
        text = sql.lower().replace('""', '"')
        return {
            key: table.columns
            for key, table in dump.tables.items()
            if named[key] or table.name.lower() in text
        }
    return {key: set().union(*columns) for key, columns in named.items() if columns}


def _only_reads(action: int, one: str | None, two: str | None, *_: object) -> int:
    unsafe = action == sqlite3.SQLITE_FUNCTION and (two or one) == "load_extension"
    return sqlite3.SQLITE_OK if action in _READS and not unsafe else sqlite3.SQLITE_DENY


def _rows(
    cursor: sqlite3.Cursor, dump: PublishedTables, clock: _Clock
) -> Iterator[tuple[Cell, ...]]:
    with _in_words(dump, clock):
        yield from cursor


class _Clock:
    """Ends a query that goes on for too long, and one that somebody interrupts."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.cancelled: KeyboardInterrupt | None = None
        self.start()

    def start(self) -> None:
        self._end = time.monotonic() + self.seconds

    def over(self) -> int:
        try:
            return time.monotonic() > self._end
        except KeyboardInterrupt as interrupt:  # SQLite would lose it
            self.cancelled = interrupt
            return 1


@contextmanager
def _in_words(dump: PublishedTables, clock: _Clock) -> Iterator[None]:
    try:
        yield
    except MemoryError:
        raise QueryFailed(
            f"the query needs more than {MEMORY_BYTES // 1024**3} GiB of memory",
            hint="name fewer tables, or restore the dump (`ppr-assets restore`) and ask there.",
        ) from None
    except (sqlite3.Error, sqlite3.Warning) as error:
        if clock.cancelled:
            raise clock.cancelled from None
        raise _failed(str(error), dump, clock) from error


def _failed(said: str, dump: PublishedTables, clock: _Clock) -> QueryFailed:
    if said == "interrupted":
        return QueryFailed(
            f"the query has not ended after {clock.seconds:g} s",
            hint="does it join tables without a condition? `--timeout SECONDS` gives it longer.",
        )
    if said.startswith("no such table: "):
        name = said.partition(": ")[2]
        if name.rpartition(".")[2] in dump.views:
            return QueryFailed(
                f"`{name}` is a view, of which a dump has no rows",
                hint="ask the tables that it is made of, or restore the dump.",
            )
        known = few(sorted(dump.tables), _SHOWN)
        return QueryFailed(f"there is no table `{name}`, the dump has {known}", hint=_DIALECT)
    if "not authorized" in said or "authorization denied" in said:
        return QueryFailed(
            "the query does something else than reading the dump's tables",
            hint="a SELECT is needed; nothing can be written here.",
        )
    return QueryFailed(f"SQLite refuses the query: {said}", hint=_DIALECT)
