"""Tables of a dump as tables of SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable

from ppr_assets.errors import PreconditionFailed
from ppr_assets.operations.looking.published_tables import PublishedTables
from ppr_assets.plain_sql.tables.definitions import TableDefinition
from ppr_assets.plain_sql.tables.values import sqlite_type

MOST_SCHEMAS = 10
"""Databases that one session of SQLite has beside its own."""


def quoted(*names: str) -> str:
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)


def columns_of(table: TableDefinition) -> list[str]:
    """Each as CREATE TABLE takes it."""
    return [
        f"{quoted(one.name)} {sqlite_type(one.values)}".rstrip() for one in table.columns.values()
    ]


def require_columns_apart(table: TableDefinition) -> None:
    """Raises :class:`PreconditionFailed` for names that SQLite cannot tell apart."""
    known: dict[bytes, str] = {}
    for name in table.columns:
        if (other := known.setdefault(name.encode().lower(), name)) != name:
            raise PreconditionFailed(
                f"{table.key} has the columns `{other}` and `{name}`, which SQLite cannot tell "
                "apart",
                hint="`ppr-assets export csv` takes them, and `ppr-assets restore` brings them "
                "into PostgreSQL.",
            )


def insert(
    session: sqlite3.Connection,
    into: str,
    dump: PublishedTables,
    key: str,
    names: Collection[str] | None = None,
) -> None:
    """Put the rows of the table ``key`` into SQLite's table ``into``, a quoted name: of the columns
    with these ``names`` (all, without it), the others stay NULL."""
    columns = [one for one in dump.tables[key].columns if names is None or one in names]
    values = f"({', '.join(map(quoted, columns))}) VALUES ({', '.join('?' * len(columns))})"
    statement = f"INSERT INTO {into} {values if columns else 'DEFAULT VALUES'}"
    if dump.tables[key].columns:
        for rows in dump.rows(key, columns):
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
