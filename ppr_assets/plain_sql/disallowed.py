"""What a dump that is there holds, and a policy would not let out. Never a value: only where."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct, field

from ppr_assets.errors import DumpDamaged
from ppr_assets.plain_sql.parsing.grammar import pieces
from ppr_assets.plain_sql.parsing.inserted_rows import InsertedRows
from ppr_assets.plain_sql.parsing.pieces import (
    TABLE,
    CopyRows,
    Line,
    key_of,
)
from ppr_assets.plain_sql.withheld_values import NULL, in_its_place
from ppr_assets.rules.naming import column_name
from ppr_assets.rules.publication.planning import plan
from ppr_assets.rules.publication.policy import LARGE_OBJECTS, WHOLE, Policy
from ppr_assets.rules.publication.relations import Relation, RelationColumn

_CREATED = re.compile(
    rb"CREATE (?:UNLOGGED |FOREIGN )?TABLE " + TABLE + rb"(?: PARTITION OF " + TABLE + rb")?"
)
_INHERITS = re.compile(rb"^INHERITS \((.*)\)", re.MULTILINE)
_ATTACHED = re.compile(
    rb"ALTER TABLE (?:ONLY )?" + TABLE + rb" (ATTACH PARTITION|INHERIT) " + TABLE
)
_NAMED = re.compile(TABLE)
_LARGE_OBJECT = b"SELECT pg_catalog.lo_create("
_REMEMBERED = 64 * 1024
"""Bytes of a statement that are looked at for what it inserts."""


class Disallowed(Struct, frozen=True):
    """``rows`` that hold something in a table (``column`` is empty) or in a column of it, and what
    the policy says: its rule, or that it is undecided."""

    table: str
    column: str
    rule: str
    rows: int

    def __str__(self) -> str:
        name = column_name(self.table, self.column) if self.column else self.table
        what = "values" if self.column else "rows"
        return f"{self.rows} {what} of {name} ({self.rule})"


class _Tables(Struct):
    """The parents of each table, as the statements before the rows tell them; rows that come by
    INSERT, and large objects."""

    parents: dict[str, list[str]] = field(default_factory=dict)
    inserted: InsertedRows = field(default_factory=InsertedRows)
    large_objects: int = 0
    _last: str = ""
    _statement: bytearray = field(default_factory=bytearray)

    def line(self, line: Line) -> None:
        if line.between:
            return
        if line.begins:
            self._statement.clear()
            self._begins(line.text)
        elif inherits := None if line.quoted else _INHERITS.match(line.text):
            for schema, name in _NAMED.findall(inherits.group(1)):
                self._follows(self._last, key_of(schema, name))
        if len(self._statement) < _REMEMBERED:
            self._statement += line.text
        self.inserted.line(line)
        if line.ends:
            self.inserted.finished(bytes(self._statement))

    def _begins(self, line: bytes) -> None:
        self.large_objects += line.startswith(_LARGE_OBJECT)
        if made := _CREATED.match(line):
            self._last = key_of(made[1], made[2])
            if made[3]:
                self._follows(self._last, key_of(made[3], made[4]))
        elif attached := _ATTACHED.match(line):
            one, other = key_of(attached[1], attached[2]), key_of(attached[4], attached[5])
            self._follows(*((one, other) if attached[3] == b"INHERIT" else (other, one)))

    def _follows(self, child: str, parent: str) -> None:
        self.parents.setdefault(child, []).append(parent)

    def relations(self, table: str, columns: Iterable[str]) -> Iterator[Relation]:
        yield Relation(
            table,
            "table",
            tuple(RelationColumn(name, nullable=True) for name in columns),
            tuple(self.parents.get(table, ())),
        )
        for key, parents in self.parents.items():
            if key != table:
                yield Relation(key, "table", parents=tuple(parents))


def disallowed(
    chunks: Iterable[bytes], policies: Mapping[str, Policy]
) -> dict[str, list[Disallowed]]:
    """By the name of each policy. What INSERT brings is counted and not looked into, so each of its
    rows counts for each withheld column. Raises :class:`DumpDamaged` where it is not whole."""
    tables, found = _Tables(), {name: list[Disallowed]() for name in policies}
    for piece in pieces(chunks):
        if isinstance(piece, CopyRows):
            judges = {
                name: _judge(piece.key, piece.columns, policy, tables)
                for name, policy in policies.items()
            }
            counts = _counted(piece, judges)
            for name, judge in judges.items():
                found[name] += judge.found(counts[name])
        elif isinstance(piece, Line):
            tables.line(piece)
    unseen = {**tables.inserted.counts, LARGE_OBJECTS: tables.large_objects}
    for name, policy in policies.items():
        for key, rows in unseen.items():
            found[name] += _not_looked_into(key, rows, policy, tables)
    return found


def _not_looked_into(key: str, rows: int, policy: Policy, tables: _Tables) -> Iterator[Disallowed]:
    decided = {
        column: decision
        for table in (*tables.parents.get(key, ()), key)
        for column, decision in policy.tables.get(table, {}).items()
        if column != WHOLE
    }
    judge = _judge(key, [*decided], policy, tables)
    yield from judge.found(Counter(dict.fromkeys((-1, *judge.columns), rows)))


class _Judge(Struct, frozen=True):
    """``whole``: what is wrong with having rows at all; ``columns``: by place, what may stand there
    and what is wrong with anything else."""

    key: str
    names: Sequence[str]
    whole: str = ""
    columns: Mapping[int, tuple[frozenset[bytes], str]] = field(default_factory=dict)

    def found(self, counts: Counter[int]) -> Iterator[Disallowed]:
        if self.whole and counts[-1]:
            yield Disallowed(self.key, "", self.whole, counts[-1])
        for place, (_, rule) in self.columns.items():
            if counts[place]:
                yield Disallowed(self.key, self.names[place], rule, counts[place])


def _judge(key: str, names: Sequence[str], policy: Policy, tables: _Tables) -> _Judge:
    planned = plan(policy, [*tables.relations(key, names)])
    table = planned.tables[key]
    unknown = [one for one in planned.unknown if one.table == key]
    if any(one.column is None for one in unknown):
        return _Judge(key, names, "undecided")
    if not table.rows:
        return _Judge(key, names, "structure")
    columns = {
        names.index(one.column): (frozenset([NULL]), "undecided")
        for one in unknown
        if one.column is not None
    }
    for column, decision in table.changed.items():
        allowed = frozenset([NULL, in_its_place(decision)])
        columns[names.index(column)] = (allowed, decision.rule)
    return _Judge(key, names, columns=columns)


def _counted(copy: CopyRows, judges: Mapping[str, _Judge]) -> dict[str, Counter[int]]:
    """Rows at -1, and at each place that is judged those with something else than it may have."""
    counts = {name: Counter[int]() for name in judges}
    looked_at = {name: judge for name, judge in judges.items() if judge.columns}
    for chunk in copy.rows:
        rows = chunk.split(b"\n")[:-1]
        for name in judges:
            counts[name][-1] += len(rows)
        if not looked_at:
            continue
        for row in rows:
            values = row.split(b"\t")
            if len(values) != len(copy.columns):
                raise DumpDamaged(f"a row of {copy.key} has {len(values)} values")
            for name, judge in looked_at.items():
                for place, (allowed, _) in judge.columns.items():
                    counts[name][place] += values[place] not in allowed
    return counts
