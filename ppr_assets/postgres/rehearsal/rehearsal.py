"""Try what a dump makes, without its rows, in an empty database that is there for this.

Rules about who may make what, and what a server was built with, differ from version to version and
from host to host. So nothing is looked up here: each statement is run, and what refuses it is kept.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from typing import Literal, LiteralString

import psycopg
from msgspec import Struct
from psycopg import errors

from ppr_assets.deadline import Deadline
from ppr_assets.errors import RestoreFailed
from ppr_assets.plain_sql.parsing.byte_ranges import DumpFile, PlainDump, Range
from ppr_assets.plain_sql.parsing.layout import Layout
from ppr_assets.plain_sql.parsing.sections import Step, comes_last, described, is_data, steps
from ppr_assets.plain_sql.tables.shortened import Shortened
from ppr_assets.postgres.load.work.statements import run_step
from ppr_assets.postgres.rehearsal.shortening import NAMED, lacking_columns, shortened_table
from ppr_assets.postgres.sessions.failures import server_words
from ppr_assets.postgres.sessions.session import Connection, LoadingSession, open_session
from ppr_assets.settings import DatabaseSettings

Reason = Literal["role", "server", "there", "needs another", "database"]
"""Why: the role may not, the server cannot, it is there already, it needs something that was
refused, or it can be made nowhere, which is a matter of the database that was dumped."""

_COMPUTED = frozenset({"SEQUENCE SET", "MATERIALIZED VIEW DATA", "STATISTICS DATA"})
"""Called as what they are made of, which is one of these."""
_COMPUTED_OF = frozenset({"TABLE", "SEQUENCE", "MATERIALIZED VIEW", "INDEX"})
_MISSING = (
    errors.UndefinedTable,
    errors.UndefinedObject,
    errors.UndefinedFunction,
    errors.UndefinedColumn,
    errors.InvalidSchemaName,
    errors.InvalidForeignKey,
)
_UNABLE = ("0A", "22023", "38", "42704", "58", "F0")
"""SQLSTATEs, or their classes, that say what a server was built without, or lacks on its disk."""
_IN_TROUBLE = ("53", "57")
"""Those of a server that lacks room or memory, or is shut down."""

_FILLABLE: LiteralString = f"""
SELECT name, pg_catalog.has_table_privilege(relation, 'INSERT') FROM {NAMED}
WHERE relation IS NOT NULL
"""  # noqa: S608 - put together from constants

_OF_XML: LiteralString = """
SELECT DISTINCT n.nspname, c.relname
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE c.relkind = 'r' AND a.attgenerated = '' AND n.nspname <> 'information_schema'
  AND 'pg_catalog.xml'::pg_catalog.regtype IN (t.oid, t.typbasetype, t.typelem)
ORDER BY 1, 2
"""
"""The one type that every server has, and not every one reads."""


class RefusedObject(Struct, frozen=True):
    """Something of a dump that the server did not take, and why."""

    kind: str
    schema: str
    name: str
    reason: Reason
    words: str
    error: psycopg.Error | None = None
    rows: int = 0

    @property
    def what(self) -> str:
        return described(self.kind, self.name)

    def __str__(self) -> str:
        return f"{self.what} ({self.words})"


def rehearse(
    settings: DatabaseSettings,
    dump: PlainDump,
    layout: Layout,
    *,
    deadline: Deadline,
    shorten: bool = False,
) -> tuple[Sequence[RefusedObject], Shortened]:
    """Make what ``dump`` makes in the empty database ``settings.dbname``, and go on after what is
    refused. Raises :class:`RestoreFailed` when the session is lost or ``deadline`` passes.

    ``shorten``: of a table that needs something that was refused, only that is refused.
    """
    refused: list[RefusedObject] = []
    statements: dict[Range, bytes] = {}
    with DumpFile(dump) as file, open_session(settings, layout.encoding) as connection:
        session = LoadingSession(connection, threading.Event(), layout.search_path)
        wanted = list(zip(layout.entries, steps(layout, file), strict=True))
        for entry, step in sorted(wanted, key=lambda pair: comes_last(pair[1])):
            deadline.require(f"trying {step.what}")
            if is_data(step):
                continue
            error = _error(session, partial(run_step, session, file, step))
            if error is None:
                continue
            one = RefusedObject(
                *entry.identity, _reason(step, error, refused), server_words(error), error
            )
            made = _shortened(session, file.read(entry.start, entry.end), one) if shorten else None
            if made is None:
                refused.append(one)
            else:
                statements[entry.start, entry.end] = made[0]
                refused += made[1]
        columns = lacking_columns(connection, layout) if statements else {}
        refused += _made_of(layout, refused, statements)
        refused += _rows(connection, layout)
        refused += _unreadable(connection, layout)
    return refused, Shortened(statements, columns)


def _shortened(
    session: LoadingSession, text: bytes, whole: RefusedObject
) -> tuple[bytes, list[RefusedObject]] | None:
    """The table's statements as they were taken, and what of it was refused."""
    if whole.kind != "TABLE" or whole.reason != "needs another" or whole.error is None:
        return None

    def tried(shorter: bytes) -> psycopg.Error | None:
        with session.as_dumped():
            return _error(session, partial(session.execute, shorter, whole.what))

    encoding = session.connection.info.encoding
    made = shortened_table(text, whole.error, tried, encoding=encoding, missing=_MISSING)
    if made is None:
        return None
    return made[0], [
        RefusedObject(
            part.kind, part.schema, f"{part.table}.{part.name}", whole.reason, server_words(error)
        )
        for part, error in made[1]
    ]


def _error(session: LoadingSession, run: Callable[[], None]) -> psycopg.Error | None:
    try:
        run()
    except RestoreFailed as failure:
        error = failure.__cause__
        if not isinstance(error, psycopg.Error) or session.connection.closed:
            raise
        if error.sqlstate is None or error.sqlstate.startswith(_IN_TROUBLE):
            raise
        return error
    return None


def _reason(step: Step, error: psycopg.Error, before: Sequence[RefusedObject]) -> Reason:
    if isinstance(error, errors.InsufficientPrivilege):
        return "role"
    if step.kind == "EXTENSION":  # some say by scripts of their own where they may be
        return "server"
    if step.kind == "SCHEMA" and isinstance(error, errors.DuplicateSchema):
        return "there"
    if isinstance(error, _MISSING) and any(one.reason in ("role", "server") for one in before):
        return "needs another"
    in_function = bool(error.diag.context)
    if (error.sqlstate or "").startswith(_UNABLE) and not in_function:
        return "server"
    return "database"


def _made_of(
    layout: Layout, refused: Sequence[RefusedObject], shortened: Collection[Range]
) -> list[RefusedObject]:
    """What is set or computed of something that is not there, or not whole."""
    gone = {(one.schema, one.name) for one in refused if one.kind in _COMPUTED_OF}
    gone |= {(e.schema, e.name) for e in layout.entries if (e.start, e.end) in shortened}
    return [
        RefusedObject(*entry.identity, "needs another", "that is not there")
        for entry in layout.entries
        if entry.kind in _COMPUTED and (entry.schema, entry.name) in gone
    ]


def _rows(connection: Connection, layout: Layout) -> Iterator[RefusedObject]:
    """Rows of tables that are not there, or that the role may not fill: those of extensions."""
    names = [block.table for block in layout.blocks.values()]
    found = dict(connection.execute(_FILLABLE, [names]).fetchall())
    for entry in layout.entries:
        if entry.copy is None:
            continue
        name, rows = entry.copy.table, entry.copy.rows
        if name not in found:
            words = "its table is not there" + (f", rows: {rows}" if rows else "")
            yield RefusedObject(*entry.identity, "needs another", words, rows=rows)
        elif not found[name]:
            words = "permission denied to insert rows"
            yield RefusedObject(*entry.identity, "role", words, rows=rows)


def _unreadable(connection: Connection, layout: Layout) -> Iterator[RefusedObject]:
    """Rows with XML, on a server that was built without it. Where a dump is of no rows at all,
    any table may have some."""
    try:
        connection.execute("SELECT '<a/>'::pg_catalog.xml")
        return
    except errors.FeatureNotSupported as error:
        words = error.diag.message_primary or str(error)
    rows = {(one.schema, one.name): one.copy.rows for one in layout.entries if one.copy}
    for schema, name in connection.execute(_OF_XML):
        if number := rows.get((schema, name), 0 if rows else 1):
            yield RefusedObject("TABLE DATA", schema, name, "server", words, rows=number)
