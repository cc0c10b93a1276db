"""What changed between two dumps: rows of each table, and what the schema is made of.

Tables whose rows have the same SHA-256 are not looked at again. Of the others both sides are read
in the order of their bytes, side by side; what only one of them has is sorted once more by key, so
that a row that changed is told from one that came or went. Memory stays bounded: what does not fit
goes to files without a name.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ppr_assets.operations.dump_file import plain_dump
from ppr_assets.operations.sources import FoundDump
from ppr_assets.operations.verify import verify_file
from ppr_assets.postgres.layout import CopyBlock, Layout
from ppr_assets.postgres.load.dump_file import DumpFile
from ppr_assets.postgres.row_keys import key_reader, primary_key
from ppr_assets.postgres.sorted_rows import SortedRows
from ppr_assets.postgres.sql_pieces import copied_columns
from ppr_assets.rules.comparison import differing_rows

EXAMPLES = 3
"""Rows that are shown of each kind of difference in a table."""

_CHUNK = 256 * 1024
_DIGEST = 16
_SAME_KEY = 1000
_Row = Mapping[str, str | None]


@dataclass(frozen=True)
class Example:
    """A row before and after, by column; None where it was not there. Values are as COPY writes
    them, None for NULL."""

    before: _Row | None
    after: _Row | None


@dataclass
class TableDiff:
    """``before`` and ``after``: how many rows, None where there is no such table. ``key``: the
    columns that tell rows apart."""

    table: str
    before: int | None
    after: int | None
    key: tuple[str, ...]
    added: int = 0
    removed: int = 0
    changed: int = 0
    examples: list[Example] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        return {**vars(self), "key": list(self.key), "examples": [*map(vars, self.examples)]}

    def count(self, before: _Row | None, after: _Row | None) -> None:
        kind = "added" if before is None else "removed" if after is None else "changed"
        number = getattr(self, kind) + 1
        setattr(self, kind, number)
        if number <= EXAMPLES:
            self.examples.append(Example(before, after))


@dataclass(frozen=True)
class SchemaDiff:
    """An object of the dump, by pg_dump's words for it; ``how``: added, removed or changed."""

    how: str
    kind: str
    schema: str
    name: str


@dataclass(frozen=True)
class DumpDiff:
    """From dump ``before`` to dump ``after``: what differs, and how many tables do not."""

    before: str
    after: str
    tables: tuple[TableDiff, ...]
    same: int
    schema: tuple[SchemaDiff, ...]
    server_versions: tuple[str, str]

    def __bool__(self) -> bool:
        return bool(self.tables or self.schema)

    def to_json(self) -> dict[str, Any]:
        return {
            "before": self.before,
            "after": self.after,
            "server_versions": list(self.server_versions),
            "tables": [table.to_json() for table in self.tables],
            "unchanged_tables": self.same,
            "schema": [vars(one) for one in self.schema],
        }


def diff(before: FoundDump, after: FoundDump) -> DumpDiff:
    """Compare two dumps. Raises :class:`DumpDamaged` when one is not whole, or not what its
    manifest says: a comparison would name the damage as a change."""
    one, other = _Opened(before), _Opened(after)
    tables, same = [], 0
    for table in sorted(one.blocks.keys() | other.blocks.keys()):
        here, there = one.blocks.get(table), other.blocks.get(table)
        if here and there and (here.rows, here.sha256) == (there.rows, there.sha256):
            same += 1
        else:
            tables.append(_compare(table, one, other))
    return DumpDiff(
        before=before.name,
        after=after.name,
        tables=tuple(tables),
        same=same,
        schema=tuple(_schema(one, other)),
        server_versions=(one.layout.server_version, other.layout.server_version),
    )


class _Opened:
    """A dump that was read once, whole, and whose parts can be read again."""

    def __init__(self, found: FoundDump) -> None:
        verified = verify_file(
            found.path, name=found.name, manifest=found.manifest, spill_folder=found.spill_folder
        )
        self.layout: Layout = verified.layout
        self.spill_folder = found.spill_folder
        self._sorted = found.manifest is not None
        self._dump = plain_dump(found.path, name=found.name, folder=found.spill_folder)
        self.blocks: dict[str, CopyBlock] = {
            entry.copy.key: entry.copy for entry in self.layout.entries if entry.copy
        }
        self.keys: dict[str, tuple[str, ...]] = {}
        self.objects: dict[tuple[str, str, str], bytes] = {}
        self._look_at_statements()

    def _look_at_statements(self) -> None:
        digests: defaultdict[tuple[str, str, str], Any] = defaultdict(hashlib.sha256)
        for entry in self.layout.entries:
            if entry.copy is not None:
                continue
            for chunk in self._chunks(entry.start, entry.end):
                digests[entry.kind, entry.schema, entry.name].update(chunk)
                if entry.kind == "CONSTRAINT" and (key := primary_key(chunk)) is not None:
                    self.keys[key[0]] = key[1]
        self.objects = {name: digest.digest() for name, digest in digests.items()}

    def columns(self, table: str) -> list[str]:
        block = self.blocks.get(table)
        statement = f"{block.statement}\n" if block else ""
        return copied_columns(statement.encode("utf-8", "surrogateescape"))

    def rows(self, table: str) -> Iterator[bytes]:
        """In the order of their bytes, each with its newline."""
        block = self.blocks.get(table)
        if block is None:
            return
        with SortedRows(self.spill_folder) as to_sort:
            rest = b""
            for chunk in self._chunks(block.start, block.end):
                whole, newline, rest = (rest + chunk).rpartition(b"\n")
                if self._sorted:
                    yield from _split(whole + newline)
                elif newline:
                    to_sort.add(whole + newline)
            for rows in to_sort.blocks():
                yield from _split(rows)

    def _chunks(self, start: int, end: int) -> Iterator[bytes]:
        with DumpFile(self._dump) as file:
            yield from file.chunks(start, end)


def _compare(table: str, one: _Opened, other: _Opened) -> TableDiff:
    here, there = one.blocks.get(table), other.blocks.get(table)
    sides = {"before": one.columns(table), "after": other.columns(table)}
    some = sides["after"] or sides["before"]
    key = other.keys.get(table) or one.keys.get(table) or tuple(some[:1])
    readers = {side: key_reader(columns, key) for side, columns in sides.items()}
    found = TableDiff(table, here.rows if here else None, there.rows if there else None, key)
    with SortedRows(one.spill_folder) as by_key:
        for side, row in differing_rows(one.rows(table), other.rows(table)):
            digest = hashlib.blake2b(readers[side](row), digest_size=_DIGEST).hexdigest()
            by_key.add(f"{digest}{side[0]}".encode() + row)
        rows = (row for block in by_key.blocks() for row in _split(block))
        for before, after in _pairs(rows):
            found.count(
                _values(sides["before"], before) if before is not None else None,
                _values(sides["after"], after) if after is not None else None,
            )
    found.examples.sort(key=lambda example: (example.before is not None, example.after is not None))
    return found


def _split(rows: bytes) -> Iterator[bytes]:
    """Each with its newline; nothing else ends a row."""
    return (row + b"\n" for row in rows.split(b"\n")[:-1])


def _pairs(rows: Iterator[bytes]) -> Iterator[tuple[bytes | None, bytes | None]]:
    """Rows with the same key, one from each side; alone what has none on the other side.

    Those from after (``a``) stand above those from before (``b``), where both have the key. If
    thousands share one, it is no key, and to hold them all for pairs would take memory.
    """
    size = 2 * _DIGEST
    waiting: list[bytes] = []
    key = b""
    for line in rows:
        if line[:size] != key:
            yield from ((None, row) for row in waiting)
            key, waiting = line[:size], []
        row = line[size + 1 :]
        if line[size : size + 1] == b"b":
            yield row, (waiting.pop() if waiting else None)
        elif len(waiting) < _SAME_KEY:
            waiting.append(row)
        else:
            yield None, row
    yield from ((None, row) for row in waiting)


def _values(columns: list[str], row: bytes) -> _Row:
    values = row.rstrip(b"\n").decode("utf-8", "replace").split("\t")
    return {
        column: None if value == "\\N" else value
        for column, value in zip(columns, values, strict=False)
    }


def _schema(one: _Opened, other: _Opened) -> Iterator[SchemaDiff]:
    for name in sorted(one.objects.keys() | other.objects.keys()):
        here, there = one.objects.get(name), other.objects.get(name)
        if here != there:
            how = "added" if here is None else "removed" if there is None else "changed"
            yield SchemaDiff(how, *name)
