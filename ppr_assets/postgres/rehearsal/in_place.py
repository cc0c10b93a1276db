"""What of a dump cannot be made over what is there: what stands and is not ours, and what the role
may not make, tried in the database itself and rolled back at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import LiteralString

import psycopg

from ppr_assets.errors import RestoreFailed
from ppr_assets.plain_sql.parsing.byte_ranges import DumpFile, PlainDump
from ppr_assets.plain_sql.parsing.entries import Entry
from ppr_assets.plain_sql.parsing.layout import Layout
from ppr_assets.plain_sql.parsing.sections import Step, steps
from ppr_assets.postgres.load.work.statements import run_step
from ppr_assets.postgres.rehearsal.rehearsal import RefusedObject
from ppr_assets.postgres.sessions.failures import server_words
from ppr_assets.postgres.sessions.session import Connection, LoadingSession, prepare_transaction
from ppr_assets.rules.naming import table_key

_TRIED = frozenset(
    {
        "ACCESS METHOD",
        "CAST",
        "EVENT TRIGGER",
        "EXTENSION",
        "FOREIGN DATA WRAPPER",
        "FUNCTION",
        "OPERATOR CLASS",
        "PROCEDURAL LANGUAGE",
        "PROCEDURE",
        "PUBLICATION",
        "SCHEMA",
        "SERVER",
        "TRANSFORM",
    }
)
"""Kinds that are a matter of rights, and that no reader of a table waits for."""

_EXTENSIONS: LiteralString = """
SELECT e.extname, n.nspname FROM pg_catalog.pg_extension e
JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
WHERE NOT pg_catalog.pg_has_role(e.extowner, 'USAGE')
"""
_TABLES: LiteralString = """
SELECT n.nspname, c.relname FROM pg_catalog.pg_depend d
JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
JOIN pg_catalog.pg_class c ON c.oid = d.objid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE d.deptype = 'e' AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
  AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
  AND NOT pg_catalog.pg_has_role(e.extowner, 'USAGE')
"""
_PUBLICATIONS: LiteralString = "SELECT pubname FROM pg_catalog.pg_publication"


def refused_in_place(
    connection: Connection, dump: PlainDump, layout: Layout
) -> list[RefusedObject]:
    """In the transaction that is open on ``connection``, which is left as it was."""
    refused = [*_standing(connection, layout)]
    there = {(one.kind, one.name) for one in refused}
    with DumpFile(dump) as file, connection.transaction(force_rollback=True):
        prepare_transaction(connection, layout.encoding)
        publications = {name for (name,) in connection.execute(_PUBLICATIONS)}
        for entry, step in zip(layout.entries, steps(layout, file), strict=True):
            if entry.kind not in _TRIED or (entry.kind, entry.name) in there:
                continue
            session = LoadingSession(connection, threading.Event(), layout.search_path)
            if (words := _refusal(session, file, step)) is not None:
                stands = entry.kind == "PUBLICATION" and entry.name in publications
                refused.append(RefusedObject(*entry.identity, "there" if stands else "role", words))
    said = {f"{one.kind} {one.name}" for one in refused}
    return [
        *refused,
        *(
            RefusedObject(*entry.identity, "needs another", "it is of something that is left out")
            for entry in layout.entries
            if entry.kind == "COMMENT" and entry.name in said
        ),
    ]


def _standing(connection: Connection, layout: Layout) -> Iterator[RefusedObject]:
    """Extensions that an administrator has made, with the schemas that they are in and the rows
    that they keep."""
    found = connection.execute(_EXTENSIONS).fetchall()
    names = {name for name, _ in found}
    schemas = {schema for _, schema in found}
    tables = {table_key(schema, name) for schema, name in connection.execute(_TABLES)}

    def stands(entry: Entry) -> bool:
        if entry.kind == "TABLE DATA":
            return entry.copy is not None and entry.copy.key in tables
        return (entry.kind == "EXTENSION" and entry.name in names) or (
            entry.kind == "SCHEMA" and entry.name in schemas
        )

    for entry in layout.entries:
        if stands(entry):
            yield RefusedObject(*entry.identity, "there", "it belongs to another role")


def _refusal(session: LoadingSession, file: DumpFile, step: Step) -> str | None:
    """What the server says where the role may not; whatever else is wrong is none of this."""
    try:
        with session.connection.transaction(force_rollback=True):
            run_step(session, file, step)
    except RestoreFailed as failure:
        error = failure.__cause__
        if not isinstance(error, psycopg.Error) or session.connection.closed:
            raise
        if isinstance(error, psycopg.errors.InsufficientPrivilege):
            return server_words(error)
    return None
