"""What is in a database's tables: rows and their SHA-256, as the canonical dump counts them.

Rows are read through COPY with the columns of the dump and the settings of pg_dump, and hashed in
the order of their bytes, so the same data gives the same numbers wherever it lies.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import LiteralString

from psycopg import sql

from ppr_assets.deadline import Deadline
from ppr_assets.postgres.layout import CopyBlock, Layout
from ppr_assets.postgres.load.parallel import default_connections
from ppr_assets.postgres.load.scheduler import Crew, Task
from ppr_assets.postgres.load.session import Connection, Session, open_session
from ppr_assets.postgres.sorted_rows import SortedRows
from ppr_assets.rules.manifest import TableRecord
from ppr_assets.rules.naming import table_key
from ppr_assets.settings import DatabaseSettings

TIMEZONE = "UTC"
"""Moments are written in the session's time zone, so all dumps must agree on one."""

# Of an extension's own tables pg_dump writes only the rows that fulfil the extension's condition.
_CONDITIONS: LiteralString = """
SELECT n.nspname, c.relname, t.condition
FROM pg_catalog.pg_extension e, unnest(e.extconfig, e.extcondition) AS t(relation, condition)
JOIN pg_catalog.pg_class c ON c.oid = t.relation
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE t.condition <> ''
"""


def read_tables(
    settings: DatabaseSettings,
    layout: Layout,
    *,
    spill_folder: Path,
    deadline: Deadline,
    timezone: str = TIMEZONE,
    connections: int | None = None,
) -> Mapping[str, TableRecord]:
    """Read from ``settings.dbname``, in one snapshot, every table that ``layout`` has rows of.

    By table key. What does not fit into memory is sorted in ``spill_folder``. Raises
    :class:`RestoreFailed` when a table is not there or cannot be read, or ``deadline`` passes.
    """
    with open_session(settings, layout.encoding) as leader:
        leader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        row = leader.execute("SELECT pg_catalog.pg_export_snapshot()").fetchone()
        assert row is not None
        open_reader = partial(_open_reader, settings, layout.encoding, row[0])
        found: dict[str, TableRecord] = {}
        statements = reading_statements(leader, layout)
        tasks = [
            Task(
                what=f"reading {block.key}",
                work=reading(block, statements[block.key], found, timezone, spill_folder),
                weight=block.end - block.start,
            )
            for block in _blocks(layout)
        ]
        with Crew(open_reader, connections or default_connections(), deadline) as crew:
            crew.run(tasks)
    return {block.key: found[block.key] for block in _blocks(layout)}


def reading_statements(connection: Connection, layout: Layout) -> Mapping[str, bytes]:
    """The COPY statements that give the rows of the dump's, by table key."""
    conditions = {
        table_key(schema, name): condition
        for schema, name, condition in connection.execute(_CONDITIONS)
    }
    return {block.key: _statement(block, conditions.get(block.key)) for block in _blocks(layout)}


def reading(
    block: CopyBlock,
    statement: bytes,
    found: dict[str, TableRecord],
    timezone: str,
    spill_folder: Path,
) -> Callable[[Session], None]:
    """Work for a session: put the record of one table into ``found``."""
    zone = sql.SQL("SET timezone TO {}").format(sql.Literal(timezone))

    def work(session: Session) -> None:
        session.execute(zone.as_string().encode(), f"time zone {timezone}")
        found[block.key] = _record(session.copy_out(statement, block.key), spill_folder)

    return work


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


def _open_reader(settings: DatabaseSettings, encoding: str, snapshot: str) -> Connection:
    connection = open_session(settings, encoding)
    connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    connection.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(snapshot)))
    return connection


def _record(chunks: Iterable[bytes], spill_folder: Path) -> TableRecord:
    digest = hashlib.sha256()
    with SortedRows(spill_folder) as rows:
        for chunk in chunks:
            rows.add(chunk)
        for block in rows.blocks():
            digest.update(block)
    return TableRecord(rows=rows.count, sha256=digest.hexdigest())


def _statement(block: CopyBlock, condition: str | None) -> bytes:
    text = block.statement.removesuffix(";").removesuffix(" FROM stdin")
    if condition is not None:
        name, _, columns = text.removeprefix("COPY ").partition(" (")
        text = f"COPY (SELECT {columns.removesuffix(')')} FROM ONLY {name} {condition})"  # noqa: S608 - its own SQL
    return f"{text} TO stdout".encode("utf-8", "surrogateescape")


def _blocks(layout: Layout) -> Sequence[CopyBlock]:
    return [entry.copy for entry in layout.entries if entry.copy]
