"""What a policy means for a database: which tables and columns go out, how, and what is unknown."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from ppr_assets.errors import PolicyRefused
from ppr_assets.rules.finds.decisions import FindDecisions
from ppr_assets.rules.naming import quote_identifier
from ppr_assets.rules.publication.policy import (
    OF_TABLES,
    REPLACED_BY,
    WHOLE,
    Decision,
    Decisions,
    Policy,
    Rule,
    joined,
    of_columns,
)
from ppr_assets.rules.wording import few, shell_word

_SHOWN = 20
_PROBLEMS = 5
_BARE = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class Column:
    """``computed``: generated from other columns, and in no dump. ``takes_text``: by its type and
    its keys, any text may stand for all its values."""

    name: str
    nullable: bool
    computed: bool = False
    takes_text: bool = False


@dataclass(frozen=True)
class Reference:
    """A foreign key ``name``: ``columns`` lead to ``target_columns`` of the table ``target``.
    ``full``: MATCH FULL, which holds a row of which only some are NULL."""

    name: str
    columns: tuple[str, ...]
    target: str
    target_columns: tuple[str, ...]
    full: bool = False


@dataclass(frozen=True)
class Relation:
    """What holds rows: a table or partition, a materialized view, or a foreign table; by its table
    key, with those that it inherits from, the nearest first. ``sequences``: those that its columns
    count with, by key, each with its column. The large objects are one of the kind of their own,
    without columns."""

    key: str
    kind: Literal["table", "materialized view", "foreign table", "large objects"]
    columns: tuple[Column, ...] = ()
    parents: tuple[str, ...] = ()
    references: tuple[Reference, ...] = ()
    primary_key: tuple[str, ...] = ()
    sequences: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Unknown:
    """A table (``column`` is None) or a column that the policy does not name. ``rules``: those that
    can be kept of it, the most private first. ``follows``: another unknown table, with which it is
    decided on."""

    table: str
    column: str | None = None
    rules: Sequence[Rule] = OF_TABLES
    follows: str = ""

    @property
    def name(self) -> str:
        return self.table if self.column is None else f"{self.table}.{_quoted(self.column)}"

    @property
    def command(self) -> str:
        """What a shell takes as it is, deciding for the most private rule."""
        return f"ppr-assets policy add {shell_word(self.name)} {self.rules[0]} --reason …"

    @property
    def choice(self) -> str:
        """The command, and the other rules that a human may choose."""
        others = ", ".join(self.rules[1:])
        return f"`{self.command}`{f' (or {others})' if others else ''}"

    @property
    def line(self) -> str:
        """What decides it in a policy file, and below which section it stands."""
        name = WHOLE if self.column is None else self.column
        rule = self.rules[0]
        value = f'{{ rule = "{rule}", text = "{REPLACED_BY}" }}'
        decision = value if rule == "replaced" else f'"{rule}"'
        return f"{_toml(name)} = {decision} below [{_toml(self.table)}]"


@dataclass(frozen=True)
class Withheld:
    """What a dump lacks on purpose: all ``rows`` of a table (``column`` is empty), or the values
    that so many rows have in a column. ``text`` stands in the place of those that are replaced."""

    table: str
    column: str
    rule: Rule
    rows: int
    text: str = ""

    @property
    def name(self) -> str:
        return f"{self.table}.{_quoted(self.column)}" if self.column else self.table

    def __str__(self) -> str:
        if not self.column:
            return f"{self.table} without its {self.rows} rows"
        how = "as NULL" if self.rule == "null" else "replaced"
        return f"{self.name} {how} in {self.rows} rows"


@dataclass(frozen=True)
class TablePlan:
    """How a relation is published: ``rows`` False where none of them are, ``changed`` the columns
    whose values are not. ``columns``: those that somebody has decided on. ``counted``: the
    sequences of its published columns, ``uncounted`` those of what is withheld, which would tell
    how many rows there have been."""

    rows: bool
    changed: Mapping[str, Decision]
    columns: frozenset[str] = frozenset()
    primary_key: tuple[str, ...] = ()
    counted: tuple[str, ...] = ()
    uncounted: tuple[str, ...] = ()

    @property
    def withholds(self) -> bool:
        return not self.rows or bool(self.changed)


@dataclass(frozen=True)
class Plan:
    """By table key. ``unknown`` and ``impossible`` (in words) stop a dump. ``policy``: the
    fingerprint of the policy that it is of; ``finds``: what it says of values that are found in
    what is published."""

    tables: Mapping[str, TablePlan]
    unknown: tuple[Unknown, ...] = ()
    impossible: tuple[str, ...] = ()
    policy: str = ""
    finds: FindDecisions = field(default_factory=FindDecisions)

    @property
    def to_decide(self) -> Sequence[Unknown]:
        """What is unknown, without the partitions and inheriting tables of what is."""
        return [one for one in self.unknown if not one.follows]

    @property
    def without_rows(self) -> list[str]:
        """Tables of which only the definition is published, by key."""
        return [key for key, table in self.tables.items() if not table.rows]

    @property
    def without_values(self) -> list[str]:
        """Sequences of which only the definition is published, by key. A restored database goes on
        from those that a published column counts with too."""
        tables = self.tables.values()
        counted = {sequence for table in tables for sequence in table.counted}
        return sorted({one for table in tables for one in table.uncounted} - counted)

    @property
    def withholding(self) -> Mapping[str, Collection[str]]:
        """The columns that are withheld of each table, by key; none where all rows are."""
        return {key: [*table.changed] for key, table in self.tables.items() if table.withholds}

    def withheld(
        self, counts: Mapping[str, int], values: Mapping[tuple[str, str], int]
    ) -> tuple[Withheld, ...]:
        """What a dump lacks: ``counts`` of rows by table as they are in the database, and how many
        ``values`` were taken out by table and column."""
        found = []
        for key, table in sorted(self.tables.items()):
            if not table.rows:
                found.append(Withheld(key, "", "structure", counts.get(key, 0)))
            found += [
                Withheld(key, column, decision.rule, values.get((key, column), 0), decision.text)
                for column, decision in sorted(table.changed.items())
            ]
        return tuple(found)

    def require(self) -> None:
        """Raise :class:`PolicyRefused` where something is unknown or cannot be done."""
        if self.refusal is not None:
            raise self.refusal

    @property
    def refusal(self) -> PolicyRefused | None:
        """Why nothing is published by this plan; None where it holds."""
        if self.unknown:
            names = few([one.name for one in self.to_decide], _SHOWN)
            return PolicyRefused(
                f"nobody has decided whether this may be published: {names}",
                hint=f"look at what it holds, then decide: {self.to_decide[0].choice}. Until then "
                "no dump is made; `ppr-assets policy check` shows all of them.",
            )
        if self.impossible:
            problems = few(
                self.impossible,
                _PROBLEMS,
                between="; ",
                rest="; and {} more, which `ppr-assets policy check` shows",
            )
            return PolicyRefused(
                f"the publication policy cannot be kept: {problems}",
                hint="choose another rule for the column (`ppr-assets policy add TABLE.COLUMN "
                "null --reason …`, or public, or replaced with another --text), publish the table "
                "without its rows (`ppr-assets policy add TABLE structure --reason …`), or change "
                "the database.",
            )
        return None


def plan(policy: Policy, relations: Collection[Relation]) -> Plan:
    """Hold each of ``relations`` to ``policy``; children follow what is decided of their parents
    unless they are named themselves, which foreign tables have to be."""
    by_key = {one.key: one for one in relations}
    decided = {key: _decided(policy, one, by_key) for key, one in by_key.items()}
    unknown = [
        one
        for key in sorted(by_key)
        for one in _unknown(by_key[key], decided[key], _followed(by_key[key], by_key))
    ]
    tables = {key: _table_plan(by_key[key], decided[key]) for key in by_key}
    impossible = [
        problem
        for key in sorted(by_key)
        if decided[key]
        for problem in (
            *_not_possible(by_key[key], tables[key]),
            *_broken_references(by_key[key], tables),
        )
    ]
    return Plan(tables, tuple(unknown), tuple(impossible), policy.fingerprint, policy.finds)


def idle_decisions(added: Policy, relations: Collection[Relation]) -> Iterator[str]:
    """What it would withhold and is not among ``relations``: misspelt, renamed, or yet to come."""
    there = {one.key: {column.name for column in one.columns} for one in relations}
    for table, decisions in sorted(added.tables.items()):
        withheld = [name for name, one in decisions.items() if one.rule != "public"]
        if table not in there:
            yield from [table] if withheld else []
            continue
        for name in withheld:
            if name != WHOLE and name not in there[table]:
                yield f"{table}.{_quoted(name)}"


def _decided(policy: Policy, relation: Relation, by_key: Mapping[str, Relation]) -> Decisions:
    found: Decisions = {}
    for ancestor in reversed(_followed(relation, by_key)):
        found = joined(found, policy.tables.get(ancestor, {}))
    return joined(found, policy.tables.get(relation.key, {}))


def _followed(relation: Relation, by_key: Mapping[str, Relation]) -> Sequence[str]:
    """Its ancestors, nearest first; each once, also where two roads lead to it."""
    if relation.kind == "foreign table":
        return ()
    found: dict[str, None] = {}
    ahead = list(relation.parents)
    while ahead:
        key = ahead.pop(0)
        if key not in found:
            found[key] = None
            ahead += by_key[key].parents if key in by_key else ()
    return [*found]


def _unknown(
    relation: Relation, decisions: Decisions, followed: Sequence[str]
) -> Iterator[Unknown]:
    if not decisions:
        yield Unknown(relation.key, follows=followed[-1] if followed else "")
    elif _has_rows(decisions):
        decided = of_columns(decisions)
        for column in relation.columns:
            if column.name not in decided and not column.computed:
                yield Unknown(relation.key, column.name, _possible(relation, column))


def _possible(relation: Relation, column: Column) -> Sequence[Rule]:
    if relation.kind == "materialized view":
        return ("public",)
    private: list[Rule] = ["null"] if column.nullable else []
    if column.takes_text:
        return (*private, "replaced", "public")
    return (*private, "public", "replaced")


def _has_rows(decisions: Decisions) -> bool:
    return WHOLE not in decisions or decisions[WHOLE].rule == "public"


def _table_plan(relation: Relation, decisions: Decisions) -> TablePlan:
    if not _has_rows(decisions):
        uncounted = tuple(sequence for sequence, _ in relation.sequences)
        return TablePlan(rows=False, changed={}, uncounted=uncounted)
    decided = of_columns(decisions)
    columns = [one for one in relation.columns if one.name in decided]
    changed = {
        one.name: decided[one.name]
        for one in columns
        if not one.computed and decided[one.name].rule != "public"
    }
    names = frozenset(one.name for one in columns)
    uncounted = tuple(sequence for sequence, column in relation.sequences if column in changed)
    counted = tuple(sequence for sequence, column in relation.sequences if column not in changed)
    return TablePlan(True, changed, names, relation.primary_key, counted, uncounted)


def _not_possible(relation: Relation, plan: TablePlan) -> Iterator[str]:
    columns = {column.name: column for column in relation.columns}
    if plan.changed and relation.kind == "materialized view":
        yield f"{relation.key} is a materialized view, whose columns are computed: only `structure`"
        return
    for name, decision in plan.changed.items():
        if decision.rule == "null" and not columns[name].nullable:
            yield f"{relation.key}.{_quoted(name)} may not be NULL"


def _broken_references(relation: Relation, plans: Mapping[str, TablePlan]) -> Iterator[str]:
    """Foreign keys whose rows would be published without those that they lead to."""
    plan = plans[relation.key]
    if not plan.rows:
        return
    undecided = {one.name for one in relation.columns if not one.computed} - plan.columns
    for one in relation.references:
        if undecided & set(one.columns):
            continue  # which may come to lead nowhere
        ours = [plan.changed[name].rule for name in one.columns if name in plan.changed]
        target = plans.get(one.target)
        called = f"foreign key {_quoted(one.name)} of {relation.key}"
        if "null" in ours and (not one.full or ours == ["null"] * len(one.columns)):
            continue  # it leads nowhere then, and is not held
        if ours and one.full:
            yield f"{called} is MATCH FULL: its columns are NULL together, or none of them"
        elif "replaced" in ours:
            yield f"{called} would lead to a row that is not there"
        elif target is not None and not target.rows:
            way_out = _way_out(relation, one)
            yield f"{called} leads to {one.target}, whose rows are withheld ({way_out})"
        elif target is not None and target.changed.keys() & set(one.target_columns):
            yield f"{called} leads to columns of {one.target} whose values are withheld"


def _way_out(relation: Relation, reference: Reference) -> str:
    """What would let it lead to rows that are withheld."""
    nullable = {column.name for column in relation.columns if column.nullable}
    ours = [name for name in reference.columns if name in nullable]
    if ours and not reference.full:
        return f"{relation.key}.{_quoted(ours[0])} can be null"
    if len(ours) == len(reference.columns):
        return f"{few([f'{relation.key}.{_quoted(one)}' for one in ours], _SHOWN)} can be null"
    theirs = few([*dict.fromkeys(map(_quoted, reference.target_columns))], _SHOWN)
    return f"{relation.key} can be structure too, or of {reference.target} only {theirs} public"


def _toml(name: str) -> str:
    return name if _BARE.fullmatch(name) else json.dumps(name, ensure_ascii=False)


def _quoted(name: str) -> str:
    return quote_identifier(name)
