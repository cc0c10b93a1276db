"""Where a text may have one of the forms that are searched for: at their triggers, all of which
Hyperscan's engine looks for at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from threading import Lock, Thread
from typing import NamedTuple

import hyperscan

from ppr_assets.plain_sql.escapes import HEX_IN_ROWS, bytes_of
from ppr_assets.rules.finds.all_kinds import KINDS
from ppr_assets.rules.finds.kind import RUN, FindKind

_BYTEA = rb"\\\\x[0-9a-f]{32}"
_ESCAPED = rb"\\u00(?:2[0134589a-fA-F]|3[0-9abdfABDF]|[4-7][0-9a-fA-F])"
"""What JSON need not escape and few do, so that it may hide a form. Many escape ``"&'<>``, which
hide none."""

_NOWHERE = (1, 0)
_compiling = Lock()


class Hit(NamedTuple):
    """``at``: a byte of a trigger, or of what hides one. ``number``: the place of its kind among
    those searched for, or that of :attr:`Triggers.escaped` or :attr:`Triggers.bytea`."""

    at: int
    number: int


class _Engines(NamedTuple):
    """``of_runs``: for what has a run of digits; None where no kind is searched for there."""

    of_all: hyperscan.Database
    of_runs: hyperscan.Database | None


class Triggers:
    """Those of ``kinds``; not for two threads at once."""

    def __init__(self, kinds: Sequence[FindKind]) -> None:
        self.escaped, self.bytea, self._run = range(len(kinds), len(kinds) + 3)
        self._all, self._runs = _engines(tuple(kinds))
        self._scratch = hyperscan.Scratch(self._all)
        self._scratch_of_runs = hyperscan.Scratch(self._runs) if self._runs else None

    def hits(self, text: bytes) -> list[Hit]:
        """One for each trigger in each value that has it, in no order; one alone for all bytea."""
        hits: list[Hit] = []
        seen: dict[int, tuple[int, int]] = {}

        def hit(number: int, _start: int, end: int, _flags: int, _context: object) -> None:
            first, last = seen.get(number, _NOWHERE)
            if not first <= end <= last:  # their order is not promised
                seen[number] = end, end_of_value(text, end - 1)
                hits.append(Hit(end - 1, number))

        self._all.scan(text, match_event_handler=hit, scratch=self._scratch)
        if self._run in seen:
            hits = [one for one in hits if one.number != self._run]
            if self._runs:
                self._runs.scan(text, match_event_handler=hit, scratch=self._scratch_of_runs)
        return hits

    def hits_in_rows(self, rows: bytes) -> list[Hit]:
        """The same in their order, with one for each bytea that has a trigger."""
        hits = self.hits(rows)
        if any(hit.number == self.bytea for hit in hits):
            hits = [hit for hit in hits if hit.number != self.bytea]
            hits += [Hit(at, self.bytea) for at in self._in_bytea(rows)]
        return sorted(hits)

    def _in_bytea(self, rows: bytes) -> Iterator[int]:
        """All of them are searched at once first, since a table of hashes has one in each row."""
        digits = b"0a".join(HEX_IN_ROWS.findall(rows))
        if not any(map(self.hits, bytes_of(digits))):
            return
        for written in HEX_IN_ROWS.finditer(rows):
            if any(map(self.hits, bytes_of(written[1]))):
                yield written.start()


def compile_ahead(kinds: Sequence[FindKind] = KINDS) -> None:
    """Begin, in a thread that nobody waits for at the end, what the first search needs."""
    Thread(target=_engines, args=(tuple(kinds),), daemon=True).start()


def end_of_value(text: bytes, at: int) -> int:
    """Of the one in a row that has the byte ``at``."""
    newline = text.find(b"\n", at)
    end = len(text) if newline < 0 else newline
    tab = text.find(b"\t", at, end)
    return end if tab < 0 else tab


def _engines(kinds: tuple[FindKind, ...]) -> _Engines:
    """They take a tenth of a second; a process that makes many dumps compiles once."""
    with _compiling:
        return _compiled(kinds)


@cache
def _compiled(kinds: tuple[FindKind, ...]) -> _Engines:
    triggers = [*(kind.trigger for kind in kinds), _ESCAPED, _BYTEA, RUN]
    # Of bytea and runs it is enough to know whether there are any: each row may have some.
    flags = [0] * (len(kinds) + 1) + [hyperscan.HS_FLAG_SINGLEMATCH] * 2
    in_runs = {place: kind.in_run for place, kind in enumerate(kinds) if kind.in_run}
    return _Engines(
        _database(dict(enumerate(triggers)), flags), _database(in_runs, 0) if in_runs else None
    )


def _database(triggers: Mapping[int, bytes], flags: Sequence[int] | int) -> hyperscan.Database:
    database = hyperscan.Database()
    database.compile(expressions=[*triggers.values()], ids=[*triggers], flags=flags)
    return database
