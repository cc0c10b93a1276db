"""Two dumps side by side."""

from __future__ import annotations

from collections.abc import Iterator

from ppr_assets.operations.diff.opened import OpenedDump
from ppr_assets.operations.diff.records import DumpDiff, SchemaDiff
from ppr_assets.operations.diff.rows import table_diff
from ppr_assets.operations.sources.wanted import FoundDump


def diff(before: FoundDump, after: FoundDump) -> DumpDiff:
    """Compare two dumps. Raises :class:`DumpDamaged` when one is not whole, or not what its
    manifest says: a comparison would name the damage as a change."""
    one, other = OpenedDump(before), OpenedDump(after)
    tables, same = [], 0
    for table in sorted(one.blocks.keys() | other.blocks.keys()):
        here, there = one.blocks.get(table), other.blocks.get(table)
        if here and there and (here.rows, here.sha256) == (there.rows, there.sha256):
            same += 1
        else:
            tables.append(table_diff(table, one, other))
    return DumpDiff(
        before=before.name,
        after=after.name,
        tables=tuple(tables),
        same=same,
        schema=tuple(_schema(one, other)),
        server_versions=(one.layout.server_version, other.layout.server_version),
    )


def _schema(one: OpenedDump, other: OpenedDump) -> Iterator[SchemaDiff]:
    for name in sorted(one.objects.keys() | other.objects.keys()):
        here, there = one.objects.get(name), other.objects.get(name)
        if here != there:
            how = "added" if here is None else "removed" if there is None else "changed"
            yield SchemaDiff(how, *name)
