"""One record of a dump that streams by: its row, without a look at the others."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ppr_assets.plain_sql.parsing.grammar import pieces
from ppr_assets.plain_sql.parsing.pieces import CopyRows, Line, copied_columns
from ppr_assets.plain_sql.parsing.row_keys import primary_key
from ppr_assets.plain_sql.tables.values import as_copied, codec_of, meant

_PRIMARY_KEYS = b"ALTER TABLE ONLY "
_ENCODING = re.compile(rb"SET client_encoding = '([^']*)';")

Row = Mapping[str, str | None]
"""By column, as texts; None for NULL."""


@dataclass(frozen=True)
class SoughtRecord:
    """The record of ``table`` (its key) that has these values in the columns of the primary key, as
    texts. ``key``: those columns, None while nobody knows them: then it is the first one."""

    table: str
    values: tuple[str, ...]
    key: tuple[str, ...] | None = None


@dataclass(frozen=True)
class FoundRecord:
    """``row`` is None where the dump has no such record, or no such table; ``key`` are the columns
    that this dump tells rows apart by, None where it does not say. ``there``: it has a COPY of the
    table."""

    row: Row | None
    key: tuple[str, ...] | None
    there: bool = True


def find_record(chunks: Callable[[], Iterable[bytes]], sought: SoughtRecord) -> FoundRecord:
    """Look through a whole dump, and once more where its primary key turns out to be another one
    than was thought. Raises :class:`DumpDamaged` where it is not whole."""
    seen = _look(chunks(), sought)
    if seen.key is not None and seen.used not in (None, seen.key):
        seen = _look(chunks(), replace(sought, key=seen.key))
    return FoundRecord(seen.row, seen.key, there=seen.used is not None)


@dataclass
class _Seen:
    """``used``: the columns that the record was looked for by, ``key`` those of the primary key."""

    row: Row | None = None
    used: tuple[str, ...] | None = None
    key: tuple[str, ...] | None = None


def _look(chunks: Iterable[bytes], sought: SoughtRecord) -> _Seen:
    seen, statement, encoding = _Seen(), b"", "UTF8"
    for piece in pieces(chunks):
        if isinstance(piece, CopyRows):
            if piece.key == sought.table:
                columns = copied_columns(piece.statement)
                seen.used = sought.key or tuple(columns[:1])
                seen.row = _row(piece, columns, seen.used, sought.values, codec_of(encoding))
        elif isinstance(piece, Line) and not piece.between:
            statement = piece.text if piece.begins else statement
            if not statement.startswith((_PRIMARY_KEYS, b"SET client_encoding")):
                continue
            statement = statement if piece.begins else statement + piece.text
            if found := _ENCODING.match(statement):
                encoding = found[1].decode("ascii", "replace")
            if piece.ends and (told := primary_key(statement)) and told[0] == sought.table:
                seen.key = told[1]
    return seen


def _row(
    copy: CopyRows,
    columns: Sequence[str],
    key: Sequence[str],
    sought: Sequence[str],
    codec: str,
) -> Row | None:
    wanted = {
        columns.index(name): as_copied(value, codec)
        for name, value in zip(key, sought, strict=False)
        if name in columns
    }
    if not wanted or len(wanted) < len(sought):
        return None
    for chunk in copy.rows:
        for row in _candidates(chunk, *next(iter(wanted.items())), alone=len(columns) == 1):
            values = row.split(b"\t")
            if all(values[at] == value for at, value in wanted.items()):
                texts = (meant(value.decode(codec, "replace")) for value in values)
                return dict(zip(columns, texts, strict=False))
    return None


def _candidates(chunk: bytes, place: int, value: bytes, *, alone: bool) -> Iterable[bytes]:
    """Rows that have ``value`` at ``place``, or seem to; ``alone`` where they have no other."""
    needle = value if place else value + (b"\n" if alone else b"\t")
    at = 0 if not place and chunk.startswith(needle) else chunk.find(_before(place) + needle)
    while at >= 0:
        start = chunk.rfind(b"\n", 0, at + 1) + 1
        end = chunk.find(b"\n", start)
        yield chunk[start:end]
        at = chunk.find(_before(place) + needle, max(end, at + 1))


def _before(place: int) -> bytes:
    return b"\t" if place else b"\n"


def changed_columns(before: Row, after: Row) -> Sequence[str]:
    """In the order of the columns after, then those that went."""
    return [
        column
        for column in dict.fromkeys([*after, *before])
        if before.get(column) != after.get(column)
    ]
