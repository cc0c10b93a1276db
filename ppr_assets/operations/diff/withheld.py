"""What one of two dumps withholds and the other does not: told once, as the decision that it is.

Rows that differ in nothing else have not changed.
"""

from __future__ import annotations

from collections.abc import Iterator

from ppr_assets.operations.diff.opened import OpenedDump
from ppr_assets.operations.diff.records import WithheldDiff


def withheld_otherwise(one: OpenedDump, other: OpenedDump) -> Iterator[WithheldDiff]:
    """By table and column; of a table without its rows, no columns. A dump without a manifest does
    not tell what it withholds, so that nothing is said of either."""
    if one.withheld is None or other.withheld is None:
        return
    for place in sorted(one.withheld.keys() | other.withheld.keys()):
        then, now = one.withheld.get(place), other.withheld.get(place)
        if then is None and now is not None and _published(one, *place):
            yield WithheldDiff("withheld since", now)
        elif now is None and then is not None and _published(other, *place):
            yield WithheldDiff("withheld no longer", then)
        elif now and then and (now.rule, now.text) != (then.rule, then.text):
            yield WithheldDiff("withheld otherwise", now)


def _published(dump: OpenedDump, table: str, column: str) -> bool:
    """Whether the dump has it: what is new is not withheld *since*."""
    return column in dump.columns(table) if column else table in dump.blocks
