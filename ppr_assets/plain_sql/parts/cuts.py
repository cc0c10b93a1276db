"""Where a dump may be cut into slices, so that the same data are cut in the same places.

A cut lies before the comment above an object, before a row, or before a statement of a large
object. Of all such places in the second half of what a slice may hold, the first object is taken,
or else the row whose first column hashes least. So the next night's cut is before the same row,
wherever that has moved to, and a part differs from that of the night before by its changed rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from zlib import crc32

from msgspec import Struct

from ppr_assets.errors import DumpFailed
from ppr_assets.plain_sql.parsing.grammar import pieces
from ppr_assets.plain_sql.parsing.pieces import CopyRows, Restrict
from ppr_assets.plain_sql.parts.script import Wrapping

_ADDED = 512
"""More than the bytes of all lines around a slice but its COPY statement."""

_OBJECT_RANK = -1
"""The rank of a cut between two objects: before that of any row."""

_LAST_RANK = 2**32
"""The rank of a row that was compared already: behind that of any."""

ABOVE_OBJECT = b"--\n"
"""The line above an object's comment."""

LARGE_OBJECT = (b"SELECT pg_catalog.lo_open(", b"SELECT pg_catalog.lowrite(")


class Slice(Struct, frozen=True):
    """Bytes ``start`` to ``end`` of the dump, whose restrict key is ``dumps_key``, and what has to
    be said around them."""

    start: int
    end: int
    wrapping: Wrapping
    dumps_key: str | None


class _Place(Struct, frozen=True):
    """Where a cut may lie. ``statement`` is the COPY statement that its row belongs to."""

    offset: int
    rank: int
    statement: bytes = b""


def slices(chunks: Iterable[bytes], *, most: int) -> Iterator[Slice]:
    """How to cut the dump so that no part is larger than ``most`` bytes, each slice as soon as the
    next cut is found.

    Raises :class:`DumpFailed` where one row or one statement does not fit into a part, and
    :class:`DumpDamaged` for what is not a whole dump.
    """
    return _Cutter(chunks, most).run()


class _Cutter:
    def __init__(self, chunks: Iterable[bytes], most: int) -> None:
        self._chunks = chunks
        self._most = most
        self._cut = _Place(0, 0)  # where the part at work begins
        self._best: _Place | None = None
        self._last: _Place | None = None  # the last place that a cut may lie at
        self._inside = ""  # what is between the last place and the next
        self._end = 0
        self._key: str | None = None

    def run(self) -> Iterator[Slice]:
        for place, inside in self._places():
            yield from self._cut_before(place.offset)
            self._inside = inside
            if place.offset >= self._half and (self._best is None or place.rank < self._best.rank):
                self._best = place
            self._last = place
        yield from self._cut_before(self._end)
        yield self._slice(_Place(self._end, 0), last=True)

    def _slice(self, end: _Place, *, last: bool = False) -> Slice:
        wrapping = Wrapping(
            first=self._cut.offset == 0,
            last=last,
            statement=self._cut.statement,
            cut_rows=bool(end.statement),
        )
        return Slice(self._cut.offset, end.offset, wrapping, self._key)

    @property
    def _room(self) -> int:
        """Bytes of the dump that the part at work may hold."""
        return self._most - _ADDED - len(self._cut.statement)

    @property
    def _half(self) -> int:
        """Where the second half of that begins, which the part ends in."""
        return self._cut.offset + self._room // 2

    @property
    def _full(self) -> int:
        """The last place that the part may end at."""
        return self._cut.offset + self._room

    def _cut_before(self, offset: int) -> Iterator[Slice]:
        """Cut as long as what comes before ``offset`` does not fit into the part at work."""
        while offset > self._full:
            place = self._best or self._last
            start = self._cut.offset
            if place is None or place.offset <= start:
                raise DumpFailed(
                    f"{self._inside} at byte {start} has {offset - start} bytes, at "
                    f"most {max(self._room, 0)} fit into a file of the data repository",
                    hint="SQL_DUMP_MAX_FILE_MB is the limit for a file: raise it if the remote "
                    "takes larger ones (GitHub takes 100 MB), or shorten that value in the "
                    "database. Nothing was published.",
                )
            yield self._slice(place)
            self._cut = place
            self._best = None

    def _places(self) -> Iterator[tuple[_Place, str]]:
        """The places in order, each with what stands behind it."""
        blank = False
        for piece in pieces(self._measured()):
            if isinstance(piece, CopyRows):
                yield from self._rows(piece)
                blank = False
            elif isinstance(piece, Restrict):
                self._key = piece.key
                blank = False
            else:
                if blank and piece.between and piece.text == ABOVE_OBJECT:
                    yield _Place(piece.start, _OBJECT_RANK), "a statement"
                elif piece.begins and piece.text.startswith(LARGE_OBJECT):
                    yield _Place(piece.start, crc32(piece.text)), "a piece of a large object"
                blank = piece.between and piece.text == b"\n"

    def _rows(self, copy: CopyRows) -> Iterator[tuple[_Place, str]]:
        """Of many rows between which there is no cut the last one, before it the one to cut at."""
        offset = copy.start + len(copy.statement)
        inside = f"a row of {copy.key}"
        for chunk in copy.rows:
            start = 0
            while start < len(chunk):
                if start < (half := self._half - offset):  # too early for a cut
                    end = _next_row(chunk, half)
                else:
                    end = _next_row(chunk, max(start, self._full - offset) + 1)
                    at, rank = _least(chunk[start:end])
                    yield _Place(offset + start + at, rank, copy.statement), inside
                last = max(chunk.rfind(b"\n", start, end - 1) + 1, start)
                yield _Place(offset + last, _LAST_RANK, copy.statement), inside
                start = end
            offset += len(chunk)

    def _measured(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self._end += len(chunk)
            yield chunk


def _next_row(chunk: bytes, at: int) -> int:
    """Where the first row begins that does not begin before ``at``; the end if there is none."""
    return chunk.find(b"\n", at - 1) + 1 or len(chunk)


def _least(rows: bytes) -> tuple[int, int]:
    """Where the row begins whose first column hashes least, and what it hashes to."""
    lines = rows.split(b"\n")[:-1]
    ranks = [crc32(row.partition(b"\t")[0]) for row in lines]
    least = min(ranks)
    number = ranks.index(least)
    return sum(map(len, lines[:number])) + number, least
