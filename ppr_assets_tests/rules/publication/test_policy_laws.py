"""What holds of every policy and every database, whatever their tables and columns are called.

``make campaign`` tries many more than the suite.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

import tomlkit
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from ppr_assets.errors import PolicyUnreadable
from ppr_assets.operations.deciding.against_database import Wish, write_decision
from ppr_assets.rules.naming import table_key
from ppr_assets.rules.publication.planning import plan
from ppr_assets.rules.publication.policy import (
    OF_COLUMNS,
    OF_TABLES,
    WHOLE,
    Decision,
    Policy,
    parse_policy,
    shipped_policy,
)
from ppr_assets.rules.publication.relations import Reference, Relation, RelationColumn
from ppr_assets_tests.fix_campaign import Campaign

_few = settings(max_examples=40)

_TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)
_ODD = ['a"b', "a.b", "a\nb", "*", "[a]", "'", "#", "=", "\x7f", "\\u0041", "é☠", " ", "A"]
_NAMES = st.sampled_from(["a", "b", *_ODD])
_KEYS = st.builds(table_key, st.sampled_from(["public", "Web"]), _NAMES)
_COLUMN_NAMES = st.sampled_from(["x", "y", "z", *_ODD])

_RULES_OF_COLUMNS = st.builds(Decision, st.sampled_from(["public", "null"]), st.just(""), _TEXTS)
_REPLACED = st.builds(Decision, st.just("replaced"), _TEXTS, _TEXTS)
_SECTIONS = st.dictionaries(
    _COLUMN_NAMES.filter(lambda name: name != WHOLE),
    _RULES_OF_COLUMNS | _REPLACED,
    max_size=4,
).flatmap(
    lambda columns: st.sampled_from(
        [columns, *({**columns, WHOLE: Decision(rule)} for rule in OF_TABLES)]
    )
)
_POLICIES = st.builds(Policy, st.dictionaries(_KEYS, _SECTIONS.filter(bool), max_size=6))

_NULL = Decision("null")

_COLUMNS = st.lists(
    st.builds(
        RelationColumn,
        _COLUMN_NAMES,
        nullable=st.booleans(),
        computed=st.booleans(),
    ),
    max_size=4,
    unique_by=lambda one: one.name,
).map(tuple)


def _database(found: Sequence[tuple[str, tuple[RelationColumn, ...], int, bool]]) -> list[Relation]:
    """Each table may inherit from one before it, or be led to it by a foreign key."""
    relations: list[Relation] = []
    for key, columns, other, inherits in found:
        before = relations[other % len(relations)] if relations else None
        one = Relation(key, "table", columns)
        if before is not None and inherits:
            one = replace(one, parents=(before.key, *before.parents))
        elif before is not None and columns and before.columns:
            led = Reference("led", (columns[0].name,), before.key, (before.columns[0].name,))
            one = replace(one, references=(led,))
        relations.append(one)
    return relations


_DATABASES = st.lists(
    st.tuples(_KEYS, _COLUMNS, st.integers(0, 5), st.booleans()),
    max_size=6,
    unique_by=lambda one: one[0],
).map(_database)


def _may_go_out(policy: Policy, relation: Relation, column: str) -> bool:
    """Whether the nearest decision that there is on it says so."""
    for key in (relation.key, *relation.parents):
        decisions = policy.tables.get(key, {})
        if decisions.get(WHOLE, Decision("public")).rule == "structure":
            return False
        if column in decisions and column != WHOLE:
            return decisions[column].rule == "public"
    return False


@_few
@given(_POLICIES, _DATABASES)
@example(
    Policy({"a": {WHOLE: Decision("public")}}),
    [Relation("a", "table", (RelationColumn("*", True),))],
)
@example(
    Policy({"a": {WHOLE: Decision("structure"), "x": Decision("public")}, "b": {"y": _NULL}}),
    [Relation("b", "table", (RelationColumn("x", True), RelationColumn("y", True)), ("a",))],
)
def test_nothing_is_published_that_no_decision_names(
    policy: Policy, relations: list[Relation]
) -> None:
    found = plan(policy, relations)
    unknown = {(one.table, one.column) for one in found.unknown}
    for relation in relations:
        table = found.tables[relation.key]
        for column in relation.columns:
            goes_out = table.rows and column.name in table.columns
            if goes_out and column.name not in table.changed and not column.computed:
                assert _may_go_out(policy, relation, column.name)
            named = not table.rows or goes_out or column.computed
            told = {(relation.key, column.name), (relation.key, None)} & unknown
            assert named or told or (column.name == WHOLE and found.impossible)


@_few
@given(_POLICIES, _DATABASES, _KEYS, _SECTIONS.filter(bool))
def test_a_decision_changes_no_other_table(
    policy: Policy, relations: list[Relation], key: str, section: Mapping[str, Decision]
) -> None:
    before = plan(policy, relations)
    after = plan(policy.with_additions(Policy({key: section})), relations)
    for one in relations:
        if key not in (one.key, *one.parents):
            assert after.tables[one.key] == before.tables[one.key]
    others = {one.key for one in relations if key not in (one.key, *one.parents)}
    assert [one for one in after.unknown if one.table in others] == [
        one for one in before.unknown if one.table in others
    ]


def _decided(policy: Policy) -> Mapping[str, object]:
    return {
        key: {name: (one.rule, one.text) for name, one in section.items()}
        for key, section in policy.tables.items()
    }


@_few
@given(_POLICIES, _POLICIES)
def test_fingerprints_are_equal_where_decisions_are(one: Policy, other: Policy) -> None:
    assert (one.fingerprint == other.fingerprint) == (_decided(one) == _decided(other))
    silent = {
        key: {name: replace(one, reason="") for name, one in reversed([*section.items()])}
        for key, section in reversed([*one.tables.items()])
    }
    assert Policy(silent).fingerprint == one.fingerprint


@_few
@given(_POLICIES, _DATABASES)
def test_no_order_matters(policy: Policy, relations: list[Relation]) -> None:
    turned = Policy(
        {key: dict(reversed([*one.items()])) for key, one in reversed([*policy.tables.items()])}
    )
    found = plan(turned, relations[::-1])
    assert found.policy == policy.fingerprint
    expected = plan(policy, relations)
    assert (found.tables, found.unknown) == (expected.tables, expected.unknown)
    assert sorted(found.impossible) == sorted(expected.impossible)


_VALID = """\
[organization]
name = "public"
email = { rule = "replaced", text = "withheld", reason = "people's own" }

[change_audit]
"*" = { rule = "structure", reason = "who" }

[["allowed finds"]]
table = "service"
column = "url"
kind = "URL with a password"
reason = "a calendar"
"""
_DAMAGED = st.builds(
    lambda start, end, put: (_VALID[:start] + put + _VALID[start + end :]).encode(),
    st.integers(0, len(_VALID)),
    st.integers(0, 12) | st.integers(0, len(_VALID)),
    _TEXTS | st.sampled_from(["public", '"*" = "public"\n', "*", "[", "structure"]),
)


@settings(max_examples=150)
@given(st.binary() | _TEXTS.map(str.encode) | _DAMAGED)
def test_no_text_is_read_as_if_all_were_public(data: bytes) -> None:
    with suppress(PolicyUnreadable):
        policy = parse_policy(data, source="here.toml")
        names = {name for section in policy.tables.values() for name in section}
        new = next(name for name in ("new", "newer", "newest", "n") if name not in names)
        tables = [
            Relation(key, "table", (RelationColumn(new, True),)) for key in (new, *policy.tables)
        ]
        found = plan(policy, tables)
        for one in tables:
            table = found.tables[one.key]
            assert not table.rows or found.refusal is not None
            assert new not in table.columns


@_few
@given(
    _POLICIES,
    _KEYS,
    _COLUMN_NAMES.filter(lambda name: name != WHOLE) | st.none(),
    st.sampled_from([*OF_COLUMNS, "structure"]),
    _TEXTS,
    _TEXTS,
)
def test_a_decision_is_written_as_it_is_read(
    policy: Policy, key: str, column: str | None, rule: str, reason: str, text: str
) -> None:
    rules = OF_TABLES if column is None else OF_COLUMNS
    (wanted, *_) = [one for one in rules if one == rule] or rules
    document = tomlkit.parse(tomlkit.dumps(_as_written(policy)))
    relation = Relation(
        key, "table", (RelationColumn("x", True), RelationColumn(column or "y", True))
    )
    write_decision(document, relation, column, Wish("", wanted, reason, text))
    read = Policy.parse(tomlkit.dumps(document), source="here.toml")
    decision = read.tables[key][WHOLE if column is None else column]
    assert decision.rule == wanted and decision.reason == reason.strip()
    assert decision.text == (text if wanted == "replaced" else "")
    before = policy.tables.get(key, {})
    if column is not None and WHOLE in before and before[WHOLE].rule == "structure":
        assert [*read.tables[key]] == [column]
    for other, section in policy.tables.items():
        if other != key:
            assert read.tables[other] == _as_read(section)


def _as_written(policy: Policy) -> Mapping[str, object]:
    return {
        key: {name: one.to_toml() for name, one in section.items()}
        for key, section in policy.tables.items()
    }


def _as_read(section: Mapping[str, Decision]) -> Mapping[str, Decision]:
    return {name: replace(one, reason=one.reason.strip()) for name, one in section.items()}


def test_what_is_shipped_is_written_as_it_is_read() -> None:
    text = tomlkit.dumps(_as_written(shipped_policy()))
    assert Policy.parse(text, source="here.toml").tables == shipped_policy().tables


_LAWS: Sequence[Callable[[], None]] = (
    test_nothing_is_published_that_no_decision_names,
    test_a_decision_changes_no_other_table,
    test_fingerprints_are_equal_where_decisions_are,
    test_no_order_matters,
    test_no_text_is_read_as_if_all_were_public,
    test_a_decision_is_written_as_it_is_read,
)


def test_the_laws_go_on_holding(campaign: Campaign) -> None:
    campaign.examples(*_LAWS)
