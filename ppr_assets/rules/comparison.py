"""Compare two sorted sequences of rows, in the memory of one row of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

Side = Literal["before", "after"]


def differing_rows(before: Iterable[bytes], after: Iterable[bytes]) -> Iterator[tuple[Side, bytes]]:
    """The rows that only one side has, in their order; both sides are sorted by their bytes.

    A row that one side has more often than the other comes as often as it is left over.
    """
    ours, theirs = iter(before), iter(after)
    here, there = next(ours, None), next(theirs, None)
    while here is not None or there is not None:
        if here == there:
            here, there = next(ours, None), next(theirs, None)
        elif there is None or (here is not None and here < there):
            assert here is not None  # at least one of them is a row
            yield "before", here
            here = next(ours, None)
        else:
            yield "after", there
            there = next(theirs, None)
