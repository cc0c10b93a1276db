"""Reading back a table's rows: their number and their SHA-256, as the canonical dump has them.

Rows are read through COPY with the columns of the dump and the settings of pg_dump, and hashed in
the order of their bytes, so the same data gives the same numbers wherever it lies.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import LiteralString

from ppr_assets.errors import PreconditionFailed
from ppr_assets.plain_sql.parsing.layout import CopyBlock, Layout
from ppr_assets.plain_sql.parsing.pieces import quoted
from ppr_assets.plain_sql.parsing.sorted_rows import SortedRows
from ppr_assets.postgres.load.work.scheduler import Work
from ppr_assets.postgres.sessions.computing import AS_READ, AS_SET
from ppr_assets.postgres.sessions.session import Connection, LoadingSession
from ppr_assets.rules.naming import table_key
from ppr_assets.rules.recorded.parts import TableRecord

_RUN = 1024 * 1024
"""Bytes of rows that are sorted at once."""

# Of an extension's own tables pg_dump writes only the rows that fulfil the extension's condition.
_CONDITIONS: LiteralString = """
SELECT n.nspname, c.relname, t.condition
FROM pg_catalog.pg_extension e, ROWS FROM (
  pg_catalog.unnest(e.extconfig), pg_catalog.unnest(e.extcondition)) AS t(relation, condition)
JOIN pg_catalog.pg_class c ON c.oid = t.relation
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE t.condition <> ''
"""

# Tables whose rows their own owner may not see, which a superuser has dumped, say.
_FORCED: LiteralString = """
SELECT n.nspname, c.relname
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relforcerowsecurity
"""


class Reader:
    """Makes work for sessions: each puts the record of one of the dump's tables into ``found``.

    ``connection`` is to the database that will be read, to look into its catalog. What does not
    fit into memory is sorted in ``spill_folder``. Tables that are ``forced`` are altered while they
    are read.
    """

    def __init__(
        self,
        connection: Connection,
        layout: Layout,
        found: dict[str, TableRecord],
        spill_folder: Path,
    ) -> None:
        self.blocks = layout.blocks
        self._sorted_rows = layout.sorted_rows
        self._found = found
        self._spill_folder = spill_folder
        self._conditions = {
            table_key(schema, name): condition
            for schema, name, condition in connection.execute(_CONDITIONS)
        }
        self.forced = {table_key(schema, name) for schema, name in connection.execute(_FORCED)}

    def work(self, key: str, *, in_pieces: bool = False) -> Work:
        """Read the table ``key``. ``in_pieces``: its rows came in over several sessions, so they
        lie in another order than in the dump.

        Otherwise they are hashed as they come. What gives the dump's own SHA-256 that way is what
        the dump has; anything else is read again, and sorted.
        """
        block = self.blocks[key]
        statement = _statement(block, self._conditions.get(key))

        def work(session: LoadingSession) -> None:
            session.execute(AS_READ, "how rows are read")
            record = None
            with _all_rows_visible(session, block) if key in self.forced else nullcontext():
                if self._sorted_rows and not in_pieces:
                    record = _record_as_it_lies(session.copy_out(statement, key))
                if record != TableRecord(block.rows, block.sha256):
                    record = _record(key, session.copy_out(statement, key), self._spill_folder)
            self._found[key] = record
            session.execute(AS_SET, "how rows are read")

        return work


@contextmanager
def _all_rows_visible(session: LoadingSession, block: CopyBlock) -> Iterator[None]:
    """Let the table's owner read it as any other of its tables, and take that back: row-level
    security does not hold for an owner unless it is forced on it."""
    lift = b"ALTER TABLE ONLY " + block.table + b" NO FORCE ROW LEVEL SECURITY"
    with session.connection.transaction(force_rollback=True):
        session.execute(lift, block.key)
        yield


def _record_as_it_lies(chunks: Iterable[bytes]) -> TableRecord:
    digest = hashlib.sha256()
    rows = 0
    for chunk in chunks:
        digest.update(chunk)
        rows += chunk.count(b"\n")
    return TableRecord(rows, digest.hexdigest())


def _record(key: str, chunks: Iterable[bytes], spill_folder: Path) -> TableRecord:
    digest = hashlib.sha256()
    try:
        with SortedRows(spill_folder) as rows:
            for chunk in _gathered(chunks):
                rows.add(chunk)
            for block in rows.blocks():
                digest.update(block)
    except OSError as error:
        raise PreconditionFailed(
            f"could not sort the rows of {key} in `{spill_folder}`: {error.strerror or error}",
            hint="is the disk full? The database serves as before.",
        ) from error
    return TableRecord(rows=rows.count, sha256=digest.hexdigest())


def _gathered(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same in larger chunks: the longer a sorted run, the less there is to merge."""
    held: list[bytes] = []
    size = 0
    for chunk in chunks:
        held.append(chunk)
        size += len(chunk)
        if size > _RUN:
            yield b"".join(held)
            held, size = [], 0
    yield b"".join(held)


def _statement(block: CopyBlock, condition: str | None) -> bytes:
    rows = block.statement.removesuffix(b" FROM stdin;\n")
    if condition is not None:
        columns = b", ".join(map(quoted, block.columns))
        where = condition.encode("utf-8", "surrogateescape")
        rows = b"COPY (SELECT %s FROM ONLY %s %s)" % (columns, block.table, where)
    return rows + b" TO stdout"
