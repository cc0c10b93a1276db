"""One record of a dump that streams by: its row, without a look at the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from ppr_assets.plain_sql.parsing.grammar import pieces
from ppr_assets.plain_sql.parsing.keys import primary_key
from ppr_assets.plain_sql.parsing.pieces import ENCODING, CopyRows, Line
from ppr_assets.plain_sql.tables.definitions import parents_told
from ppr_assets.plain_sql.tables.values import as_copied, codec_of, meant

_OF_INTEREST = (
    b"ALTER TABLE ONLY ",  # primary keys, partitions
    b"CREATE TABLE ",
    b"CREATE UNLOGGED TABLE ",
    b"SET client_encoding",
)

Row = Mapping[str, str | None]
"""By column, as texts; None for NULL."""


class SoughtRecord(Struct, frozen=True):
    """The record of ``table`` (its key) that has these values in the columns of the primary key, as
    texts. ``key``: those columns, None while nobody knows them: then it is the first one."""

    table: str
    values: tuple[str, ...]
    key: tuple[str, ...] | None = None


class FoundRecord(Struct, frozen=True):
    """``row`` is None where the dump has no such record, or no such table; ``key`` are the columns
    that this dump tells rows apart by, None where it does not say. ``there``: it has a COPY of the
    table. ``parents``: what that is a partition of or inherits from, and so on, nearest first."""

    row: Row | None
    key: tuple[str, ...] | None
    there: bool = True
    parents: tuple[str, ...] = ()


def find_record(chunks: Callable[[], Iterable[bytes]], sought: SoughtRecord) -> FoundRecord:
    """Look through a whole dump, and once more where its primary key turns out to be another one
    than was thought. Raises :class:`DumpDamaged` where it is not whole."""
    seen = look(chunks(), sought)
    if seen.key is not None and seen.used not in (None, seen.key):
        seen = look(chunks(), replace(sought, key=seen.key))
    return FoundRecord(seen.row, seen.key, seen.used is not None, ancestors(seen, sought.table))


class Seen(Struct):
    """``used``: the columns that the record was looked for by, ``key`` those of the primary key,
    ``columns`` those of the COPY, with texts in ``codec``; ``block`` says which COPY of all that
    is, from 0; ``parents`` those of all tables that have some."""

    row: Row | None = None
    used: tuple[str, ...] | None = None
    key: tuple[str, ...] | None = None
    columns: Sequence[str] = ()
    codec: str = "utf-8"
    block: int | None = None
    blocks: int = 0
    parents: dict[str, tuple[str, ...]] = field(default_factory=dict)


def look(chunks: Iterable[bytes], sought: SoughtRecord) -> Seen:
    """Raises :class:`DumpDamaged`."""
    seen, statement = Seen(), b""
    for piece in pieces(chunks):
        if isinstance(piece, CopyRows):
            seen.blocks += 1
            if piece.key == sought.table:
                seen.block = seen.blocks - 1
                seen.columns = piece.columns
                seen.used = sought.key or tuple(seen.columns[:1])
                rows = (row_in(chunk, 0, len(chunk), seen, sought) for chunk in piece.rows)
                seen.row = next((one[0] for one in rows if one is not None), None)
        elif isinstance(piece, Line) and not piece.between:
            statement = piece.text if piece.begins else statement
            if not statement.startswith(_OF_INTEREST):
                continue
            statement = statement if piece.begins else statement + piece.text
            if found := ENCODING.match(statement):
                seen.codec = codec_of(found[1].decode("ascii", "replace"))
            if piece.ends and (told := primary_key(statement)) and told[0] == sought.table:
                seen.key = told[1]
            if piece.ends and (related := parents_told(statement)):
                seen.parents[related[0]] = seen.parents.get(related[0], ()) + related[1]
    return seen


def ancestors(seen: Seen, table: str) -> tuple[str, ...]:
    """All parents of ``table``, nearest first."""
    found = [*seen.parents.get(table, ())]
    for one in found:
        found += [other for other in seen.parents.get(one, ()) if other not in found]
    return tuple(found)


def row_in(
    data: bytes | bytearray, start: int, end: int, seen: Seen, sought: SoughtRecord
) -> tuple[Row, int, int] | None:
    """The record, if it is among the whole rows from ``start`` to ``end``, and from where to where
    it stands, without its newline."""
    wanted = {
        seen.columns.index(name): as_copied(value, seen.codec)
        for name, value in zip(seen.used or (), sought.values, strict=False)
        if name in seen.columns
    }
    if not wanted or len(wanted) < len(sought.values):
        return None
    place, value = next(iter(wanted.items()))
    needle = value if place else value + (b"\n" if len(seen.columns) == 1 else b"\t")
    for begins, ends in _candidates(data, start, end, b"\t" if place else b"\n", needle):
        values = bytes(data[begins:ends]).split(b"\t")
        if all(values[at] == value for at, value in wanted.items()):
            texts = (meant(value.decode(seen.codec, "replace")) for value in values)
            return dict(zip(seen.columns, texts, strict=False)), begins, ends
    return None


def _candidates(
    data: bytes | bytearray, start: int, end: int, before: bytes, needle: bytes
) -> Iterator[tuple[int, int]]:
    """Rows that have what is sought, or seem to."""
    at = start
    if before != b"\n" or not data.startswith(needle, start, end):
        at = data.find(before + needle, start, end)
    while at >= 0:
        begins = max(data.rfind(b"\n", start, at + 1) + 1, start)
        ends = data.find(b"\n", begins, end)
        yield begins, ends
        at = data.find(before + needle, max(ends, at + 1), end)


def changed_columns(before: Row, after: Row) -> Sequence[str]:
    """In the order of the columns after, then those that went."""
    return [
        column
        for column in dict.fromkeys([*after, *before])
        if before.get(column) != after.get(column)
    ]
