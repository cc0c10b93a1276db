"""Words as somebody published them: what is a value, and what only says that there is none."""

from __future__ import annotations

import re
from functools import lru_cache

_NOTHING = frozenset({
    "", "-", "--", "?", "n/a", "na", "n.a.", "nil", "none", "null", "tbd", "undefined",
    "unknown", "unspecified", "unavailable", "not applicable", "no data", "missing",
})  # fmt: skip
_NOT_PROVIDED = re.compile(
    r"(?:[\w/ ]{1,30} )?(?:is |was )?"
    r"(?:not (?:provided|available|specified|given|known|stated|found)"
    r"|unknown|unspecified|unavailable)\.?",
)
LONGEST_PHRASE = 60
"""No phrase that says "nothing" is longer, so longer texts are not searched for one."""


def known(words: str) -> str | None:
    """The words without blanks around them; None where they only say that nothing is known."""
    words = words.strip()
    return words if len(words) > LONGEST_PHRASE else _known(words)


@lru_cache(maxsize=32768)
def _known(words: str) -> str | None:
    small = words.lower()
    return None if small in _NOTHING or _NOT_PROVIDED.fullmatch(small) else words
