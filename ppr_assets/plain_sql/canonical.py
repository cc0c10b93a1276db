"""The canonical form of a plain-SQL dump: same data, same bytes.

pg_dump writes rows as they lie on the disk, and a random ``\\restrict`` key (CVE-2025-8714), so two
dumps of the same data differ. Here the rows of each COPY block are put in the order of their
bytes and the key is replaced; nothing else changes.

The key may not be predictable: whoever could place ``\\unrestrict <key>`` in a name or a row could
run commands in the restoring psql. So it is derived from the dump itself: 63 hexadecimal digits
of a SHA-256 over all statements and over the SHA-256 of each table's rows. A dump that holds its
own key would have to hold its own hash.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from ppr_assets.errors import DumpDamaged
from ppr_assets.plain_sql.parsing.grammar import pieces
from ppr_assets.plain_sql.parsing.pieces import CopyRows, Line, Restrict
from ppr_assets.plain_sql.parsing.sorted_rows import SortedRows, together
from ppr_assets.plain_sql.published_rows import PublishedRows
from ppr_assets.rules.naming import quote_identifier
from ppr_assets.rules.recorded.parts import TableRecord

KEY_DIGITS = 63
_EMPTY_PATH = b"SELECT pg_catalog.set_config('search_path', '', false);\n"
_END_OF_ROWS = b"\\.\n"


class CanonicalDump(Struct, frozen=True):
    """What was seen on the way: rows and SHA-256 of each table, by table key."""

    tables: Mapping[str, TableRecord]
    restrict_key: str | None


def canonicalize(
    chunks: Iterable[bytes],
    target: BinaryIO,
    *,
    spill_folder: Path,
    search_path: Sequence[str] = (),
    published: PublishedRows | None = None,
) -> CanonicalDump:
    """Read a dump from ``chunks`` and write its canonical form to ``target``, a seekable file.

    ``search_path``: schemas that stand at its head in the place of pg_dump's empty path.
    ``published``: what every row passes through, where the dump is to be published. Raises
    :class:`DumpDamaged` when the dump is not whole, as
    :func:`~ppr_assets.plain_sql.parsing.grammar.pieces` finds it, and what ``published`` raises.
    """
    canonicalizer = _Canonicalizer(target, spill_folder, search_path, published)
    return canonicalizer.run(chunks)


class _Canonicalizer:
    def __init__(
        self,
        target: BinaryIO,
        folder: Path,
        search_path: Sequence[str],
        published: PublishedRows | None,
    ) -> None:
        self._target = target
        self._folder = folder
        self._published = published
        self._body = hashlib.sha256()
        self._tables: dict[str, TableRecord] = {}
        self._key_offsets: list[int] = []
        self._path = _path_statement(search_path) if search_path else b""

    def run(self, chunks: Iterable[bytes]) -> CanonicalDump:
        for piece in pieces(chunks, quoting=self._published is None):
            if isinstance(piece, Restrict):
                self._restrict(piece)
            elif isinstance(piece, CopyRows):
                self._plain(piece.statement)
                self._tables[piece.key] = self._rows(piece)
            else:
                self._line(piece)
        if self._path:
            raise DumpDamaged(
                "the dump does not set an empty search path, in whose place the one it needs is "
                "written",
                hint="nothing was published. pg_dump sets it; is another program in its place?",
            )
        return CanonicalDump(self._tables, self._write_key())

    def _line(self, line: Line) -> None:
        if self._published is not None:
            self._published.line(line)
        if self._path and line.begins and line.text == _EMPTY_PATH:
            self._plain(self._path)
            self._path = b""
        else:
            self._plain(line.text)

    def _plain(self, text: bytes) -> None:
        self._body.update(text)
        self._target.write(text)

    def _restrict(self, command: Restrict) -> None:
        self._target.write(command.text[: command.key_start])
        self._key_offsets.append(self._target.tell())
        self._target.write(b"0" * KEY_DIGITS + b"\n")

    def _rows(self, copy: CopyRows) -> TableRecord:
        digest = hashlib.sha256()
        published = self._published
        with SortedRows(self._folder) as rows:
            for chunk in published.rows(copy) if published else copy.rows:
                rows.add(chunk)
            for some in published.profiled(copy, rows) if published else rows.lists():
                for block in together(some):
                    digest.update(block)
                    self._target.write(block)
        self._target.write(_END_OF_ROWS)
        self._body.update(digest.digest())
        return TableRecord(rows=rows.count, sha256=digest.hexdigest())

    def _write_key(self) -> str | None:
        if not self._key_offsets:  # pg_dump before CVE-2025-8714 was mended
            return None
        key = self._body.hexdigest()[:KEY_DIGITS]
        for offset in self._key_offsets:
            self._target.seek(offset)
            self._target.write(key.encode())
        self._target.seek(0, 2)
        return key


def _path_statement(schemas: Sequence[str]) -> bytes:
    path = ", ".join(map(quote_identifier, schemas)).replace("'", "''")
    return _EMPTY_PATH.replace(b"''", f"'{path}'".encode())
