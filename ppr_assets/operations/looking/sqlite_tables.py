"""Tables of a dump as tables of SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from ppr_assets.errors import PreconditionFailed
from ppr_assets.operations.looking.dump_tables import DumpTables
from ppr_assets.plain_sql.tables.definitions import TableDefinition
from ppr_assets.plain_sql.tables.values import sqlite_type

MOST_SCHEMAS = 10
"""Databases that one session of SQLite has beside its own."""


def quoted(*names: str) -> str:
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)


def columns_of(table: TableDefinition) -> list[str]:
    """Each as CREATE TABLE takes it."""
    return [
        f"{quoted(one.name)} {sqlite_type(one.type)}".rstrip() for one in table.columns.values()
    ]


def insert(session: sqlite3.Connection, into: str, dump: DumpTables, key: str) -> None:
    """Put the rows of the table ``key`` into SQLite's table ``into``, a quoted name."""
    width = len(dump.tables[key].columns)
    if not width:
        return
    statement = f"INSERT INTO {into} VALUES ({', '.join('?' * width)})"  # noqa: S608 - quoted
    for rows in dump.rows(key):
        session.executemany(statement, rows)


def attach_schemas(session: sqlite3.Connection, tables: Iterable[TableDefinition]) -> None:
    """Have each schema as a database in memory, ``public`` first, and in it the empty tables, so
    that they go by the names that they have in PostgreSQL.

    Raises :class:`PreconditionFailed` for names that SQLite cannot tell apart.
    """
    known: set[str] = set()
    try:
        for table in sorted(tables, key=lambda one: (one.schema != "public", one.key)):
            if not table.columns:
                continue
            if table.schema not in known and table.schema != "main":
                session.execute("ATTACH ':memory:' AS " + quoted(table.schema))
                known.add(table.schema)
            where = quoted(table.schema, table.name)
            session.execute(f"CREATE TABLE {where} ({', '.join(columns_of(table))})")
    except sqlite3.OperationalError as error:
        raise PreconditionFailed(
            f"the dump's tables cannot be made in SQLite: {error}",
            hint=f"it knows no more than {MOST_SCHEMAS} schemas, and does not tell small letters "
            "from capitals; `ppr-assets restore` brings them into PostgreSQL.",
        ) from error
