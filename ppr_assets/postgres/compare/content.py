"""What is in a database's tables, held to what a dump says."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from pathlib import Path

import psycopg
from psycopg import sql

from ppr_assets.deadline import Deadline
from ppr_assets.plain_sql.parsing.layout import Layout
from ppr_assets.postgres.load.work.read_back import Reader
from ppr_assets.postgres.load.work.scheduler import Crew, Task, default_connections
from ppr_assets.postgres.sessions.session import Connection, failed, open_session
from ppr_assets.postgres.snapshot.records import count_records
from ppr_assets.rules.recorded.parts import TableRecord
from ppr_assets.rules.wording import few
from ppr_assets.settings import DatabaseSettings


def read_tables(
    settings: DatabaseSettings,
    layout: Layout,
    *,
    spill_folder: Path,
    deadline: Deadline,
) -> Mapping[str, TableRecord]:
    """Read from ``settings.dbname``, in one snapshot, every table that ``layout`` has rows of.

    By table key. What does not fit into memory is sorted in ``spill_folder``. Raises
    :class:`RestoreFailed` when a table is not there or cannot be read, or ``deadline`` passes.
    """
    with open_session(settings, layout.encoding) as leader:
        leader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        row = leader.execute("SELECT pg_catalog.pg_export_snapshot()").fetchone()
        assert row is not None
        open_reader = partial(_open_reader, settings, layout.encoding, row[0])
        found: dict[str, TableRecord] = {}
        reader = Reader(leader, layout, found, spill_folder)
        tasks = [
            Task(f"reading {key}", reader.work(key), weight=block.end - block.start)
            for key, block in reader.blocks.items()
        ]
        with Crew(open_reader, default_connections(), deadline) as crew:
            crew.run(tasks)
    return found


def table_differences(
    expected: Mapping[str, TableRecord], found: Mapping[str, TableRecord]
) -> Sequence[str]:
    """What a human reads: rows that are missing or too many, or other rows. Empty when equal."""
    differences = []
    for key in sorted(expected.keys() | found.keys()):
        want, have = expected.get(key), found.get(key)
        if have is None:
            differences.append(f"table {key} is missing")
        elif want is None:
            differences.append(f"table {key} is not in the dump")
        elif have.rows != want.rows:
            differences.append(f"table {key} has {have.rows} rows, the dump has {want.rows}")
        elif have.sha256 != want.sha256:
            differences.append(
                f"table {key} has other rows than the dump: SHA-256 {have.sha256[:12]}…, "
                f"the dump has {want.sha256[:12]}…"
            )
    return differences


def rows_beside(
    connection: Connection, layout: Layout, wanted: Collection[str] | None = None
) -> Mapping[str, int]:
    """Rows of the tables (None: of all) that the dump has no COPY block of, by table key, which
    nobody compares. Raises :class:`RestoreFailed`."""
    try:
        return count_records(connection, wanted, skip=layout.tables, owned=True)
    except psycopg.Error as error:
        raise failed("the count of rows", error) from error


def inserted_differences(layout: Layout, counts: Mapping[str, int]) -> Sequence[str]:
    """Rows that the dump inserts and that are not there; more of them may come by one statement
    than pg_dump writes into one."""
    return [
        f"table {key} has {counts.get(key, 0)} rows, the dump inserts {rows}"
        for key, rows in sorted(layout.inserted.items())
        if key in counts and counts[key] < rows
    ]


def not_compared(layout: Layout, counts: Mapping[str, int]) -> Sequence[str]:
    """What a human has to know of the tables beside those that were compared."""
    by_insert = [key for key in counts if key in layout.inserted]
    otherwise = [key for key in counts if counts[key] and key not in layout.inserted]
    empty = [key for key in counts if not counts[key] and key not in layout.inserted]
    return [
        f"not compared: {what} {few(keys, 5)}"
        for keys, what in (
            (by_insert, "values of rows that came by INSERT, only their number, of"),
            (otherwise, "rows of which the dump says nothing, of"),
            (empty, "the dump brings no rows of"),
        )
        if keys
    ]


def _open_reader(settings: DatabaseSettings, encoding: str, snapshot: str) -> Connection:
    connection = open_session(settings, encoding)
    connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
    connection.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(snapshot)))
    return connection
