"""What mends a database of which no dump can be restored, and the statement that shows it.

pg_dump runs with an empty search path, and so do restores: a function that calls another one
without its schema finds it nowhere. And a restore checks anew what the database looked at once:
rows that a constraint does not allow any more, or that came by while its trigger was off.
"""

# What is put together of rows and constraints is shown to people and never run.
# ruff: noqa: S608 - nothing of it is run

from __future__ import annotations

import re
from collections.abc import Callable
from typing import LiteralString

import psycopg
from psycopg import errors

from ppr_assets.postgres.sessions.session import Connection
from ppr_assets.rules.naming import quote_identifier

UNDEFINED = (
    errors.UndefinedFunction,
    errors.UndefinedTable,
    errors.UndefinedObject,
    errors.InvalidSchemaName,
)
"""What a function says that looks for something where it is not."""

_NO_DUMP = "no dump of this database restores until that is fixed"

_IN_FUNCTION = re.compile(
    r'^(?:SQL|PL/\w+) function (?:"(?P<name>.+)"(?= statement | during |$)'
    r"|(?P<signature>.+?\))(?= line | during |$))",
    re.MULTILINE,
)
"""Some languages tell the bare name, others what ``regprocedure`` reads."""

_FUNCTION: LiteralString = """
SELECT p.oid::pg_catalog.regprocedure::pg_catalog.text, e.extname::pg_catalog.text
FROM pg_catalog.pg_proc p
LEFT JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
  AND d.objid = p.oid AND d.deptype = 'e'
LEFT JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
WHERE p.pronamespace <> 'pg_catalog'::pg_catalog.regnamespace
  AND (p.oid = pg_catalog.to_regprocedure(%s) OR p.proname = %s)
ORDER BY coalesce(p.oid = pg_catalog.to_regprocedure(%s), false) DESC, 1 LIMIT 1
"""
_SCHEMAS: LiteralString = """
SELECT pg_catalog.quote_ident(n.nspname) FROM pg_catalog.pg_namespace n
WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' ORDER BY n.nspname <> 'public', 1
"""

_COLUMN_OF_COPY = re.compile(
    r"^COPY (?P<table>.+), line \d+, column (?P<column>[^:]+):", re.MULTILINE
)
_FOREIGN_KEY = re.compile(r"FOREIGN KEY \((.+?)\) REFERENCES (.+?)\((.+?)\)( MATCH FULL)?")
_KEY = re.compile(r"\((.+?)\)=\(")
"""In the detail of what is there twice: the columns or expressions, without their collations."""
_WHERE = re.compile(r" WHERE (\(.+\));", re.DOTALL)

_TABLE: LiteralString = """
SELECT pg_catalog.format('%%I.%%I', n.nspname, c.relname)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname = %s AND c.relkind IN ('r', 'p') ORDER BY 1 LIMIT 1
"""
_CHECK: LiteralString = """
SELECT pg_catalog.pg_get_expr(c.conbin, c.conrelid), c.contypid <> 0,
  CASE WHEN c.conrelid <> 0 AND c.coninhcount = 0 AND EXISTS (
    SELECT FROM pg_catalog.pg_depend d
    WHERE d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND d.objid = c.oid
      AND d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass)
  THEN pg_catalog.pg_get_constraintdef(c.oid) END
FROM pg_catalog.pg_constraint c
WHERE c.conname = %s AND c.contype = 'c'
ORDER BY coalesce(pg_catalog.to_regclass(%s) = c.conrelid, false) DESC, 1 LIMIT 1
"""
"""The definition only where it may be made anew, and calls a function that somebody has written."""

Definition = Callable[[str], str]
"""The statement of the dump that makes the constraint or index of this name, which may have its
table's before it; empty where there is none."""


def mending(error: psycopg.Error, connection: Connection, definition: Definition) -> str | None:
    """What to do about a statement or a row of a dump that was refused, None where the reason is
    none of those that lie in the database itself. ``connection`` is to where it was refused."""
    found = _function(error, connection) or _rows(error, connection, definition)
    return f"{_NO_DUMP}: {found}" if found else None


def _function(error: psycopg.Error, connection: Connection) -> str | None:
    named = _IN_FUNCTION.search(error.diag.context or "")
    if named is None or isinstance(error, errors.InsufficientPrivilege):
        return None
    signature = named["signature"]
    name = named["name"] or signature.partition("(")[0].rpartition(".")[2].strip('"')
    row = connection.execute(_FUNCTION, [signature, name, signature]).fetchone()
    if row is None:
        return None
    function, extension = row
    if not isinstance(error, UNDEFINED):
        return (
            f"{function} refuses what it was called with, and is called again whenever the rows "
            "are loaded, or what is made of them. Fix the function, or the rows."
        )
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
    """None where no row is the reason of ``error``."""
    diag = error.diag
    table, name = _qualified(diag.schema_name, diag.table_name), diag.constraint_name or ""
    made = definition(f"{diag.table_name} {name}") or definition(name)
    if isinstance(error, errors.NotNullViolation):
        column = quote_identifier(diag.column_name or "")
        return _look(f"SELECT * FROM {table} WHERE {column} IS NULL;")
    if isinstance(error, errors.ForeignKeyViolation):
        return _orphans(table, made)
    if isinstance(error, errors.UniqueViolation | errors.ExclusionViolation):
        return _let_by(error, table, made)
    if isinstance(error, errors.CheckViolation):
        return _checked(error, table, connection)
    return None


def _checked(error: psycopg.Error, table: str, connection: Connection) -> str | None:
    name = error.diag.constraint_name or ""
    row = connection.execute(_CHECK, [name, table or None]).fetchone()
    if row is None:
        return None
    expression, of_domain, made = row
    if not of_domain:
        shown = _look(f"SELECT * FROM {table} WHERE NOT ({expression});")
        if made is None:
            return shown
        constraint = quote_identifier(name)
        return (
            f"{shown} If it shows none, the check reads tables that are filled later than this "
            f"one: `ALTER TABLE {table} DROP CONSTRAINT {constraint}, ADD CONSTRAINT {constraint} "
            f"{made} NOT VALID;` has dumps make it when all rows are there."
        )
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
    there = (" OR " if found[4] else " AND ").join(f"c.{column} IS NOT NULL" for column in own)
    return _look(
        f"SELECT * FROM {table} c WHERE ({there}) AND NOT EXISTS (SELECT FROM {found[2]} p WHERE "
        f"{same});"
    )


def _let_by(error: psycopg.Error, table: str, definition: str) -> str:
    """Rows that an index should have kept apart."""
    key = _KEY.search(error.diag.message_detail or "")
    shown = "The message names two of the rows"
    if key and isinstance(error, errors.UniqueViolation):
        where = f" WHERE {found[1]}" if (found := _WHERE.search(definition)) else ""
        shown = (
            "`SET enable_indexscan = off; SET enable_indexonlyscan = off; "
            f"SET enable_bitmapscan = off; SELECT {key[1]}, count(*) FROM {table}{where} "
            f"GROUP BY {key[1]} HAVING count(*) > 1;` shows the rows"
        )
    index = _qualified(error.diag.schema_name, error.diag.constraint_name)
    return (
        "the index lets through what it should not, usually since the system's collation has "
        f"changed. {shown}; fix them, then run `REINDEX INDEX {index};`."
    )


def _look(select: str) -> str:
    return f"`{select}` shows the rows; fix them, or the constraint."


def _qualified(schema: str | None, name: str | None) -> str:
    return ".".join(quote_identifier(part) for part in (schema, name) if part)
