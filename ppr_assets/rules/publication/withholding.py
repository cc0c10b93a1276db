"""What a policy means for a database: which tables and columns go out, how, and what is unknown.

How it comes to that stands in ``planning``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from msgspec import Struct, field

from ppr_assets.errors import PolicyRefused
from ppr_assets.rules.finds.decisions import FindDecisions
from ppr_assets.rules.naming import column_name
from ppr_assets.rules.publication.policy import (
    OF_TABLES,
    REPLACED_BY,
    WHOLE,
    Decision,
    Rule,
)
from ppr_assets.rules.wording import few, shell_word

_SHOWN = 20
_PROBLEMS = 5
_BARE = re.compile(r"[A-Za-z0-9_-]+")


class Unknown(Struct, frozen=True):
    """A table (``column`` is None) or a column that the policy does not name. ``rules``: those that
    can be kept of it, the most private first. ``follows``: another unknown table, with which it is
    decided on."""

    table: str
    column: str | None = None
    rules: Sequence[Rule] = OF_TABLES
    follows: str = ""

    @property
    def name(self) -> str:
        return self.table if self.column is None else column_name(self.table, self.column)

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


class Withheld(Struct, frozen=True):
    """What a dump lacks on purpose: all ``rows`` of a table (``column`` is empty), or the values
    that so many rows have in a column. ``text`` stands in the place of those that are replaced.
    ``rows`` is None where nobody counts them: a foreign table's, a materialized view's, and large
    objects."""

    table: str
    column: str
    rule: Rule
    rows: int | None
    text: str = ""

    @property
    def name(self) -> str:
        return column_name(self.table, self.column) if self.column else self.table

    def __str__(self) -> str:
        if not self.column:
            counted = "" if self.rows is None else f"{self.rows} "
            return f"{self.table} without its {counted}rows"
        how = "as NULL" if self.rule == "null" else "replaced"
        return f"{self.name} {how} in {self.rows} rows"


class TablePlan(Struct, frozen=True):
    """How a relation is published: ``rows`` False where none of them are, ``changed`` the columns
    whose values are not. ``columns``: those that somebody has decided on. ``counted``: the
    sequences of its published columns, ``uncounted`` those of what is withheld, which would tell
    how many rows there have been. ``countable``: it is a table, whose rows the gate counts."""

    rows: bool
    changed: Mapping[str, Decision]
    columns: frozenset[str] = frozenset()
    primary_key: tuple[str, ...] = ()
    counted: tuple[str, ...] = ()
    uncounted: tuple[str, ...] = ()
    countable: bool = True

    @property
    def withholds(self) -> bool:
        return not self.rows or bool(self.changed)


class Plan(Struct, frozen=True):
    """By table key. ``unknown`` and ``impossible`` (in words) stop a dump. ``policy``: the
    fingerprint of the policy that it is of; ``finds``: what it says of values that are found in
    what is published. ``listed``: of tables without rows, by key, the columns of which the
    definitions of partitions name values."""

    tables: Mapping[str, TablePlan]
    unknown: tuple[Unknown, ...] = ()
    impossible: tuple[str, ...] = ()
    policy: str = ""
    finds: FindDecisions = field(default_factory=FindDecisions)
    listed: Mapping[str, Sequence[str]] = field(default_factory=dict)

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
                found.append(
                    Withheld(key, "", "structure", counts.get(key, 0 if table.countable else None))
                )
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


def plan_lines(plan: Plan, file: object) -> Iterator[str]:
    """For a terminal and for the log of a run, line by line: all that would be withheld, that is
    unknown, and that cannot be kept; ``file`` decides."""
    for one in plan.withheld({}, {}):
        decision = plan.tables[one.table].changed.get(one.column)
        yield f"withheld: {one.name}: {said(decision) if decision else _all_rows(plan, one.table)}"
    for unknown in plan.to_decide:
        yield f"unknown: {unknown.name}: {unknown.choice}"
        yield f"         or in {file}: {unknown.line}"
    for problem in plan.impossible:
        yield f"cannot be kept: {problem}"


def _all_rows(plan: Plan, table: str) -> str:
    if not (columns := plan.listed.get(table)):
        return "all rows"
    names = ", ".join(column_name(table, column) for column in columns)
    return f"all rows, but the definitions of partitions name values of {names}"


def said(decision: Decision | None) -> str:
    """A rule in a word or two."""
    if decision is None:
        return "undecided"
    if decision.rule == "replaced":
        return f"replaced by `{decision.text}`"
    return decision.rule


def _toml(name: str) -> str:
    return name if _BARE.fullmatch(name) else json.dumps(name, ensure_ascii=False)
