"""Count a table's rows exactly, and never hold its lock for more than a moment.

Whoever waits for a table that is being counted makes everybody wait who comes after, so a count
that takes longer than that moment is cancelled by the server, and the table is counted in pieces
of as many pages as it can do in one. Between two of them its lock is given back: the snapshot
stays, and so do the rows that it sees.
"""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic
from typing import LiteralString

import psycopg
from msgspec import Struct
from psycopg import sql

from ppr_assets.errors import Busy, DumpUnproven, PprError, PreconditionFailed
from ppr_assets.postgres.sessions.connection import milliseconds
from ppr_assets.postgres.sessions.copy_out import copied_rows
from ppr_assets.postgres.sessions.failures import DAMAGE, REFUSED_BY_SYSTEM, damaged
from ppr_assets.postgres.sessions.live_sessions import Connection
from ppr_assets.postgres.snapshot.giving_way import Disturbed
from ppr_assets.postgres.snapshot.mending import UNDEFINED, mending
from ppr_assets.rules.naming import table_key

HOLD_SECONDS = 0.4
"""How long a table's lock is held at a time."""

FIRST_PAGES = 1024
_QUICK_SECONDS = HOLD_SECONDS / 4
_BY_PAGES_SINCE = 140000
"""The server's version that reads a range of pages without reading those before it."""

# In one message, so that nobody waits for our way to the server and back. Rolling back to a
# savepoint gives back what was locked since, and ends what was SET; below one that is not released
# no snapshot can be exported.
_BACK: LiteralString = """
ROLLBACK TO SAVEPOINT one_table;
RELEASE SAVEPOINT one_table
"""
_ASK = sql.SQL(
    """
SAVEPOINT one_table;
LOCK TABLE ONLY {table} IN ACCESS SHARE MODE;
SET LOCAL statement_timeout TO {limit};
SET LOCAL search_path TO {path};
SELECT ({query}), pg_catalog.pg_relation_filenode({oid})::pg_catalog.int8;
"""
    + _BACK
)


_HIDDEN = "let the role see all rows (BYPASSRLS, or the table's owner where it is not FORCEd)."

_LIMIT = sql.SQL("SET LOCAL statement_timeout TO {}")
_FILENODE: LiteralString = "SELECT pg_catalog.pg_relation_filenode(%s)::pg_catalog.int8"
_LEAST_COLUMN: LiteralString = """
SELECT attname::pg_catalog.text FROM pg_catalog.pg_attribute
WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
ORDER BY attlen < 0, attlen, attnum LIMIT 1
"""


class Table(Struct, frozen=True):
    """A table whose rows pg_dump writes, as the snapshot knows it.

    ``filenode`` is the name of its file, and another one as soon as the table is emptied or
    rewritten: rows that were there before are then seen by no snapshot. ``heap`` says that it has
    pages with rows, ``calling_others`` that a plan of it would call somebody else's functions.
    """

    oid: int
    schema: str
    name: str
    filenode: int
    heap: bool = True
    condition: str = ""
    calling_others: bool = False

    @property
    def key(self) -> str:
        return table_key(self.schema, self.name)


def count_rows(
    connection: Connection, table: Table, *, seconds: float, search_path: Sequence[str] = ()
) -> int:
    """Count in the snapshot of the open transaction.

    ``search_path``: schemas for the database's own functions, which the server may put into a
    plan for the sake of an index that calls them.

    Raises :class:`Busy` where the table stays locked, or no page of it could be read, for
    ``seconds``, :class:`Disturbed` where it is not the snapshot's any more, and
    :class:`PreconditionFailed` where it cannot be read.
    """
    count = _Count(connection, table, seconds, search_path)
    try:
        try:
            return count.whole(HOLD_SECONDS)
        except psycopg.errors.QueryCanceled:
            return count.in_pieces()
    except (psycopg.errors.LockNotAvailable, psycopg.errors.QueryCanceled) as error:
        locked = isinstance(error, psycopg.errors.LockNotAvailable)
        why = "is locked by another session, and stayed so" if locked else "could not be counted"
        raise Busy(
            f"busy: table {table.key} {why} for {seconds:g} s",
            hint="is a migration running, or the server overloaded? Run again when it is done; "
            "nothing was changed.",
        ) from None
    except psycopg.errors.InsufficientPrivilege as error:
        raise _refused(table, error) from None
    except UNDEFINED as error:
        if hint := mending(error, connection, lambda _: ""):
            raise DumpUnproven(
                f"table {table.key} cannot be counted: {error.diag.message_primary}", hint=hint
            ) from None
        if isinstance(error, psycopg.errors.UndefinedFunction | psycopg.errors.UndefinedObject):
            raise
        raise Disturbed(f"table {table.key} was dropped or renamed meanwhile") from error
    except DAMAGE as error:
        raise damaged(f"table {table.key}", error) from error


def _refused(table: Table, error: psycopg.errors.InsufficientPrivilege) -> PprError:
    if REFUSED_BY_SYSTEM in str(error):
        return damaged(f"table {table.key}", error)
    return PreconditionFailed(
        f"table {table.key} cannot be read: {error.diag.message_primary}",
        hint=_HIDDEN
        if "row-level security" in str(error)
        else f"GRANT SELECT ON {table.key} to the dumping role.",
    )


class _Count:
    def __init__(
        self, connection: Connection, table: Table, seconds: float, search_path: Sequence[str]
    ) -> None:
        self._connection = connection
        self._table = table
        self._seconds = seconds
        self._name = sql.Identifier(table.schema, table.name)
        names = [sql.Identifier(schema) for schema in search_path]
        self._path = sql.SQL(", ").join(names) if names else sql.Literal("")

    def whole(self, seconds: float) -> int:
        if self._table.calling_others and not self._table.condition:
            return self._copied(seconds)
        # ONLY: the rows of inheriting tables are theirs, in the dump as well
        condition = sql.SQL(self._table.condition)  # the extension's own SQL
        rows = sql.SQL("SELECT pg_catalog.count(*) FROM ONLY {} {}").format(self._name, condition)
        return self._ask(rows, seconds)

    def in_pieces(self) -> int:
        by_pages = self._connection.info.server_version >= _BY_PAGES_SINCE
        all_at_once = self._table.condition or self._table.calling_others
        if not by_pages or not self._table.heap or all_at_once:
            return self.whole(self._seconds)
        piece = sql.SQL(
            "SELECT pg_catalog.count(*) FROM ONLY {} WHERE ctid >= {}::pg_catalog.tid "
            "AND ctid < {}::pg_catalog.tid"
        )
        rows, start, size, end = 0, 0, FIRST_PAGES, self._pages()
        progress = monotonic()
        while start < end:
            began = monotonic()
            borders = (sql.Literal(f"({page},0)") for page in (start, start + size))
            try:
                rows += self._ask(piece.format(self._name, *borders), HOLD_SECONDS)
            except psycopg.errors.QueryCanceled:
                if monotonic() - progress > self._seconds:
                    raise
                size = max(1, size // 4)
                continue
            start, progress = start + size, monotonic()
            if progress - began < _QUICK_SECONDS:
                size *= 2
        return rows

    def _copied(self, seconds: float) -> int:
        """By COPY, which plans nothing, of the column that is least to send."""
        oid = self._table.oid
        column = self._connection.execute(_LEAST_COLUMN, [oid]).fetchone()
        columns = sql.SQL("({})").format(sql.Identifier(*column)) if column else sql.SQL("")
        copy = sql.SQL("COPY {} {} TO STDOUT").format(self._name, columns)
        with self._connection.transaction(force_rollback=True):
            lock = sql.SQL("LOCK TABLE ONLY {} IN ACCESS SHARE MODE").format(self._name)
            self._connection.execute(lock)
            self._connection.execute(_LIMIT.format(sql.Literal(milliseconds(seconds))))
            statement = copy.as_bytes(self._connection)
            rows = sum(some.count(b"\n") for some in copied_rows(self._connection, statement))
            (filenode,) = self._connection.execute(_FILENODE, [oid]).fetchone() or (None,)
        self._require_same(filenode)
        return rows

    def _pages(self) -> int:
        size = sql.SQL(
            "SELECT pg_catalog.pg_relation_size({}::pg_catalog.oid) "
            "/ pg_catalog.current_setting('block_size')::pg_catalog.int8"
        )
        return self._ask(size.format(sql.Literal(self._table.oid)), self._seconds)

    def _ask(self, query: sql.Composed, seconds: float) -> int:
        """A number, asked for while the table is locked, which it is for ``seconds`` at most."""
        try:
            cursor = self._connection.execute(
                _ASK.format(
                    table=self._name,
                    oid=sql.Literal(self._table.oid),
                    limit=sql.Literal(milliseconds(seconds)),
                    path=self._path,
                    query=query,
                )
            )
        except psycopg.Error:
            if not self._connection.closed:
                self._connection.execute(_BACK)
            raise
        (row,) = [cursor.fetchone() for _ in cursor.results() if cursor.description]
        assert row is not None
        found, filenode = row
        self._require_same(filenode)
        return int(found)

    def _require_same(self, filenode: int | None) -> None:
        if filenode != self._table.filenode:
            raise Disturbed(f"table {self._table.key} was emptied or rewritten meanwhile")
