"""Two sorted sequences of rows, compared in one pass."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from ppr_assets.operations.diff.compare import differing_rows

_ROWS = st.lists(st.binary(max_size=2).map(lambda row: row + b"\n")).map(sorted)


@given(_ROWS, _ROWS)
def test_what_only_one_side_has_is_told_in_order(before: list[bytes], after: list[bytes]) -> None:
    found = list(differing_rows(before, after))
    assert Counter(row for side, row in found if side == "before") == (
        Counter(before) - Counter(after)
    )
    assert Counter(row for side, row in found if side == "after") == (
        Counter(after) - Counter(before)
    )
    rows = [row for _, row in found]
    assert rows == sorted(rows)
