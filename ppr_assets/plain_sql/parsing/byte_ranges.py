"""A dump on the disk, read by byte ranges from several threads at once."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from pathlib import Path
from types import TracebackType

from msgspec import Struct

from ppr_assets.errors import RestoreFailed

CHUNK = 256 * 1024
"""Bytes that one read takes and one network write sends."""

_KEPT_OPEN = 64
"""Files; of more than these, one is opened for each read: a process may hold about a thousand."""

Range = tuple[int, int]


class FileSlice(Struct, frozen=True):
    """Bytes ``start`` up to ``end`` of the file at ``path``."""

    path: Path
    start: int
    end: int


PlainDump = Path | Sequence[FileSlice]
"""A file of plain SQL, or slices of several that are one dump, in their order."""


class DumpFile:
    """Use as a context manager. Positions are bytes from the beginning of the dump."""

    def __init__(self, dump: PlainDump) -> None:
        if isinstance(dump, Path):
            dump = [FileSlice(dump, 0, _size(dump))]
        self._slices = dump
        self._few = len(dump) <= _KEPT_OPEN
        self._starts = list(accumulate((one.end - one.start for one in dump), initial=0))
        self._descriptors: list[int] = []

    def __enter__(self) -> DumpFile:
        try:
            for one in self._slices if self._few else ():
                self._descriptors.append(_opened(one.path))
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._close()

    def _close(self) -> None:
        while self._descriptors:
            os.close(self._descriptors.pop())

    def _read_at(self, number: int, size: int, position: int) -> bytes:
        if self._few:
            return os.pread(self._descriptors[number], size, position)
        descriptor = _opened(self._slices[number].path)
        try:
            return os.pread(descriptor, size, position)
        finally:
            os.close(descriptor)

    def read(self, start: int, end: int) -> bytes:
        """The bytes from ``start`` up to ``end``, all in memory."""
        return b"".join(self.chunks(start, end))

    def chunks(self, start: int, end: int) -> Iterator[bytes]:
        """The same in chunks. Raises :class:`RestoreFailed` when the file has become shorter."""
        while start < end:
            number = min(bisect_right(self._starts, start), len(self._slices)) - 1
            one, inside = self._slices[number], start - self._starts[number]
            size = min(CHUNK, end - start, one.end - one.start - inside)
            chunk = self._read_at(number, max(size, 0), one.start + inside)
            if not chunk:
                raise RestoreFailed(
                    f"`{one.path}` ends at byte {one.start + inside}, more bytes were verified",
                    hint="something writes to that file; the database serves as before.",
                )
            yield chunk
            start += len(chunk)

    def pieces(self, start: int, end: int, size: int) -> list[Range]:
        """Cut a range into pieces of about ``size`` bytes, each ending where a line ends.

        A newline inside of a value is written as two other characters, in rows as well as in the
        hexadecimal text of large objects, so the end of a line is the end of a row.
        """
        edges = [start]
        while edges[-1] < end:
            wanted = edges[-1] + size
            edges.append(self._after_line(wanted - 1, end) if wanted < end else end)
        return list(pairwise(edges))

    def _after_line(self, position: int, end: int) -> int:
        for chunk in self.chunks(position, end):
            found = chunk.find(b"\n") + 1
            if found:
                return position + found
            position += len(chunk)
        return end


def _size(path: Path) -> int:
    descriptor = _opened(path)
    try:
        return os.fstat(descriptor).st_size
    finally:
        os.close(descriptor)


def _opened(path: Path) -> int:
    try:
        return os.open(path, os.O_RDONLY)
    except OSError as error:
        raise RestoreFailed(
            f"`{path}`, which was verified, cannot be read any more: {error.strerror}",
            hint="did another run retire the dump meanwhile? Run again.",
        ) from error
