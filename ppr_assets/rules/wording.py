"""Words that several messages are put together from."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from datetime import timedelta

BESIDE = " (and {} more)"
"""``rest`` of :func:`few` where the first of several reasons is given alone."""


def few(
    words: Sequence[object], most: int, *, between: str = ", ", rest: str = " and {} more"
) -> str:
    """The first ``most`` of ``words``, and how many there are beside: ``a, b and 3 more``."""
    beside = len(words) - most
    return between.join(map(str, words[:most])) + (rest.format(beside) if beside > 0 else "")


def plural(count: int, noun: str) -> str:
    """``1 dump``, ``2 dumps``."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


_OBEYED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def visible(text: str) -> str:
    """``text`` with what a terminal would obey, and not show, written out: ``\\x1b[31m``. Names,
    reasons and commit messages are of whoever may write them. Its lines stay lines."""
    return _OBEYED.sub(lambda one: one[0].encode("unicode_escape").decode("ascii"), text)


def span(time: timedelta) -> str:
    """A time for a human, rounded down: ``40 s``, ``12 min``, ``26 h``, ``3 days``."""
    seconds = int(time.total_seconds())
    for most, unit, word in ((120, 1, "s"), (7200, 60, "min"), (172_800, 3600, "h")):
        if seconds < most:
            return f"{seconds // unit} {word}"
    return f"{seconds // 86_400} days"


def shell_word(text: str) -> str:
    """``text`` as a word of a command that can be pasted from a terminal, which keeps to itself
    what it cannot show: in octal digits, as bash, zsh and POSIX read them."""
    if text.isprintable():
        return shlex.quote(text)
    shown = (
        one
        if one.isprintable() and one not in "\\'"
        else "".join(rf"\{byte:03o}" for byte in one.encode())
        for one in text
    )
    return f"$'{''.join(shown)}'"


def size(count: int) -> str:
    """Bytes for a human: ``812 B``, ``6.7 MiB``."""
    amount = float(count)
    for unit in ("B", "KiB", "MiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.2f} GiB"
