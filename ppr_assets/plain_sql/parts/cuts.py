"""Where a dump may be cut into slices, so that the same data are cut in the same places.

A cut lies before the comment above an object, before a row, or before a statement of a large
object. Of all such places in the second half of what a slice may hold, the first object is taken,
or else the row whose first column hashes least. So the next night's cut is before the same row,
wherever that has moved to, and a part differs from that of the night before by its changed rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from zlib import crc32

from ppr_assets.errors import DumpFailed
from ppr_assets.plain_sql.parsing.grammar import pieces
from ppr_assets.plain_sql.parsing.pieces import CopyRows, Restrict
from ppr_assets.plain_sql.parts.script import Wrapping

_ADDED = 512
"""More than the bytes of all lines around a slice but its COPY statement."""

_OBJECT_RANK = -1
"""The rank of a cut between two objects: before that of any row."""

ABOVE_OBJECT = b"--\n"
"""The line above an object's comment."""

LARGE_OBJECT = (b"SELECT pg_catalog.lo_open(", b"SELECT pg_catalog.lowrite(")


@dataclass(frozen=True)
class Slice:
    """Bytes ``start`` to ``end`` of the dump, and what has to be said around them."""

    start: int
    end: int
    wrapping: Wrapping


@dataclass(frozen=True)
class _Place:
    """Where a cut may lie. ``statement`` is the COPY statement that its row belongs to."""

    offset: int
    rank: int
    statement: bytes = b""


def slices(chunks: Iterable[bytes], *, most: int) -> tuple[list[Slice], str | None]:
    """How to cut the dump so that no part is larger than ``most`` bytes, and its restrict key.

    Raises :class:`DumpFailed` where one row or one statement does not fit into a part, and
    :class:`DumpDamaged` for what is not a whole dump.
    """
    cutter = _Cutter(chunks, most)
    return cutter.run(), cutter.key


class _Cutter:
    def __init__(self, chunks: Iterable[bytes], most: int) -> None:
        self._chunks = chunks
        self._most = most
        self._cuts = [_Place(0, 0)]
        self._best: _Place | None = None
        self._last: _Place | None = None  # the last place that a cut may lie at
        self._inside = ""  # what is between the last place and the next
        self._end = 0
        self.key: str | None = None

    def run(self) -> list[Slice]:
        for place, inside in self._places():
            self._cut_before(place.offset)
            self._inside = inside
            if place.offset >= self._start + self._room // 2 and (
                self._best is None or place.rank < self._best.rank
            ):
                self._best = place
            self._last = place
        self._cut_before(self._end)
        ends = [*self._cuts[1:], _Place(self._end, 0)]
        return [
            Slice(
                cut.offset,
                end.offset,
                Wrapping(
                    first=cut.offset == 0,
                    last=end.offset == self._end,
                    statement=cut.statement,
                    cut_rows=bool(end.statement),
                ),
            )
            for cut, end in zip(self._cuts, ends, strict=True)
        ]

    @property
    def _start(self) -> int:
        return self._cuts[-1].offset

    @property
    def _room(self) -> int:
        """Bytes of the dump that the part at work may hold."""
        return self._most - _ADDED - len(self._cuts[-1].statement)

    def _cut_before(self, offset: int) -> None:
        """Cut as long as what comes before ``offset`` does not fit into the part at work."""
        while offset - self._start > self._room:
            place = self._best or self._last
            if place is None or place.offset <= self._start:
                raise DumpFailed(
                    f"{self._inside} at byte {self._start} has {offset - self._start} bytes, at "
                    f"most {max(self._room, 0)} fit into a file of the data repository",
                    hint="SQL_DUMP_MAX_FILE_MB is the limit for a file: raise it if the remote "
                    "takes larger ones (GitHub takes 100 MB), or shorten that value in the "
                    "database. Nothing was published.",
                )
            self._cuts.append(place)
            self._best = None

    def _places(self) -> Iterator[tuple[_Place, str]]:
        """The places in order, each with what stands behind it."""
        blank = False
        for piece in pieces(self._measured()):
            if isinstance(piece, CopyRows):
                yield from self._rows(piece)
                blank = False
            elif isinstance(piece, Restrict):
                self.key = piece.key
                blank = False
            else:
                if blank and piece.between and piece.text == ABOVE_OBJECT:
                    yield _Place(piece.start, _OBJECT_RANK), "a statement"
                elif piece.begins and piece.text.startswith(LARGE_OBJECT):
                    yield _Place(piece.start, crc32(piece.text)), "a piece of a large object"
                blank = piece.between and piece.text == b"\n"

    def _rows(self, copy: CopyRows) -> Iterator[tuple[_Place, str]]:
        offset = copy.start + len(copy.statement)
        inside = f"a row of {copy.key}"
        for chunk in copy.rows:
            end = offset + len(chunk)
            if end < self._start + self._room // 2:  # too early for a cut, however large the rows
                last = chunk.rfind(b"\n", 0, -1) + 1
                yield _Place(offset + last, 0, copy.statement), inside
            else:
                for row in chunk.split(b"\n")[:-1]:
                    yield _Place(offset, crc32(row.partition(b"\t")[0]), copy.statement), inside
                    offset += len(row) + 1
            offset = end

    def _measured(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self._end += len(chunk)
            yield chunk
