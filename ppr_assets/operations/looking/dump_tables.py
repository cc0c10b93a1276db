"""A dump's tables, of which each is read when somebody asks for it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager

from ppr_assets.errors import PreconditionFailed
from ppr_assets.operations.sources.wanted import FoundDump
from ppr_assets.plain_sql.dump_file import plain_dump
from ppr_assets.plain_sql.parsing.byte_ranges import DumpFile
from ppr_assets.plain_sql.parsing.layout import CopyBlock, Layout
from ppr_assets.plain_sql.tables.definitions import (
    READ_KINDS,
    Column,
    TableDefinition,
    table_definitions,
)
from ppr_assets.plain_sql.tables.values import Value, rows_of
from ppr_assets.plain_sql.verify import verify_file
from ppr_assets.rules.naming import key_names

Rows = Iterator[list[tuple[Value, ...]]]
"""Many at a time."""


class DumpTables:
    """What is in the dump ``name``. ``tables`` by table key, each with the columns whose values the
    dump has: what a server computes itself (generated columns) is in none."""

    def __init__(self, name: str, layout: Layout, file: DumpFile) -> None:
        self.name = name
        self.encoding = layout.encoding
        self._file = file
        self._blocks = layout.blocks
        self._inserted = layout.inserted
        self.views = frozenset(
            entry.name for entry in layout.entries if entry.kind in ("VIEW", "MATERIALIZED VIEW")
        )
        self.tables: Mapping[str, TableDefinition] = self._defined(layout)

    def count(self, table: str) -> int:
        """How many rows of the table with this key the dump has."""
        return self.own_count(table) + sum(map(self.count, self.tables[table].partitions))

    def own_count(self, table: str) -> int:
        """The same without those of its partitions."""
        return self._blocks[table].rows if table in self._blocks else self._inserted.get(table, 0)

    def rows(
        self,
        table: str,
        names: Collection[str] | None = None,
        of_partition: Callable[[str, Collection[str]], Rows] | None = None,
    ) -> Rows:
        """The rows of the table with this key, with the values of its columns, or of those with
        these ``names``, in their order; those of its partitions as ``of_partition`` shows them, by
        key and columns (all of them, without it).

        Raises :class:`PreconditionFailed` for a table whose rows come as INSERT or with those of
        its parent, or that inherits from several, and :class:`DumpDamaged` for a value that is not
        of its column's type.
        """
        self._require_rows_of_its_own(table)
        columns = [one for one in self.tables[table].columns if names is None or one in names]
        if table in self._blocks:
            yield from self._of_block(self._blocks[table], table, columns)
        there_already = self.standing_with(table)
        for part in (one for one in self.tables[table].partitions if one not in there_already):
            there = [one for one in self.tables[part].columns if one in columns]
            places = [there.index(name) if name in there else None for name in columns]
            for some in (of_partition or self.rows)(part, there):
                yield [tuple(None if at is None else row[at] for at in places) for row in some]

    def copied(self, table: str) -> Iterator[tuple[Sequence[str], Iterator[bytes]]]:
        """The table's own rows and those of its partitions, without those that inherit, as they
        stand in the dump: for each COPY its columns, and what it brings. None where the dump has
        no COPY of it. Raises :class:`PreconditionFailed` for a table whose rows come as INSERT or
        with those of its parent."""
        self._require_copied(table)
        if (block := self._blocks.get(table)) is not None:
            yield block.columns, self._file.chunks(block.start, block.end)
        there_already = self.standing_with(table)
        for part in (one for one in self.tables[table].partitions if one not in there_already):
            if not self.tables[part].inherits:
                yield from self.copied(part)

    def _require_rows_of_its_own(self, table: str) -> None:
        if len(parents := self.tables[table].inherits) > 1:
            raise PreconditionFailed(
                f"{table} inherits from {' and '.join(parents)}, and only a server knows which "
                "rows those show",
                hint="`ppr-assets restore` brings the dump into PostgreSQL.",
            )
        self._require_copied(table)

    def _require_copied(self, table: str) -> None:
        if self._inserted.get(table):
            raise PreconditionFailed(
                f"the rows of {table} stand in `{self.name}` as INSERT, and only those of COPY "
                "can be read without a server",
                hint="`ppr-assets restore` loads them; pg_dump writes COPY without `--inserts`.",
            )
        roots = (one for one in self._blocks if table in self.standing_with(one))
        if root := next(roots, None):
            raise PreconditionFailed(
                f"the rows of {table} stand with those of {root} in `{self.name}`, and only a "
                "server knows which those are",
                hint=f"ask {root}; pg_dump writes them apart without `--load-via-partition-root`.",
            )

    def standing_with(self, table: str) -> Sequence[str]:
        """The partitions whose rows the COPY of the partitioned table has."""
        parts = self.tables[table].partitions if table in self._blocks else ()
        return [
            part for part in parts if part not in self._blocks and not self.tables[part].inherits
        ]

    def _of_block(self, block: CopyBlock, table: str, columns: list[str]) -> Rows:
        known = self.tables[table].columns
        types = [one.values for one in known.values()]
        places = [at for at, name in enumerate(known) if name in columns]
        chunks = self._file.chunks(block.start, block.end)
        yield from rows_of(chunks, types, self.encoding, places)

    def _defined(self, layout: Layout) -> Mapping[str, TableDefinition]:
        """A table that others than pg_dump have made is known by its COPY alone."""
        found = table_definitions(
            (entry.kind, self._file.read(entry.start, entry.end))
            for entry in layout.entries
            if entry.kind in READ_KINDS
        )
        for key, block in self._blocks.items():
            table = found.setdefault(key, TableDefinition(*key_names(key)))
            table.columns = {name: table.columns.get(name, Column(name)) for name in block.columns}
        for table in found.values():  # of a foreign one a dump has no rows
            table.partitions = [key for key in table.partitions if key in found]
        for key, table in found.items():
            copied = [] if key in self._blocks else [*self._copied(found, key)]
            for name in [one for one in table.columns if not all(one in some for some in copied)]:
                del table.columns[name]
        return found

    def _copied(self, found: Mapping[str, TableDefinition], key: str) -> Iterator[Collection[str]]:
        """The columns of each COPY whose rows the table shows."""
        if key in self._blocks:
            yield found[key].columns.keys()
        for part in found[key].partitions:
            yield from self._copied(found, part)


@contextmanager
def dump_tables(found: FoundDump) -> Iterator[DumpTables]:
    """Verify the whole dump, and open its tables.

    Raises :class:`DumpDamaged` with the first thing that is wrong.
    """
    name, spill = found.name, found.spill_folder
    layout = verify_file(found.path, name=name, manifest=found.manifest, spill_folder=spill).layout
    with DumpFile(plain_dump(found.path, name=name, folder=spill)) as file:
        yield DumpTables(name, layout, file)
