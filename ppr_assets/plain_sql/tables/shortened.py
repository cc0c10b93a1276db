"""A dump without what a server cannot make of its tables: defaults, columns with their values, and
constraints that stand in a CREATE TABLE."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal

from msgspec import Struct, field

from ppr_assets.errors import PreconditionFailed
from ppr_assets.plain_sql.parsing.byte_ranges import DumpFile, PlainDump, Range
from ppr_assets.plain_sql.parsing.layout import CopyBlock, Layout
from ppr_assets.plain_sql.parsing.pieces import NAME, quoted, unquoted
from ppr_assets.plain_sql.parsing.table_text import made_table

_DEFAULT = re.compile(
    rb'(?P<before>(?:"(?:[^"]|"")*"|[^"\'])*?)'
    rb"(?P<default> DEFAULT .*?)"
    rb"(?: CONSTRAINT " + NAME + rb")?(?: NOT NULL(?: NO INHERIT)?)?",
    re.DOTALL,
)
_ABOUT_A_COLUMN = re.compile(
    rb"ALTER TABLE [^;]*? ALTER COLUMN (" + NAME + rb") SET [^;]*;\n", re.DOTALL
)


class TablePart(Struct, frozen=True):
    """Of a table, as a CREATE TABLE has it."""

    kind: Literal["COLUMN", "DEFAULT", "CHECK CONSTRAINT"]
    schema: str
    table: str
    name: str


class Shortened(Struct, frozen=True):
    """What stands in the place of ``statements``, by their ranges, and the ``columns`` that rows go
    without, by the key of their table."""

    statements: Mapping[Range, bytes] = field(default_factory=dict)
    columns: Mapping[str, Collection[str]] = field(default_factory=dict)


def without_part_at(text: bytes, position: int) -> tuple[bytes, TablePart] | None:
    """A table's statements without the default, column or constraint that stands at ``position``,
    and what that was; None where none stands there, or where no column would be left."""
    schema, table, items = made_table(text) or ("", "", [])
    item = next((one for one in items if one.start <= position < one.end), None)
    if item is None:
        return None
    defined = item.end - len(item.definition)
    found = None if item.constraint else _DEFAULT.fullmatch(item.definition)
    if found and position >= defined + found.start("default"):
        start, end = (defined + at for at in found.span("default"))
        return text[:start] + text[end:], TablePart("DEFAULT", schema, table, item.name)
    rest = [one for one in items if one is not item]
    if all(one.constraint for one in rest):
        return None
    left = b",\n".join(text[one.start : one.end] for one in rest)
    tail = text[items[-1].end :]
    if item.constraint:
        kind: Literal["COLUMN", "CHECK CONSTRAINT"] = "CHECK CONSTRAINT"
    else:
        kind, tail = "COLUMN", _not_about(item.name, tail)
    return text[: items[0].start] + left + tail, TablePart(kind, schema, table, item.name)


def _not_about(column: str, statements: bytes) -> bytes:
    """Statements behind a CREATE TABLE without those that set something for ``column``."""
    return _ABOUT_A_COLUMN.sub(
        lambda found: b"" if unquoted(found[1]) == column else found[0], statements
    )


def write_shortened(dump: PlainDump, layout: Layout, shortened: Shortened, to: Path) -> None:
    """Write the dump anew. Raises :class:`PreconditionFailed` when it cannot be written."""
    try:
        with DumpFile(dump) as file, to.open("wb") as out:
            out.writelines(_chunks(file, layout, shortened))
    except OSError as error:
        raise PreconditionFailed(
            f"could not write a shortened dump to `{to.parent}`: {error.strerror or error}",
            hint="is the disk full? Nothing was changed.",
        ) from error


def _chunks(file: DumpFile, layout: Layout, shortened: Shortened) -> Iterator[bytes]:
    position = 0
    for entry in layout.entries:
        lacking = shortened.columns.get(entry.copy.key, ()) if entry.copy else ()
        if (instead := shortened.statements.get((entry.start, entry.end))) is not None:
            yield from file.chunks(position, entry.start)
            yield instead
            position = entry.end
        elif entry.copy and lacking:
            yield from file.chunks(position, entry.start)
            yield from _copied(file, entry.copy, lacking)
            position = entry.copy.end
    yield from file.chunks(position, layout.bytes)


def _copied(file: DumpFile, block: CopyBlock, lacking: Collection[str]) -> Iterator[bytes]:
    kept = [number for number, name in enumerate(block.columns) if name not in lacking]
    names = b", ".join(quoted(block.columns[number]) for number in kept)
    yield b"COPY " + block.table + b" (" + names + b") FROM stdin;\n"
    for row in _rows(file.chunks(block.start, block.end)):
        values = row.split(b"\t")
        yield b"\t".join([values[number] for number in kept]) + b"\n"


def _rows(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Without their newlines, which stand for nothing else in rows."""
    begun = b""
    for chunk in chunks:
        *whole, begun = (begun + chunk).split(b"\n")
        yield from whole
