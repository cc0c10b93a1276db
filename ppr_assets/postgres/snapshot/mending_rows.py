"""What shows the rows that a dump's own constraints and unique indexes do not let in again."""

# What is put together here is shown to people and never run.
# ruff: noqa: S608 - nothing of it is run

from __future__ import annotations

import re
from collections.abc import Callable
from typing import LiteralString

import psycopg
from psycopg import errors

from ppr_assets.postgres.sessions.session import Connection
from ppr_assets.rules.naming import quote_identifier

Definition = Callable[[str], str]
"""The statement of the dump that makes the constraint or index of this name, which may have its
table's before it; empty where there is none."""

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


def mending_rows(
    error: psycopg.Error, connection: Connection, definition: Definition
) -> str | None:
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
