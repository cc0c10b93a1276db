"""Search the values of a dump for forms of secrets and of persons, on their way to the file.

Nearly no row holds any, so all bytes are searched for all triggers at once (``triggers``), and only
what they point at is read as a row: parted into its values, each taken as what it means, and looked
at again by the precise form. COPY escapes a value's tabs,
newlines and backslashes; JSON in it escapes once more; bytea is written in hexadecimal digits, also
in arrays, and may be UTF-16.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from msgspec import Struct, field

from ppr_assets.plain_sql.escapes import (
    HEX,
    HEX_IN_SQL,
    in_digits,
    meaning,
    with_quotes_once,
    without_copy_escapes,
    without_json_escapes,
)
from ppr_assets.plain_sql.parsing.grammar import pieces
from ppr_assets.plain_sql.parsing.pieces import NAME, CopyRows, Line, unquoted
from ppr_assets.plain_sql.triggers import Triggers, end_of_value
from ppr_assets.rules.finds.all_kinds import KINDS
from ppr_assets.rules.finds.judgement import Find, Finds, Spot
from ppr_assets.rules.finds.kind import FindKind

LISTED = 5
"""Secrets of one kind in one column that are listed; the others are counted."""

_KEY_SHOWN = 60
_LONGEST_SEARCHED = 1024 * 1024
"""Bytes of a statement that are searched at once; pg_dump cuts large objects into smaller ones."""

_STATEMENT = re.compile(rb"(?:[A-Z]+ )+(?:" + NAME + rb"\.)*" + NAME)
_LARGE_OBJECT = b"SELECT pg_catalog.lowrite("


class _Value(NamedTuple):
    """A value in a chunk of rows: where its row and it begin and end, and its column's place."""

    row: tuple[int, int]
    start: int
    end: int
    place: int


class _Statement(Struct):
    name: str
    text: bytearray = field(default_factory=bytearray)


class _Table(NamedTuple):
    """``primary_key``: the places of its columns."""

    key: str
    columns: Sequence[str]
    primary_key: Sequence[int]

    def column(self, place: int) -> str:
        """Its name; a damaged row may have more values than the table has columns."""
        return "".join(self.columns[place : place + 1]) or f"column {place + 1}"


class Scanner:
    """For one dump; not for two threads at once. ``primary_keys``: their columns, by table key, to
    tell rows by; the first column of other tables."""

    def __init__(
        self,
        primary_keys: Mapping[str, Sequence[str]] | None = None,
        *,
        kinds: Sequence[FindKind] = KINDS,
    ) -> None:
        self._kinds = kinds
        self._primary_keys = primary_keys or {}
        self._secrets: list[Find] = []
        self._values: Counter[Spot] = Counter()
        self._persons = {kind.name for kind in kinds if kind.person}
        self._statement = _Statement("")
        self._triggers = Triggers(kinds)

    def rows(self, table: str, columns: Sequence[str], chunks: Iterable[bytes]) -> Iterator[bytes]:
        """The same chunks of whole rows, each searched before it is given on. ``table`` is a
        table key, ``columns`` are those of its COPY statement."""
        names = [name for name in self._primary_keys.get(table, ()) if name in columns]
        found = _Table(table, columns, [columns.index(name) for name in names] or [0])
        named = [
            (place, kind)
            for kind in self._kinds
            for place, name in enumerate(columns)
            if kind.columns is not None and kind.columns.search(name)
        ]
        for chunk in chunks:
            self._search(found, chunk)
            if named:
                self._search_named(found, chunk, named)
            yield chunk

    def line(self, line: Line) -> None:
        """Take the lines of statements in their order, and search each statement as a whole.
        Function bodies, comments and defaults are published too, and so are the rows of INSERT
        statements, which are told without column and key."""
        if line.begins or line.between:
            self._search_statement()
            self._statement = _Statement(_name_of(line.text))
        self._statement.text += line.text
        if line.ends or len(self._statement.text) > _LONGEST_SEARCHED:
            self._search_statement()

    def _search_statement(self) -> None:
        statement, self._statement.text = bytes(self._statement.text), bytearray()
        told: set[str] = set()
        for piece in (statement, *in_digits(HEX_IN_SQL, statement)):
            meant = without_json_escapes(piece)
            for kind, text in self._worth_a_look(self._triggers.escaped, meant):
                if kind.name not in told and kind.found(text, ""):
                    told.add(kind.name)
                    name = self._statement.name
                    private = self._is_private(name.encode("utf-8", "replace"), "")
                    self._count(Find("a statement" if private else name, "", kind.name))

    @property
    def finds(self) -> Finds:
        """What was found up to now."""
        self._search_statement()
        unlisted = Counter(
            {spot: n for spot, n in self._values.items() if spot.kind not in self._persons}
        ) - Counter(find.spot for find in self._secrets)
        persons = {spot: n for spot, n in self._values.items() if spot.kind in self._persons}
        return Finds(tuple(self._secrets), dict(unlisted), persons)

    def _search(self, table: _Table, chunk: bytes) -> None:
        value, meant = _Value((0, 0), 0, 0, 0), b""
        judged: set[int] = set()
        told: set[str] = set()
        for at, number in self._triggers.hits_in_rows(chunk):
            if at >= value.end:
                value, judged, told = _value_at(chunk, at, value), set(), set()
                meant = meaning(chunk[value.start : value.end])
            if number in judged:
                continue
            judged.add(number)
            for kind, text in self._worth_a_look(number, meant):
                if kind.name not in told and kind.found(text, table.column(value.place)):
                    told.add(kind.name)
                    self._found(table, chunk[slice(*value.row)], value.place, kind)

    def _worth_a_look(self, number: int, meant: bytes) -> Iterator[tuple[FindKind, bytes]]:
        """A kind and the text that may have it; of what was encoded, all kinds whose triggers it
        has."""
        if number < len(self._kinds):
            yield from ((self._kinds[number], text) for text in with_quotes_once(meant))
            return
        for text in in_digits(HEX, meant) if number == self._triggers.bytea else [meant]:
            for one in {one for _, one in self._triggers.hits(text) if one < len(self._kinds)}:
                for other in with_quotes_once(without_json_escapes(text)):
                    yield self._kinds[one], other

    def _search_named(
        self, table: _Table, chunk: bytes, named: Sequence[tuple[int, FindKind]]
    ) -> None:
        """Look at each value of the columns whose names alone are reason enough."""
        for row in chunk.split(b"\n")[:-1]:
            values = row.split(b"\t")
            for place, kind in named:
                value = b"".join(values[place : place + 1])
                looked_at = re.search(kind.trigger, value) is not None
                if not looked_at and kind.found(meaning(value), table.column(place)):
                    self._found(table, row, place, kind)

    def _found(self, table: _Table, row: bytes, place: int, kind: FindKind) -> None:
        spot = Spot(table.key, table.column(place), kind.name)
        listed = not kind.person and self._listed(spot)
        self._count(Find(*spot, key=self._key(table, row.split(b"\t")) if listed else ""))

    def _listed(self, spot: Spot) -> bool:
        return self._values[spot] < LISTED

    def _count(self, find: Find) -> None:
        if find.kind not in self._persons and self._listed(find.spot):
            self._secrets.append(find)
        self._values[find.spot] += 1

    def _key(self, table: _Table, values: Sequence[bytes]) -> str:
        """A row's primary key in words; nothing of it that may be private itself."""
        shown = []
        for place in table.primary_key:
            value = without_copy_escapes(b"".join(values[place : place + 1]))
            private = self._is_private(value, table.column(place))
            shown.append(f"{table.column(place)}={'(withheld)' if private else _shown(value)}")
        return ", ".join(shown)

    def _is_private(self, value: bytes, column: str) -> bool:
        meant = without_json_escapes(value)
        return any(kind.found(meant, column) for kind in self._kinds)


def _value_at(chunk: bytes, at: int, before: _Value) -> _Value:
    """The value that has the byte ``at``; ``before`` is one that stands ahead of it."""
    start, end = before.row
    if at >= end:
        start, end = chunk.rfind(b"\n", 0, at) + 1, chunk.find(b"\n", at)
    left = chunk.rfind(b"\t", start, at) + 1 or start
    place = chunk.count(b"\t", start, left)
    return _Value((start, end), left, end_of_value(chunk, at), place)


def _shown(value: bytes) -> str:
    text = value.decode("utf-8", "replace")
    text = "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text)
    return text if len(text) <= _KEY_SHOWN else text[:_KEY_SHOWN] + "…"


def _name_of(statement: bytes) -> str:
    """Its first words up to a name, which are not values."""
    if statement.startswith(_LARGE_OBJECT):
        return "large objects"
    found = _STATEMENT.match(statement)
    return unquoted(found.group()) if found else "a statement"


def searched(chunks: Iterable[bytes]) -> Finds:
    """What is found in a dump that is there. Raises :class:`DumpDamaged` where it is not whole."""
    scanner = Scanner()
    for piece in pieces(chunks):
        if isinstance(piece, CopyRows):
            for _ in scanner.rows(piece.key, piece.columns, piece.rows):
                pass
        elif isinstance(piece, Line):
            scanner.line(piece)
    return scanner.finds
