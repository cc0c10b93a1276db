"""A dump opened for a comparison."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from ppr_assets.operations.sources.wanted import FoundDump
from ppr_assets.plain_sql.dump_file import plain_dump
from ppr_assets.plain_sql.parsing.byte_ranges import DumpFile
from ppr_assets.plain_sql.parsing.keys import primary_key
from ppr_assets.plain_sql.parsing.layout import Layout
from ppr_assets.plain_sql.parsing.sorted_rows import SortedRows
from ppr_assets.plain_sql.verify import verify_file
from ppr_assets.plain_sql.withheld_values import NULL
from ppr_assets.progress import counted
from ppr_assets.rules.publication.withholding import Withheld


class OpenedDump:
    """A dump that was read once, whole, and whose parts can be read again."""

    def __init__(self, found: FoundDump) -> None:
        verified = verify_file(
            found.path, name=found.name, manifest=found.manifest, spill_folder=found.spill_folder
        )
        self.name = found.name
        self.layout: Layout = verified.layout
        self.spill_folder = found.spill_folder
        self._sorted = found.manifest is not None
        self._dump = plain_dump(found.path, name=found.name, folder=found.spill_folder)
        self.blocks = self.layout.blocks
        self.keys: dict[str, tuple[str, ...]] = {}
        self.objects: dict[tuple[str, str, str], bytes] = {}
        self.withheld: Mapping[tuple[str, str], Withheld] | None = None
        if found.manifest is not None:
            self.withheld = {(one.table, one.column): one for one in found.manifest.withheld}
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

    def columns(self, table: str) -> Sequence[str]:
        block = self.blocks.get(table)
        return block.columns if block else ()

    def rows_bytes(self, table: str) -> int:
        block = self.blocks.get(table)
        return block.end - block.start if block else 0

    def rows(self, table: str, unseen: Collection[str] = ()) -> Iterator[bytes]:
        """In the order of their bytes, each with its newline, and with NULL in the place of what
        stands in columns that are to be ``unseen``."""
        places = [at for at, column in enumerate(self.columns(table)) if column in unseen]
        if not places:
            yield from self._rows(table)
            return
        with SortedRows(self.spill_folder) as to_sort:
            for row in self._rows(table):
                to_sort.add(_without(row, places))
            for rows in to_sort.blocks():
                yield from split_rows(rows)

    def _rows(self, table: str) -> Iterator[bytes]:
        block = self.blocks.get(table)
        if block is None:
            return
        with SortedRows(self.spill_folder) as to_sort:
            rest = b""
            for chunk in counted(self._chunks(block.start, block.end)):
                whole, newline, rest = (rest + chunk).rpartition(b"\n")
                if self._sorted:
                    yield from split_rows(whole + newline)
                elif newline:
                    to_sort.add(whole + newline)
            for rows in to_sort.blocks():
                yield from split_rows(rows)

    def _chunks(self, start: int, end: int) -> Iterator[bytes]:
        with DumpFile(self._dump) as file:
            yield from file.chunks(start, end)


def _without(row: bytes, places: Collection[int]) -> bytes:
    values = row.removesuffix(b"\n").split(b"\t")
    for at in places:
        values[at] = NULL
    return b"\t".join(values) + b"\n"


def split_rows(rows: bytes) -> Iterator[bytes]:
    """Each with its newline; nothing else ends a row."""
    return (row + b"\n" for row in rows.split(b"\n")[:-1])
