"""Hold a database to a policy: what of it is published, what nobody has decided, what cannot be."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from ppr_assets.rules.naming import column_name, quote_identifier
from ppr_assets.rules.publication.policy import WHOLE, Decisions, Policy, Rule, joined, of_columns
from ppr_assets.rules.publication.relations import Reference, Relation, RelationColumn
from ppr_assets.rules.publication.withholding import Plan, TablePlan, Unknown
from ppr_assets.rules.wording import few

_SHOWN = 20


def plan(policy: Policy, relations: Collection[Relation]) -> Plan:
    """Hold each of ``relations`` to ``policy``; children follow what is decided of their parents
    unless they are named themselves, which foreign tables have to be."""
    by_key = {one.key: one for one in relations}
    decided = _Decided(policy, by_key)
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
    listed = {
        one.key if tables[one.parents[0]].rows else one.parents[0]: one.listed
        for one in by_key.values()
        if one.listed and one.parents and not tables[one.key].rows
    }
    return Plan(tables, tuple(unknown), tuple(impossible), policy.fingerprint, policy.finds, listed)


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
                yield column_name(table, name)


class _Decided(dict[str, Decisions]):
    """By table key, what is decided of each with what it follows, worked out when it is asked for;
    of several parents the most private."""

    def __init__(self, policy: Policy, by_key: Mapping[str, Relation]) -> None:
        self._policy = policy
        self._by_key = by_key

    def __missing__(self, key: str) -> Decisions:
        own = self[key] = self._policy.tables.get(key, {})  # also for a circle, which is no table's
        relation = self._by_key.get(key)
        if relation is not None and relation.kind != "foreign table":
            above: Decisions = {}
            for parent in relation.parents:
                above = _most_private(above, self[parent])
            self[key] = joined(above, own)
        return self[key]


def _most_private(one: Decisions, other: Decisions) -> Decisions:
    if not one or not other:
        return one or other
    if without := next((found for found in (one, other) if not _has_rows(found)), None):
        return without
    return {
        **one,
        **other,
        **{name: found for name, found in one.items() if found.rule != "public"},
    }


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
            if column.name not in {*decided, WHOLE} and not column.computed:
                yield Unknown(relation.key, column.name, _possible(relation, column))


def _possible(relation: Relation, column: RelationColumn) -> Sequence[Rule]:
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
        is_table = relation.kind == "table"
        return TablePlan(rows=False, changed={}, uncounted=uncounted, countable=is_table)
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
    if plan.rows and WHOLE in columns and not columns[WHOLE].computed:
        yield (
            f'{relation.key}."{WHOLE}" has the name that stands for a whole table in a policy: '
            "only another name, or the table without its rows"
        )
    if plan.changed and relation.kind == "materialized view":
        yield f"{relation.key} is a materialized view, whose columns are computed: only `structure`"
        return
    for name, decision in plan.changed.items():
        if decision.rule == "null" and not columns[name].nullable:
            yield f"{column_name(relation.key, name)} may not be NULL"


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
        called = f"foreign key {quote_identifier(one.name)} of {relation.key}"
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
        return f"{column_name(relation.key, ours[0])} can be null"
    if len(ours) == len(reference.columns):
        named = [column_name(relation.key, one) for one in ours]
        return f"{few(named, _SHOWN)} can be null"
    theirs = few([*dict.fromkeys(map(quote_identifier, reference.target_columns))], _SHOWN)
    return f"{relation.key} can be structure too, or of {reference.target} only {theirs} public"
