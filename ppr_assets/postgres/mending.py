"""What mends a database of which no dump can be restored, and the statement that shows it.

pg_dump runs with an empty search path, and so do restores: a function that calls another one
without its schema finds it nowhere. And a restore checks anew what the database looked at once:
rows that a constraint does not allow any more, or that came by while its trigger was off.
"""

# What is put together here is shown to people and never run.
# ruff: noqa: S608 - nothing of it is run

from __future__ import annotations

import re
from collections.abc import Callable
from typing import LiteralString

import psycopg
from psycopg import errors

from ppr_assets.postgres.load.session import Connection
from ppr_assets.rules.naming import quote_identifier

Definition = Callable[[str], str]
"""The statement of the dump that makes the object of this name, empty where there is none."""

UNDEFINED = (
    errors.UndefinedFunction,
    errors.UndefinedTable,
    errors.UndefinedObject,
    errors.InvalidSchemaName,
)
"""What a function says that looks for something where it is not."""

_NO_DUMP = "no dump of this database restores until that is mended"

_IN_FUNCTION = re.compile(r'function "?([^"(\s]+)"?(?:\([^)]*\))?')
_COLUMN_OF_COPY = re.compile(
    r"^COPY (?P<table>.+), line \d+, column (?P<column>[^:]+):", re.MULTILINE
)
_FOREIGN_KEY = re.compile(r"FOREIGN KEY \((.+?)\) REFERENCES (\S+?)\((.+?)\)")
_UNIQUE = re.compile(r"(?:USING \w+|UNIQUE(?: NULLS NOT DISTINCT)?|PRIMARY KEY) \((.+)\)")

_FUNCTION: LiteralString = """
SELECT p.oid::pg_catalog.regprocedure::pg_catalog.text, e.extname::pg_catalog.text
FROM pg_catalog.pg_proc p
LEFT JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
  AND d.objid = p.oid AND d.deptype = 'e'
LEFT JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
WHERE p.proname = %s AND p.pronamespace <> 'pg_catalog'::pg_catalog.regnamespace
ORDER BY 1 LIMIT 1
"""
_SCHEMAS: LiteralString = """
SELECT pg_catalog.quote_ident(n.nspname) FROM pg_catalog.pg_namespace n
WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' ORDER BY n.nspname <> 'public', 1
"""
_TABLE: LiteralString = """
SELECT pg_catalog.format('%%I.%%I', n.nspname, c.relname)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname = %s AND c.relkind IN ('r', 'p') ORDER BY 1 LIMIT 1
"""
_CHECK: LiteralString = """
SELECT pg_catalog.pg_get_expr(conbin, conrelid), contypid <> 0 FROM pg_catalog.pg_constraint
WHERE conname = %s AND contype = 'c' ORDER BY 1 LIMIT 1
"""


def mending(error: psycopg.Error, connection: Connection, definition: Definition) -> str | None:
    """What to do about a statement or a row of a dump that was refused, None where the reason is
    none of those that lie in the database itself. ``connection`` is to where it was refused."""
    found = _function(error, connection) or _rows(error, connection, definition)
    return f"{_NO_DUMP}: {found}" if found else None


def _function(error: psycopg.Error, connection: Connection) -> str | None:
    named = _IN_FUNCTION.search(error.diag.context or "")
    if not isinstance(error, UNDEFINED) or named is None:
        return None
    row = connection.execute(_FUNCTION, [named[1].rpartition(".")[2]]).fetchone()
    if row is None:
        return None
    function, extension = row
    schemas = ", ".join(schema for (schema,) in connection.execute(_SCHEMAS))
    if extension is None:
        return (
            f"{function} calls something without its schema, and is called with an empty search "
            f"path. Run `ALTER FUNCTION {function} SET search_path = {schemas};`."
        )
    return (
        f"{function} of the extension {extension} calls something without its schema, and is "
        "called with an empty search path. Call it through a function of your own that has a SET "
        f"search_path, or set SQL_DUMP_SEARCH_PATH={schemas.replace(' ', '')}, which writes that "
        "path into dumps (servers from PostgreSQL 17 on do not look at it for indexes and "
        "materialized views)."
    )


def _rows(error: psycopg.Error, connection: Connection, definition: Definition) -> str | None:
    diag = error.diag
    table = _qualified(diag.schema_name, diag.table_name)
    name = diag.constraint_name or ""
    if isinstance(error, errors.NotNullViolation):
        column = quote_identifier(diag.column_name or "")
        return _look(f"SELECT * FROM {table} WHERE {column} IS NULL;")
    if isinstance(error, errors.ForeignKeyViolation):
        return _orphans(table, definition(name))
    if isinstance(error, errors.UniqueViolation):
        return _twice(table, name, definition(name))
    if isinstance(error, errors.CheckViolation):
        return _checked(error, table, connection)
    return None


def _checked(error: psycopg.Error, table: str, connection: Connection) -> str | None:
    row = connection.execute(_CHECK, [error.diag.constraint_name]).fetchone()
    if row is None:
        return None
    expression, of_domain = row
    if not of_domain:
        return _look(f"SELECT * FROM {table} WHERE NOT ({expression});")
    column = _COLUMN_OF_COPY.search(error.diag.context or "")
    if column is None:
        return f"look at the columns of the domain {error.diag.datatype_name}."
    expression = re.sub(r"\bVALUE\b", quote_identifier(column["column"]), expression)
    found = connection.execute(_TABLE, [column["table"]]).fetchone()
    return _look(
        f"SELECT * FROM {found[0] if found else column['table']} WHERE NOT ({expression});"
    )


def _orphans(table: str, definition: str) -> str | None:
    found = _FOREIGN_KEY.search(definition)
    if found is None:
        return None
    own, others = found[1].split(", "), found[3].split(", ")
    same = " AND ".join(f"p.{theirs} = c.{ours}" for ours, theirs in zip(own, others, strict=True))
    there = " AND ".join(f"c.{column} IS NOT NULL" for column in own)
    return _look(
        f"SELECT * FROM {table} c WHERE {there} AND NOT EXISTS (SELECT FROM {found[2]} p WHERE "
        f"{same});"
    )


def _twice(table: str, name: str, definition: str) -> str | None:
    found = _UNIQUE.search(definition)
    if found is None:
        return None
    columns = found[1]
    return (
        "the index lets by what it should not, mostly since the system's collation has changed. "
        "`SET enable_indexscan = off; SET enable_indexonlyscan = off; SET enable_bitmapscan = off; "
        f"SELECT {columns}, count(*) FROM {table} GROUP BY {columns} HAVING count(*) > 1;` shows "
        f"the rows; mend them, then run `REINDEX INDEX {quote_identifier(name)};`."
    )


def _look(select: str) -> str:
    return f"`{select}` shows the rows; mend them, or the constraint."


def _qualified(schema: str | None, name: str | None) -> str:
    return ".".join(quote_identifier(part) for part in (schema, name) if part)
