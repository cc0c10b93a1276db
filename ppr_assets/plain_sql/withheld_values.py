"""Take withheld values out of a table's rows, on their way from pg_dump to the canonical dump."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import repeat

from ppr_assets.errors import DumpDamaged
from ppr_assets.rules.publication.policy import Decision

NULL = b"\\N"
"""As COPY writes it; a text of these two characters is written with its backslash escaped."""

_TAB = b"\t"
_ESCAPED = {
    ord(one): f"\\{letter}" for one, letter in zip("\\\b\f\n\r\t\v", "\\bfnrtv", strict=True)
}


class Withholding:
    """For the rows of ``table`` with these ``columns``, of which ``changed`` are withheld.

    ``counts``: by column, how many values were taken out so far. A NULL stays one: it was no value.
    """

    def __init__(self, table: str, columns: Sequence[str], changed: Mapping[str, Decision]) -> None:
        self._table = table
        self.counts = {name: 0 for name in columns if name in changed}
        self._tabs = len(columns) - 1
        places = {name: columns.index(name) for name in self.counts}
        self._steps = [(name, places[name], in_its_place(changed[name])) for name in places]
        first, last = min(places.values(), default=0), max(places.values(), default=0)
        # Rows are long and few values are withheld, so a row is parted from its nearer end only.
        self._from_right = len(columns) - first <= last + 1
        self._parts = len(columns) - first if self._from_right else last + 1
        if self._from_right:
            self._steps = [(name, place - len(columns), new) for name, place, new in self._steps]

    def rows(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """The same chunks of whole rows without what is withheld. Raises :class:`DumpDamaged` for
        a row of more or fewer values, of which nobody knows what they are."""
        if not self._steps:
            yield from chunks
            return
        for chunk in chunks:
            rows = chunk.split(b"\n")
            rows.pop()
            yield b"\n".join([*self._without(rows), b""])

    def _without(self, rows: Sequence[bytes]) -> Iterator[bytes]:
        """A row's values are separated by tabs, and hold neither tabs nor newlines but as ``\\t``
        and ``\\n``. What is done to each row is done for all of them by what Python does in C."""
        tabs = [*map(bytes.count, rows, repeat(_TAB))]
        if tabs.count(self._tabs) < len(rows):
            wrong = next(number for number in tabs if number != self._tabs)
            raise DumpDamaged(
                f"a row of {self._table} has {wrong + 1} values, {self._tabs + 1} needed",
                hint="pg_dump wrote something else than its COPY statement says. Nothing was "
                "published.",
            )
        part = bytes.rsplit if self._from_right else bytes.split
        parted = [*map(part, rows, repeat(_TAB), repeat(self._parts))]
        for name, place, new in self._steps:
            filled = [values for values in parted if values[place] != NULL]
            for values in filled:
                values[place] = new
            self.counts[name] += len(filled)
        return map(_TAB.join, parted)


def in_its_place(decision: Decision) -> bytes:
    """What stands where a value was, as COPY writes it."""
    return NULL if decision.rule == "null" else decision.text.translate(_ESCAPED).encode()
