"""What a dump that is there holds, and a policy would not let out. Never a value: only where."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ppr_assets.errors import DumpDamaged
from ppr_assets.plain_sql.parsing.grammar import pieces
from ppr_assets.plain_sql.parsing.pieces import NAME, CopyRows, Line, copied_columns, unquoted
from ppr_assets.plain_sql.withheld_values import NULL, in_its_place
from ppr_assets.rules.naming import quote_identifier, table_key
from ppr_assets.rules.publication_policy import LARGE_OBJECTS, Policy
from ppr_assets.rules.withholding import Column, Relation, plan

_TABLE = rb"(" + NAME + rb")\.(" + NAME + rb")"
_CREATED = re.compile(rb"CREATE (?:UNLOGGED )?TABLE " + _TABLE)
_INHERITS = re.compile(rb"^INHERITS \((.*)\)", re.MULTILINE)
_ATTACHED = re.compile(rb"ALTER TABLE (?:ONLY )?" + _TABLE + rb" ATTACH PARTITION " + _TABLE)
_NAMED = re.compile(_TABLE)
_LARGE_OBJECT = b"SELECT pg_catalog.lowrite("


@dataclass(frozen=True)
class Disallowed:
    """``rows`` that hold something in a table (``column`` is empty) or in a column of it, and what
    the policy says: its rule, or that it is undecided."""

    table: str
    column: str
    rule: str
    rows: int

    def __str__(self) -> str:
        name = f"{self.table}.{quote_identifier(self.column)}" if self.column else self.table
        what = "values" if self.column else "rows"
        return f"{self.rows} {what} of {name} ({self.rule})"


@dataclass
class _Tables:
    """The parents of each table, as the statements before the rows tell them."""

    parents: dict[str, list[str]] = field(default_factory=dict)
    _last: str = ""

    def line(self, line: bytes) -> None:
        if made := _CREATED.match(line):
            self._last = _key(made.group(1), made.group(2))
        elif (attached := _ATTACHED.match(line)) is not None:
            parent, child = _key(*attached.groups()[:2]), _key(*attached.groups()[2:])
            self.parents.setdefault(child, []).append(parent)
        elif inherits := _INHERITS.match(line):
            for schema, name in _NAMED.findall(inherits.group(1)):
                self.parents.setdefault(self._last, []).append(_key(schema, name))

    def relations(self, copy: CopyRows) -> Iterator[Relation]:
        yield Relation(
            copy.key,
            "table",
            tuple(Column(name, nullable=True) for name in copied_columns(copy.statement)),
            tuple(self.parents.get(copy.key, ())),
        )
        for key, parents in self.parents.items():
            if key != copy.key:
                yield Relation(key, "table", parents=tuple(parents))


def disallowed(
    chunks: Iterable[bytes], policies: Mapping[str, Policy]
) -> dict[str, list[Disallowed]]:
    """By the name of each policy. Rows of INSERT statements are not looked at, which neither
    pg_dump's default nor this project writes. Raises :class:`DumpDamaged` where it is not whole."""
    tables, found = _Tables(), {name: list[Disallowed]() for name in policies}
    large_objects = 0
    for piece in pieces(chunks):
        if isinstance(piece, CopyRows):
            judges = {name: _judge(piece, policy, tables) for name, policy in policies.items()}
            counts = _counted(piece, judges)
            for name, judge in judges.items():
                found[name] += judge.found(counts[name])
        elif isinstance(piece, Line):
            tables.line(piece.text)
            large_objects += piece.text.startswith(_LARGE_OBJECT)
    for name, policy in policies.items():
        if large_objects and LARGE_OBJECTS not in policy.tables:
            found[name].append(Disallowed(LARGE_OBJECTS, "", "undecided", large_objects))
    return found


@dataclass(frozen=True)
class _Judge:
    """``whole``: what is wrong with having rows at all; ``columns``: by place, what may stand there
    and what is wrong with anything else."""

    key: str
    names: list[str]
    whole: str = ""
    columns: Mapping[int, tuple[frozenset[bytes], str]] = field(default_factory=dict)

    def found(self, counts: Counter[int]) -> Iterator[Disallowed]:
        if self.whole and counts[-1]:
            yield Disallowed(self.key, "", self.whole, counts[-1])
        for place, (_, rule) in self.columns.items():
            if counts[place]:
                yield Disallowed(self.key, self.names[place], rule, counts[place])


def _judge(copy: CopyRows, policy: Policy, tables: _Tables) -> _Judge:
    names = copied_columns(copy.statement)
    planned = plan(policy, [*tables.relations(copy)])
    table = planned.tables[copy.key]
    unknown = [one for one in planned.unknown if one.table == copy.key]
    if any(one.column is None for one in unknown):
        return _Judge(copy.key, names, "undecided")
    if not table.rows:
        return _Judge(copy.key, names, "structure")
    columns = {
        names.index(one.column): (frozenset([NULL]), "undecided")
        for one in unknown
        if one.column is not None
    }
    for column, decision in table.changed.items():
        allowed = frozenset([NULL, in_its_place(decision)])
        columns[names.index(column)] = (allowed, decision.rule)
    return _Judge(copy.key, names, columns=columns)


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
            if len(values) != copy.columns:
                raise DumpDamaged(f"a row of {copy.key} has {len(values)} values")
            for name, judge in looked_at.items():
                for place, (allowed, _) in judge.columns.items():
                    counts[name][place] += values[place] not in allowed
    return counts


def _key(schema: bytes, name: bytes) -> str:
    return table_key(unquoted(schema), unquoted(name))
