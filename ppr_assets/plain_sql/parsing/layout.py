"""What a plain-SQL dump holds, and where: one streaming pass, in the memory of a few chunks.

pg_dump writes a comment above each object ("Name: …; Type: …"), which says what the SQL below it
is for. With the byte ranges of all of them a dump can be checked, shown and loaded in another
order than from top to bottom.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from msgspec import Struct, field
from msgspec.structs import replace

from ppr_assets.errors import DumpDamaged
from ppr_assets.plain_sql.parsing.entries import CopyBlock, Entry, EntryCollector, Key
from ppr_assets.plain_sql.parsing.grammar import pieces
from ppr_assets.plain_sql.parsing.pieces import CopyRows, Line, Restrict, shown
from ppr_assets.plain_sql.parsing.sorted_rows import SortedRows
from ppr_assets.rules.naming import table_key
from ppr_assets.rules.recorded.parts import TableRecord

__all__ = ["CopyBlock", "Entry", "Layout", "read_layout"]


class Layout(Struct, frozen=True):
    """A whole dump. Ranges are byte offsets in the uncompressed file, the end not included.

    ``header``: the settings at its top, which every session that loads a part needs.
    ``prologue``: the DROPs of ``--clean``, an empty range without them. ``unrecognised``: empty
    when every statement up to the closing comment belongs to an entry, otherwise what does not.
    ``sorted_rows``: the rows' SHA-256 are those of the rows as they stand in the file.
    ``inserted``: the rows that INSERT brings, by table key. ``own_transaction``: empty, or the
    first statement that begins or ends a transaction. ``left_out``: entries that were taken out
    here with their ranges, and are to be looked for nowhere. ``search_path``: what the dump's
    statements run under,
    mostly empty.
    """

    bytes: int
    sha256: str
    server_version: str
    pg_dump_version: str
    encoding: str
    restrict_key: str | None
    header: tuple[int, int]
    prologue: tuple[int, int]
    entries: tuple[Entry, ...]
    extensions: tuple[str, ...]
    unrecognised: str
    sorted_rows: bool = False
    inserted: Mapping[str, int] = field(default_factory=dict)
    own_transaction: str = ""
    left_out: frozenset[Key] = frozenset()
    left_out_ranges: tuple[tuple[int, int], ...] = ()
    search_path: str = ""

    def without(self, keys: frozenset[Key]) -> Layout:
        """The dump as if it did not have the entries with these keys."""
        gone = {name for kind, _, name in keys if kind == "EXTENSION"}
        ranges = ((one.start, one.end) for one in self.entries if one.identity in keys)
        return replace(
            self,
            entries=tuple(entry for entry in self.entries if entry.identity not in keys),
            extensions=tuple(name for name in self.extensions if name not in gone),
            left_out=self.left_out | keys,
            left_out_ranges=tuple(sorted({*self.left_out_ranges, *ranges})),
        )

    @property
    def blocks(self) -> Mapping[str, CopyBlock]:
        """By table key, in the dump's order: no table has two."""
        return {entry.copy.key: entry.copy for entry in self.entries if entry.copy}

    @property
    def tables(self) -> Mapping[str, TableRecord]:
        """Rows and their SHA-256, by table key, of all tables whose rows come with COPY."""
        return {key: TableRecord(one.rows, one.sha256) for key, one in self.blocks.items()}

    @property
    def rows_bytes(self) -> int:
        """Of all rows that come with COPY."""
        return sum(block.end - block.start for block in self.blocks.values())

    @property
    def made_tables(self) -> frozenset[str]:
        """The keys of all tables that the dump makes or fills."""
        made = (table_key(one.schema, one.name) for one in self.entries if one.kind == "TABLE")
        return frozenset((*made, *self.tables, *self.inserted))


def read_layout(chunks: Iterable[bytes], *, sorted_rows: bool, spill_folder: Path) -> Layout:
    """Read a whole dump, and say what is where.

    ``sorted_rows``: the rows of each table stand in the order of their bytes already, as in the
    dumps made here. Otherwise they are sorted on the way, so that their SHA-256 is the same
    whoever made the dump; what does not fit into memory goes to ``spill_folder``.

    Raises :class:`DumpDamaged`, which names the first thing that is wrong and its byte offset.
    """
    return _Reader(sorted_rows, spill_folder).read(chunks)


class _Reader:
    def __init__(self, sorted_rows: bool, spill_folder: Path) -> None:
        self._sorted_rows = sorted_rows
        self._spill_folder = spill_folder
        self._whole = hashlib.sha256()
        self._bytes = 0
        self._key: str | None = None
        self._entries = EntryCollector()

    def read(self, chunks: Iterable[bytes]) -> Layout:
        for piece in pieces(self._hashed(chunks)):
            if isinstance(piece, Line):
                self._entries.line(piece)
            elif isinstance(piece, Restrict):
                self._key = piece.key
            else:
                self._entries.copy(piece, self._block(piece))
        found = self._entries
        return Layout(
            bytes=self._bytes,
            sha256=self._whole.hexdigest(),
            server_version=found.server_version,
            pg_dump_version=found.pg_dump_version,
            encoding=found.encoding,
            restrict_key=self._key,
            header=found.header,
            prologue=found.prologue,
            entries=found.finished(),
            extensions=tuple(found.extensions),
            unrecognised=found.unrecognised,
            sorted_rows=self._sorted_rows,
            search_path=found.search_path,
            inserted=found.inserted.counts,
            own_transaction=found.own_transaction,
        )

    def _hashed(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            if (at := chunk.find(0)) >= 0:  # what a file system fills a hole with; no text has any
                raise DumpDamaged(f"a zero byte at byte {self._bytes + at}, which no dump has")
            self._whole.update(chunk)
            self._bytes += len(chunk)
            yield chunk

    def _block(self, copy: CopyRows) -> CopyBlock:
        start = copy.start + len(copy.statement)
        digest = hashlib.sha256()
        rows, size = 0, 0
        with SortedRows(self._spill_folder) as to_sort:
            for chunk in copy.rows:
                rows += _count_rows(chunk, copy, start + size)
                size += len(chunk)
                if self._sorted_rows:
                    digest.update(chunk)
                else:
                    to_sort.add(chunk)
            for block in to_sort.blocks():
                digest.update(block)
        return CopyBlock(
            key=copy.key,
            statement=copy.statement,
            columns=copy.columns,
            start=start,
            end=start + size,
            rows=rows,
            sha256=digest.hexdigest(),
        )


def _count_rows(chunk: bytes, copy: CopyRows, start: int) -> int:
    """Rows in ``chunk``, each with as many tabs as the table has columns to part."""
    rows = chunk.count(b"\n")
    tabs = max(len(copy.columns) - 1, 0)
    if chunk.count(b"\t") == rows * tabs:
        return rows
    for row in re.finditer(rb"[^\n]*\n", chunk):
        have = row.group().count(b"\t")
        if have != tabs:
            raise DumpDamaged(
                f"a row of {copy.key} has {have + 1} columns, "
                f"{len(copy.columns)} needed, at byte {start + row.start()}: {shown(row.group())}"
            )
    raise AssertionError("a sum differs while all its parts agree")
