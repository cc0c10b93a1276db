"""Rows of one COPY block in the order of their bytes, in bounded memory.

Rows arrive in chunks. Each chunk is sorted at once, so that the work is spread over the reading
and pg_dump is never kept waiting for long; Python's sort then merges those runs at little cost.
A block larger than the memory it may use goes to an unnamed temporary file, run by run, and is
merged from there. The file has no name, so not even ``kill -9`` leaves it behind.
"""

from __future__ import annotations

import os
import tempfile
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

MEMORY = 64 * 1024 * 1024
"""Bytes of rows held before they go to the disk; Python's objects add up to as much again."""

_AT_ONCE = 8192
"""Rows that are put together, and hashed and written while a processor has them at hand."""

_SMALLEST_READ = 16 * 1024


class SortedRows:
    """Collects whole rows and gives them back sorted. Use as a context manager."""

    def __init__(self, folder: Path, *, memory: int = MEMORY) -> None:
        self._folder = folder
        self._memory = memory
        self._rows: list[bytes] = []
        self._held = 0
        self._spill: IO[bytes] | None = None
        self._runs: list[tuple[int, int]] = []
        self.count = 0
        self.size = 0

    def __enter__(self) -> SortedRows:
        return self

    def __exit__(self, *_: object) -> None:
        if self._spill is not None:
            self._spill.close()

    def add(self, chunk: bytes) -> None:
        """Take one or more whole rows, each ended by its newline."""
        rows = chunk.split(b"\n")
        rows.pop()
        rows.sort()
        self._rows += rows
        self.count += len(rows)
        self.size += len(chunk)
        self._held += len(chunk)
        if self._held > self._memory:
            self._write_run()

    def blocks(self) -> Iterator[bytes]:
        """All rows in order, each with its newline, in blocks of a convenient size. Once only."""
        for rows in self.lists():
            yield from together(rows)

    def lists(self) -> Iterator[list[bytes]]:
        """The same rows before they are put together, without their newlines. Once only."""
        if self._spill is None:
            self._rows.sort()
            rows, self._rows = self._rows, []
            if rows:
                yield rows
            return
        if self._rows:
            self._write_run()
        yield from self._merged(self._spill)

    def _write_run(self) -> None:
        if self._spill is None:
            self._spill = tempfile.TemporaryFile(dir=self._folder, buffering=0)  # noqa: SIM115
        self._rows.sort()
        start = end = self._runs[-1][1] if self._runs else 0
        for block in together(self._rows):
            data = memoryview(block)
            end += len(data)
            while data:  # an unbuffered file may take less than it was given
                data = data[self._spill.write(data) :]
        self._rows, self._held = [], 0
        self._runs.append((start, end))

    def _merged(self, spill: IO[bytes]) -> Iterator[list[bytes]]:
        """Merge all runs: what is not above the smallest of the runs' last read rows is final."""
        size = max(_SMALLEST_READ, self._memory // len(self._runs))
        readers = [_RunReader(spill.fileno(), start, end, size) for start, end in self._runs]
        while readers:
            edge = min(reader.rows[-1] for reader in readers)
            ready: list[bytes] = []
            for reader in readers:
                ready += reader.take_up_to(edge)
            ready.sort()  # a merge: every part is sorted already
            yield ready
            readers = [reader for reader in readers if reader.rows]


def together(rows: Sequence[bytes]) -> Iterator[bytes]:
    """``rows``, each with its newline, in blocks."""
    for at in range(0, len(rows), _AT_ONCE):
        yield b"\n".join([*rows[at : at + _AT_ONCE], b""])


class _RunReader:
    """One sorted run in the temporary file, read piece by piece."""

    def __init__(self, descriptor: int, start: int, end: int, size: int) -> None:
        self._descriptor = descriptor
        self._position = start
        self._end = end
        self._size = size
        self._partial = b""
        self.rows: list[bytes] = []
        self._refill()

    def take_up_to(self, edge: bytes) -> list[bytes]:
        """Give the rows that are not above ``edge``; read on when none are left."""
        place = bisect_right(self.rows, edge)
        taken, self.rows = self.rows[:place], self.rows[place:]
        if not self.rows:
            self._refill()
        return taken

    def _refill(self) -> None:
        while not self.rows and self._position < self._end:
            wanted = min(self._size, self._end - self._position)
            data = os.pread(self._descriptor, wanted, self._position)
            if not data:
                raise OSError("the temporary file of the row sort ended early")
            self._position += len(data)
            self.rows = (self._partial + data).split(b"\n")
            self._partial = self.rows.pop()
