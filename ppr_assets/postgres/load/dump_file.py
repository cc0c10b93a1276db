"""A dump on the disk, read by byte ranges from several threads at once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import TracebackType

from ppr_assets.errors import RestoreFailed

CHUNK = 256 * 1024
"""Bytes that one read takes and one network write sends."""

Range = tuple[int, int]


class DumpFile:
    """Use as a context manager. Positions are bytes from the beginning of the file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = os.open(path, os.O_RDONLY)

    def __enter__(self) -> DumpFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        os.close(self._descriptor)

    def read(self, start: int, end: int) -> bytes:
        """The bytes from ``start`` up to ``end``, all in memory."""
        return b"".join(self.chunks(start, end))

    def chunks(self, start: int, end: int) -> Iterator[bytes]:
        """The same in chunks. Raises :class:`RestoreFailed` when the file has become shorter."""
        while start < end:
            chunk = os.pread(self._descriptor, min(CHUNK, end - start), start)
            if not chunk:
                raise RestoreFailed(
                    f"`{self._path}` ends at byte {start}, {end} bytes were verified",
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
