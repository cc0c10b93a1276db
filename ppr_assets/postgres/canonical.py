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
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ppr_assets.errors import DumpDamaged
from ppr_assets.postgres.sorted_rows import MEMORY, SortedRows
from ppr_assets.postgres.sql_scanner import SqlScanner
from ppr_assets.rules.manifest import TableRecord
from ppr_assets.rules.naming import table_key

KEY_DIGITS = 63
_END_OF_ROWS = b"\\.\n"
_COMPLETE = b"-- PostgreSQL database dump complete\n"
_NAME = rb'(?:"(?:[^"]|"")+"|[^\s".(]+)'
_COPY = re.compile(
    rb"COPY (" + _NAME + rb")\.(" + _NAME + rb") (?:\(.*\))? ?FROM stdin;\n", re.DOTALL
)
_RESTRICT = re.compile(rb"\\(un)?restrict ([0-9A-Za-z]+)\n")


@dataclass(frozen=True)
class CanonicalDump:
    """What was seen on the way: rows and SHA-256 of each table, by table key."""

    tables: Mapping[str, TableRecord]
    restrict_key: str | None


def canonicalize(
    chunks: Iterable[bytes], target: BinaryIO, *, spill_folder: Path, memory: int = MEMORY
) -> CanonicalDump:
    """Read a dump from ``chunks`` and write its canonical form to ``target``, a seekable file.

    Raises :class:`DumpDamaged` when the dump is not whole: a COPY block or a quote that never
    ends, no trailer, something after the trailer, or a ``\\restrict`` without its partner.
    """
    return _Canonicalizer(_Lines(chunks), target, spill_folder, memory).run()


class _Canonicalizer:
    def __init__(self, lines: _Lines, target: BinaryIO, folder: Path, memory: int) -> None:
        self._lines = lines
        self._target = target
        self._folder = folder
        self._memory = memory
        self._scanner = SqlScanner()
        self._body = hashlib.sha256()
        self._tables: dict[str, TableRecord] = {}
        self._found_key: bytes | None = None
        self._key_offsets: list[int] = []
        self._complete = False

    def run(self) -> CanonicalDump:
        while line := self._lines.next_line():
            if self._scanner.top_level:
                self._statement_line(line)
            else:
                self._plain(line)
        self._require_whole()
        return CanonicalDump(self._tables, self._write_key())

    def _statement_line(self, line: bytes) -> None:
        """A line that begins outside of anything quoted: the only place for what is special."""
        if line.startswith(b"\\"):
            self._restrict(line)
        elif line.startswith(b"COPY "):
            self._copy(line)
        else:
            if line == _COMPLETE:
                self._complete = True
            elif self._complete and not line.startswith(b"--") and line != b"\n":
                raise DumpDamaged(f"the dump goes on after its trailer: {_shown(line)}")
            self._plain(line)

    def _plain(self, line: bytes) -> None:
        self._scanner.feed(line)
        self._body.update(line)
        self._target.write(line)

    def _restrict(self, line: bytes) -> None:
        found = _RESTRICT.fullmatch(line)
        closes = bool(found and found.group(1))
        if found is None or closes != (len(self._key_offsets) == 1):
            raise DumpDamaged(f"a psql command where none belongs: {_shown(line)}")
        if closes and found.group(2) != self._found_key:
            raise DumpDamaged("\\unrestrict has another key than \\restrict")
        self._found_key = found.group(2)
        command = line[: found.start(2)]
        self._target.write(command)
        self._key_offsets.append(self._target.tell())
        self._target.write(b"0" * KEY_DIGITS + b"\n")

    def _copy(self, line: bytes) -> None:
        self._plain(line)
        while not self._scanner.top_level:  # a name with a newline in it
            more = self._lines.next_line()
            if not more:
                return
            self._plain(more)
            line += more
        if not line.endswith(b" FROM stdin;\n"):
            return
        found = _COPY.fullmatch(line)
        if found is None:
            raise DumpDamaged(f"a COPY statement that pg_dump would not write: {_shown(line)}")
        key = table_key(_unquoted(found.group(1)), _unquoted(found.group(2)))
        if key in self._tables:
            raise DumpDamaged(f"{key} has two COPY blocks, one is right")
        self._tables[key] = self._rows(key)

    def _rows(self, key: str) -> TableRecord:
        digest = hashlib.sha256()
        with SortedRows(self._folder, memory=self._memory) as rows:
            for chunk in self._lines.until_end_of_rows(key):
                rows.add(chunk)
            for block in rows.blocks():
                digest.update(block)
                self._target.write(block)
        self._target.write(_END_OF_ROWS)
        self._body.update(digest.digest())
        return TableRecord(rows=rows.count, sha256=digest.hexdigest())

    def _require_whole(self) -> None:
        if not self._scanner.top_level:
            raise DumpDamaged("the dump ends inside a quoted text")
        if not self._complete:
            raise DumpDamaged("the dump has no trailer, so it was cut off")
        if len(self._key_offsets) == 1:
            raise DumpDamaged("the dump has \\restrict without \\unrestrict, so it was cut off")

    def _write_key(self) -> str | None:
        if not self._key_offsets:  # pg_dump before CVE-2025-8714 was mended
            return None
        key = self._body.hexdigest()[:KEY_DIGITS]
        for offset in self._key_offsets:
            self._target.seek(offset)
            self._target.write(key.encode())
        self._target.seek(0, 2)
        return key


class _Lines:
    """Chunks, read by the line or, inside a COPY block, by as many rows as are there."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._buffer = b""
        self._position = 0

    def next_line(self) -> bytes:
        """The next line with its newline; the rest without one at the end; then ``b""``."""
        start = self._position
        end = self._buffer.find(b"\n", start) + 1
        if not end:
            if self._read():
                return self.next_line()
            end = len(self._buffer)
        self._position = end
        return self._buffer[start:end]

    def until_end_of_rows(self, key: str) -> Iterator[bytes]:
        """Whole rows in large chunks, up to the ``\\.`` that ends them, which is consumed."""
        while not self._buffer.startswith(_END_OF_ROWS, self._position):
            start = self._position
            end = self._buffer.find(b"\n" + _END_OF_ROWS, start) + 1
            end = end or self._buffer.rfind(b"\n", start) + 1
            if end:
                self._position = end
                yield self._buffer[start:end]
            elif not self._read():
                raise DumpDamaged(f"the dump ends inside the rows of {key}")
        self._position += len(_END_OF_ROWS)

    def _read(self) -> bool:
        """Append chunks up to one that ends a line (a single row may be many chunks long)."""
        parts = [self._buffer[self._position :]]
        for chunk in self._chunks:
            parts.append(chunk)
            if b"\n" in chunk:
                break
        self._buffer, self._position = b"".join(parts), 0
        return len(parts) > 1


def _unquoted(name: bytes) -> str:
    if name.startswith(b'"'):
        name = name[1:-1].replace(b'""', b'"')
    return name.decode("utf-8", "surrogateescape")


def _shown(line: bytes) -> str:
    return repr(line[:80].decode("utf-8", "replace").rstrip("\n"))
