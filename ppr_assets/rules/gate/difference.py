"""What a restored database has otherwise than its dump, and whether a human may take it so."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING

from msgspec import Struct

from ppr_assets.rules.wording import few

if TYPE_CHECKING:
    from ppr_assets.rules.gate.ratchet import Override

_SHOWN = 120
"""Characters of a line that a message shows."""

_BEFORE = 40
"""Of them, before the first character that differs."""

_NOTED = 20
"""Differences that a database's comment has room for."""


HOLD_DATA = frozenset({"TABLE", "FOREIGN TABLE", "SEQUENCE"})
"""Kinds of objects that nobody may accept to be missing."""


class Difference(Struct, frozen=True):
    """``text`` for a human. ``acceptable``: it is about how an object is defined, so that every
    row is there all the same."""

    text: str
    acceptable: bool = False

    def __str__(self) -> str:
        return self.text


class Accepted(Struct, frozen=True):
    """Differences that a human has taken, in words, and the decision; none without any."""

    differences: Sequence[str] = ()
    decision: Override | None = None

    def note(self, dump: str) -> str:
        """What the database's comment says from then on."""
        assert self.decision is not None
        said = few(self.differences, _NOTED, between="; ", rest="; and {} more")
        reason = " ".join(self.decision.reason.split())
        return (
            f"`{dump}` was restored here, with differences that somebody accepted "
            f"({self.decision.whence}: {reason}): {' '.join(said.split())}"
        )


def first_difference(have: str, want: str) -> tuple[str, str]:
    """The first line in which two texts differ, of each; where it differs, if it is long."""
    pairs = zip_longest(have.splitlines(), want.splitlines(), fillvalue="")
    one, other = next(((a, b) for a, b in pairs if a != b), ("", ""))
    same = next((i for i, (a, b) in enumerate(zip_longest(one, other)) if a != b), 0)
    start = max(0, same - _BEFORE) if max(len(one), len(other)) > _SHOWN else 0
    return _cut(one, start), _cut(other, start)


def _cut(line: str, start: int) -> str:
    end = start + _SHOWN
    cut = ("…" if start else "") + line[start:end] + ("…" if len(line) > end else "")
    return " ".join(cut.split())
