"""Words that several messages are put together from."""

from __future__ import annotations

from collections.abc import Sequence


def few(
    words: Sequence[object], most: int, *, between: str = ", ", rest: str = " and {} more"
) -> str:
    """The first ``most`` of ``words``, and how many there are beside: ``a, b and 3 more``."""
    beside = len(words) - most
    return between.join(map(str, words[:most])) + (rest.format(beside) if beside > 0 else "")
