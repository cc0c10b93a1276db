"""Which records a database holds, and how many values: what must not be replaced by nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import nullcontext, suppress
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from ppr_assets.errors import Busy, DumpUnproven, PreconditionFailed
from ppr_assets.plain_sql.parsing.pieces import quoted
from ppr_assets.postgres.sessions.connection import connect
from ppr_assets.postgres.sessions.copy_out import copied_rows
from ppr_assets.postgres.sessions.session import Connection
from ppr_assets.postgres.snapshot.mending import UNDEFINED
from ppr_assets.postgres.snapshot.planned_functions import calling_others
from ppr_assets.postgres.snapshot.row_count import Table, count_rows
from ppr_assets.rules.naming import key_names, table_key
from ppr_assets.settings import DatabaseSettings

# Of a partitioned table the rows are those of its partitions. What an extension brought is not the
# user's.
_RELATIONS: LiteralString = """
SELECT n.nspname, c.relname, c.relkind = 'p', c.relforcerowsecurity,
  c.oid::bigint, c.relfilenode::bigint, c.relam = 2
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
  AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
  AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e'
      AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass)
ORDER BY 1, 2
"""

_PATIENCE = "15s"
_LOCK_SECONDS = 5.0

_COLUMNS: LiteralString = """
SELECT a.attname FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relname = %s AND c.relkind = 'r'
  AND a.attnum > 0 AND NOT a.attisdropped
"""


def table_with_records(settings: DatabaseSettings, core: Collection[str] = ()) -> str | None:
    """A table with rows in it; None where there is none.

    Where one of the ``core`` tables exists in schema public, only those count: migrations leave
    rows in tables of their own. Raises :class:`DatabaseUnreachable`, :class:`PreconditionFailed`
    for a table that may not be read (in full: rows that a policy hides are not absent), and
    :class:`Busy` for one that is locked and stays so.
    """
    with connect(settings, autocommit=True) as connection:
        connection.execute("SET row_security = off")
        connection.execute(sql.SQL("SET lock_timeout = {}").format(sql.Literal(_PATIENCE)))
        relations = connection.execute(_RELATIONS).fetchall()
        # Partitions are tables of their own here, and what they are parts of has no rows itself.
        tables = [
            (schema, name, oid) for schema, name, parted, _, oid, *_ in relations if not parted
        ]
        cores = [one for one in tables if one[0] == "public" and one[1] in core]
        others = calling_others(connection)
        for schema, name, oid in cores or tables:
            try:
                table = quoted(schema, name)
                one_row = b"(SELECT FROM ONLY " + table + b" LIMIT 1) AS one"
                found = _rows(connection, one_row, table, copied=oid in others)
            except psycopg.errors.InsufficientPrivilege as error:
                raise PreconditionFailed(
                    f"nobody knows whether database {settings.dbname} holds records: "
                    f"{error.diag.message_primary}",
                    hint=f"let role {settings.user} read it, or restore on purpose with "
                    "`ppr-assets restore`.",
                ) from error
            except psycopg.errors.LockNotAvailable as error:
                raise Busy(
                    f"busy: table {name} of database {settings.dbname} is locked by another "
                    f"session for {_PATIENCE}",
                    hint="is a migration running? Run again when it is done.",
                ) from error
            if found:
                return str(name)
    return None


def missing_tables(connection: Connection, wanted: Sequence[str]) -> list[str]:
    """Those of the ``wanted`` names that schema public has no relation of."""
    query = (
        "SELECT c.relname FROM pg_catalog.pg_class c "
        "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'v', 'm', 'f') "
        "AND c.relname = ANY(%s)"
    )
    found = {name for (name,) in connection.execute(query, [list(wanted)])}
    return [name for name in wanted if name not in found]


def count_records(
    connection: Connection,
    wanted: Collection[str] | None = None,
    *,
    skip: Collection[str] = (),
    partitioned: bool = False,
    owned: bool = False,
) -> Mapping[str, int]:
    """Rows by table key, of the ``wanted`` tables that are there (None: of all) but those to
    ``skip``, exactly. ``partitioned`` tables count too, with the rows of their partitions.

    ``owned``: the tables are the role's own, so that row-level security which is forced on it is
    lifted meanwhile; those of others, and partitions, are held for a moment only. Raises psycopg's
    errors for a table that cannot be read, and what :func:`count_rows` raises.
    """
    counts = {}
    relations = connection.execute(_RELATIONS).fetchall()
    plain = {} if owned else _plain(connection, relations)
    for schema, name, has_parts, forced, oid, *_ in relations:
        key = table_key(schema, name)
        unwanted = wanted is not None and key not in wanted
        if unwanted or key in skip or (has_parts and not partitioned):
            continue
        parts = _parts(connection, oid) if has_parts else [oid]
        if not owned and plain.keys() >= set(parts):
            with suppress(DumpUnproven):  # no plan can be made of it
                counts[key] = sum(
                    count_rows(connection, plain[part], seconds=_LOCK_SECONDS) for part in parts
                )
                continue
        table = quoted(schema, name)
        with connection.transaction(force_rollback=True) if forced and owned else nullcontext():
            if forced and owned:
                lift = b"ALTER TABLE ONLY " + table + b" NO FORCE ROW LEVEL SECURITY"
                connection.execute(lift)
            counts[key] = _rows(connection, table if has_parts else b"ONLY " + table, table)
    return counts


def _plain(connection: Connection, relations: Sequence[tuple[Any, ...]]) -> Mapping[int, Table]:
    """Those that hold rows themselves, by their OID."""
    others = calling_others(connection)
    return {
        oid: Table(oid, schema, name, filenode, heap, calling_others=oid in others)
        for schema, name, has_parts, _, oid, filenode, heap in relations
        if not has_parts
    }


def _parts(connection: Connection, oid: int) -> list[int]:
    """The tables and foreign tables that hold the rows of a partitioned one, none of them locked
    afterwards."""
    query = (
        "SELECT relid::pg_catalog.oid::bigint FROM "
        "pg_catalog.pg_partition_tree(%s::pg_catalog.oid::pg_catalog.regclass) "
        "JOIN pg_catalog.pg_class c ON c.oid = relid WHERE c.relkind <> 'p'"
    )
    with connection.transaction(force_rollback=True):
        return [part for (part,) in connection.execute(query, [oid])]


def _rows(connection: Connection, source: bytes, table: bytes, *, copied: bool = False) -> int:
    """The rows that ``source`` gives; those of ``table`` where that cannot be asked: for a plan,
    servers before PostgreSQL 17 look into functions that an index calls, and those may
    be of no use under an empty search path, or not to be called (``copied``). COPY plans nothing.
    """
    if copied:
        statement = b"COPY " + table + b" TO STDOUT"
        return sum(chunk.count(b"\n") for chunk in copied_rows(connection, statement))
    query = b"SELECT pg_catalog.count(*) FROM " + source
    try:
        with connection.transaction():
            row = connection.execute(query).fetchone()
    except UNDEFINED as error:
        if not error.diag.context:
            raise
        return _rows(connection, source, table, copied=True)
    assert row is not None
    return int(row[0])


def count_values(
    connection: Connection, table: str, columns: Mapping[str, str | None]
) -> Mapping[str, int]:
    """By column of ``table``, a table key, those of ``columns`` that are there: how many rows have
    a value in it other than the text given (None: any value). None for what is not a table.

    Raises psycopg's errors for a table that cannot be read.
    """
    schema, name = key_names(table)
    there = {column for (column,) in connection.execute(_COLUMNS, [schema, name])}
    wanted = [column for column in columns if column in there]
    if not wanted:
        return {}
    counts = b", ".join(_count(column, columns[column]) for column in wanted)
    query = b"SELECT " + counts + b" FROM ONLY " + _escaped(quoted(schema, name))
    row = connection.execute(query, [text for one in wanted if (text := columns[one]) is not None])
    return dict(zip(wanted, row.fetchone() or (), strict=True))


def _count(column: str, text: str | None) -> bytes:
    value = _escaped(quoted(column))
    if text is None:
        return b"pg_catalog.count(" + value + b")"
    return b"pg_catalog.count(*) FILTER (WHERE " + value + b"::pg_catalog.text <> %s)"


def _escaped(name: bytes) -> bytes:
    return name.replace(b"%", b"%%")
