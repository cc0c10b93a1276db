"""CHECK constraints that would not hold of what is published, found before anything is dumped.

PostgreSQL itself is asked, by the expression that its catalog has: of constants where the check
reads nothing but withheld columns, and else whether some row would break it. A check that calls
functions of others is not run here; whether it holds, the proof of the dump tells.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from ppr_assets.postgres.sessions.live_sessions import Connection
from ppr_assets.postgres.snapshot.planned_functions import calling_others
from ppr_assets.postgres.snapshot.row_count import HOLD_SECONDS
from ppr_assets.rules.naming import key_names, quote_identifier, table_key
from ppr_assets.rules.publication_policy import Decision
from ppr_assets.rules.withholding import Plan

# Below 16384 is what the server itself was made with.
_CHECKS: LiteralString = """
SELECT r.oid::bigint, n.nspname::pg_catalog.text, r.relname::pg_catalog.text,
  c.conname::pg_catalog.text,
  pg_catalog.pg_get_expr(c.conbin, c.conrelid),
  ARRAY(SELECT a.attname::pg_catalog.text FROM pg_catalog.pg_attribute a
    WHERE a.attrelid = c.conrelid AND a.attnum = ANY(c.conkey)),
  ARRAY(SELECT pg_catalog.format_type(a.atttypid, NULL) FROM pg_catalog.pg_attribute a
    WHERE a.attrelid = c.conrelid AND a.attnum = ANY(c.conkey))
FROM pg_catalog.pg_constraint c
JOIN pg_catalog.pg_class r ON r.oid = c.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace
WHERE c.contype = 'c' AND c.conkey <> '{}' AND r.relkind IN ('r', 'p') AND NOT EXISTS (
  SELECT FROM pg_catalog.pg_depend d LEFT JOIN pg_catalog.pg_operator o
    ON d.refclassid = 'pg_catalog.pg_operator'::pg_catalog.regclass AND o.oid = d.refobjid
  WHERE d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND d.objid = c.oid
    AND (o.oid >= 16384 OR d.refobjid >= 16384
      AND d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass))
ORDER BY n.nspname, r.relname, c.conname
"""

_ONCE = sql.SQL("SELECT ({check}) IS FALSE FROM (SELECT {values}) AS {name}")
_SOME = sql.SQL(
    "SELECT EXISTS (SELECT FROM (SELECT {values} FROM ONLY {table}) AS {name} "
    "WHERE ({check}) IS FALSE)"
)


def broken_checks(connection: Connection, plan: Plan) -> Sequence[str]:
    """In words, for the open transaction. What cannot be told in a moment is left to the proof."""
    with connection.transaction(force_rollback=True):
        found = connection.execute(_CHECKS).fetchall()
        others = calling_others(connection)
    return [*_broken(connection, plan, found, others)]


def _broken(
    connection: Connection, plan: Plan, found: Sequence[tuple[Any, ...]], others: Collection[int]
) -> Iterator[str]:
    for oid, schema, table, name, expression, columns, types in found:
        key = table_key(schema, table)
        planned = plan.tables.get(key)
        if planned is None or oid in others or not planned.changed.keys() & set(columns):
            continue
        typed = dict(zip(columns, types, strict=True))
        query = _query(key, expression, typed, planned.changed)
        if _holds_not(connection, query):
            yield (
                f"{key} has the check {quote_identifier(name)}, which would not hold of "
                f"what stands in the place of {_listed(key, planned.changed, columns)}"
            )


def _query(
    key: str, expression: str, types: dict[str, str], changed: Mapping[str, Decision]
) -> sql.Composed:
    values: list[sql.Composable] = []
    all_withheld = True
    for column, type_name in types.items():
        name = sql.Identifier(column)
        if column in changed:
            decision = changed[column]
            literal = sql.Literal(decision.text) if decision.rule == "replaced" else sql.SQL("NULL")
            type_sql = sql.SQL(type_name)  # the server's own words
            values.append(sql.SQL("CAST({} AS {}) AS {}").format(literal, type_sql, name))
        else:
            all_withheld = False
            values.append(name)
    schema, table = key_names(key)
    return (_ONCE if all_withheld else _SOME).format(
        check=sql.SQL(expression),  # the server's own words
        values=sql.SQL(", ").join(values),
        table=sql.Identifier(schema, table),
        name=sql.Identifier(table),
    )


def _holds_not(connection: Connection, query: sql.Composed) -> bool:
    """False also where it cannot be told here; no lock is held longer than a moment."""
    limit = sql.SQL("SET LOCAL statement_timeout TO {}").format(
        sql.Literal(f"{round(HOLD_SECONDS * 1000)}ms")
    )
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(limit)
            row = connection.execute(query).fetchone()
    except psycopg.Error:
        if connection.closed:
            raise
        return False
    return bool(row and row[0])


def _listed(key: str, changed: Mapping[str, Decision], columns: Sequence[str]) -> str:
    return ", ".join(f"{key}.{quote_identifier(one)}" for one in columns if one in changed)
