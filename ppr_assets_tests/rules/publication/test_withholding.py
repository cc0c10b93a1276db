"""What a policy means for tables, and what stops a dump."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from ppr_assets.errors import PolicyRefused
from ppr_assets.rules.publication.planning import idle_decisions, plan
from ppr_assets.rules.publication.policy import Policy
from ppr_assets.rules.publication.relations import Reference, Relation, RelationColumn
from ppr_assets.rules.publication.withholding import TablePlan


def _policy(text: str) -> Policy:
    return Policy.parse(text, source="here.toml")


def _table(key: str, *columns: str, parents: tuple[str, ...] = ()) -> Relation:
    return Relation(
        key, "table", tuple(RelationColumn(one, nullable=True) for one in columns), parents
    )


def test_a_table_that_nobody_named_is_unknown_as_a_whole() -> None:
    found = plan(_policy(""), [_table("uploads", "name", "who")])
    assert [one.name for one in found.unknown] == ["uploads"]
    assert found.unknown[0].choice == (
        "`ppr-assets policy add uploads structure --reason …` (or public)"
    )


def test_a_column_that_nobody_named_is_unknown() -> None:
    found = plan(_policy("[t]\nname = 'public'"), [_table("t", "name", "who", "When")])
    assert [one.name for one in found.unknown] == ["t.who", 't."When"']
    with pytest.raises(PolicyRefused) as caught:
        found.require()
    assert caught.value.message == (
        'nobody has decided whether this may be published: t.who, t."When"'
    )
    assert caught.value.hint.startswith(
        "look at what it holds, then decide: "
        "`ppr-assets policy add t.who null --reason …` (or public, replaced)."
    )


def test_whole_tables_may_be_public_only_by_their_columns() -> None:
    found = plan(_policy("[t]\n'*' = 'public'\nname = 'public'"), [_table("t", "name", "new")])
    assert [one.name for one in found.unknown] == ["t.new"]


def test_a_table_without_rows_needs_no_columns() -> None:
    found = plan(_policy("[t]\n'*' = 'structure'"), [_table("t", "name", "who")])
    found.require()
    assert found.tables == {"t": TablePlan(rows=False, changed={})}


def test_computed_columns_need_no_decision() -> None:
    table = Relation("t", "table", (RelationColumn("twice", nullable=True, computed=True),))
    plan(_policy("[t]\nname = 'public'"), [table]).require()


def test_children_follow_their_parents_unless_named() -> None:
    policy = _policy(
        """
        [log]
        said = "public"
        who = "null"
        [log_of_may]
        more = "public"
        [log_of_june]
        "*" = "structure"
        """
    )
    found = plan(
        policy,
        [
            _table("log", "said", "who"),
            _table("log_of_may", "said", "who", "more", parents=("log",)),
            _table("log_of_june", "said", "who", parents=("log",)),
            _table("day", "said", "who", "more", "new", parents=("log_of_may",)),
        ],
    )
    assert [one.name for one in found.unknown] == ["day.new"]
    assert not found.tables["log_of_june"].rows
    assert [*found.tables["log_of_may"].changed] == ["who"]
    assert [*found.tables["day"].changed] == ["who"]


@pytest.mark.parametrize("parents", [("log", "seen"), ("seen", "log")])
@pytest.mark.parametrize(
    ("seen", "rule"),
    [("'*' = 'structure'", None), ("who = 'null'", "null"), ("who = 'public'", "public")],
)
def test_of_two_parents_the_most_private_decision_is_followed(
    parents: tuple[str, str], seen: str, rule: str | None
) -> None:
    policy = _policy(f"[log]\nsaid = 'public'\nwho = 'public'\n[seen]\n{seen}")
    tables = [_table("log", "said", "who"), _table("seen", "who")]
    heir = _table("heir", "said", "who", parents=parents)
    found = plan(policy, [*tables, heir, _table("below", "said", "who", parents=("heir",))])
    assert not found.unknown
    for table in (found.tables["heir"], found.tables["below"]):
        assert table.rows == (rule is not None)
        assert [one.rule for one in table.changed.values()] == ["null"] * (rule == "null")


def test_a_foreign_table_is_unknown_until_it_is_named_whatever_its_parent_is() -> None:
    child = replace(_table("far", "said", parents=("log",)), kind="foreign table")
    tables = [_table("log", "said"), child]
    log = "[log]\nsaid = 'public'\n"
    assert [one.name for one in plan(_policy(log), tables).unknown] == ["far"]
    assert plan(_policy(log + "[far]\n'*' = 'structure'"), tables).refusal is None


@pytest.mark.parametrize(
    ("column", "command"),
    [
        (RelationColumn("who", nullable=True), "null --reason …` (or public, replaced)"),
        (
            RelationColumn("who", nullable=True, takes_text=True),
            "null --reason …` (or replaced, public)",
        ),
        (
            RelationColumn("who", nullable=False, takes_text=True),
            "replaced --reason …` (or public)",
        ),
        (RelationColumn("who", nullable=False), "public --reason …` (or replaced)"),
    ],
)
def test_the_command_decides_for_the_most_private_that_can_be(
    column: RelationColumn, command: str
) -> None:
    table = Relation("t", "table", (RelationColumn("id", nullable=False), column))
    (unknown,) = plan(_policy("[t]\nid = 'public'"), [table]).unknown
    assert unknown.choice == f"`ppr-assets policy add t.who {command}"


def test_what_a_column_cannot_be_is_said_before_the_dump() -> None:
    table = Relation("t", "table", (RelationColumn("who", nullable=False),))
    found = plan(_policy("[t]\nwho = 'null'"), [table])
    assert found.impossible == ("t.who may not be NULL",)
    with pytest.raises(PolicyRefused, match=r"the publication policy cannot be kept: t\.who "):
        found.require()
    assert plan(_policy("[t]\nwho = {rule = 'replaced', text = 'x'}"), [table]).impossible == ()


def test_a_column_that_no_policy_can_name_is_said_to_be_that() -> None:
    table = Relation(
        "t", "table", (RelationColumn("id", nullable=False), RelationColumn("*", nullable=True))
    )
    found = plan(_policy("[t]\n'*' = 'public'\nid = 'public'"), [table])
    assert not found.unknown and "*" not in found.tables["t"].columns
    (said,) = found.impossible
    assert said.startswith('t."*" has the name that stands for a whole table in a policy: only ')
    assert plan(_policy("[t]\n'*' = 'structure'"), [table]).refusal is None


def test_a_refusal_of_much_is_short() -> None:
    columns = tuple(RelationColumn(f"c{n}", nullable=False) for n in range(9))
    lines = "\n".join(f"{one.name} = 'null'" for one in columns)
    found = plan(_policy(f"[t]\n{lines}"), [Relation("t", "table", columns)])
    with pytest.raises(PolicyRefused) as caught:
        found.require()
    assert caught.value.message.endswith(
        "; t.c4 may not be NULL; and 4 more, which `ppr-assets policy check` shows"
    )


def test_partitions_of_what_is_unknown_are_decided_with_it() -> None:
    tables = [
        _table("log", "said"),
        _table("a_day", "said", parents=("log_of_may",)),
        _table("log_of_may", "said", parents=("log",)),
        replace(_table("elsewhere", "said", parents=("log",)), kind="foreign table"),
    ]
    found = plan(_policy(""), tables)
    assert [one.name for one in found.unknown] == ["a_day", "elsewhere", "log", "log_of_may"]
    assert [one.name for one in found.to_decide] == ["elsewhere", "log"]
    assert found.refusal is not None and found.refusal.message.endswith(": elsewhere, log")
    assert not plan(_policy("[log]\nsaid = 'public'"), tables[:3]).unknown


def test_what_is_withheld_and_not_there_is_named() -> None:
    policy = _policy(
        """
        [t]
        who = "null"
        wo = "null"
        "old name" = { rule = "replaced", text = "x" }
        gone = "public"
        [visit]
        "*" = "structure"
        [seen]
        day = "public"
        """
    )
    found = idle_decisions(policy, [_table("t", "who"), _table("visits", "day")])
    assert [*found] == ["t.wo", 't."old name"', "visit"]


def test_a_materialized_view_is_published_whole_or_not_at_all() -> None:
    view = replace(_table("v", "who"), kind="materialized view")
    found = plan(_policy("[v]\nwho = 'null'"), [view])
    assert found.impossible == (
        "v is a materialized view, whose columns are computed: only `structure`",
    )


_KEYS = "[key]\nid = 'public'\n"


@pytest.mark.parametrize(
    ("policy", "full", "problem"),
    [
        (_KEYS + "[t]\na = 'public'\nb = 'public'", False, None),
        ("[key]\n'*' = 'structure'\n[t]\na = 'null'\nb = 'public'", False, None),
        ("[key]\n'*' = 'structure'\n[t]\na = 'null'\nb = 'null'", True, None),
        ("[key]\n'*' = 'structure'\n[t]\nb = 'public'", False, None),
        ("[key]\n'*' = 'structure'\n[t]\n'*' = 'structure'", False, None),
        (
            "[key]\n'*' = 'structure'\n[t]\na = 'public'\nb = 'public'",
            False,
            "foreign key led of t leads to key, whose rows are withheld (t.a can be null)",
        ),
        (
            "[key]\n'*' = 'structure'\n[t]\na = 'public'\nb = 'public'",
            True,
            "foreign key led of t leads to key, whose rows are withheld (t.a, t.b can be null)",
        ),
        (
            "[key]\nid = 'null'\n[t]\na = 'public'\nb = 'public'",
            False,
            "foreign key led of t leads to columns of key whose values are withheld",
        ),
        (
            _KEYS + "[t]\na = {rule = 'replaced', text = 'x'}\nb = 'public'",
            False,
            "foreign key led of t would lead to a row that is not there",
        ),
        (
            _KEYS + "[t]\na = 'null'\nb = 'public'",
            True,
            "foreign key led of t is MATCH FULL: its columns are NULL together, or none of them",
        ),
    ],
)
def test_foreign_keys_that_would_not_restore(policy: str, full: bool, problem: str | None) -> None:
    led = Reference("led", ("a", "b"), "key", ("id", "id"), full=full)
    tables = [_table("key", "id"), replace(_table("t", "a", "b"), references=(led,))]
    assert plan(_policy(policy), tables).impossible == ((problem,) if problem else ())


_NAMES = st.sampled_from(["a", "b", "c"])
_RELATIONS = st.lists(
    st.builds(
        lambda key, columns, parents: _table(key, *columns, parents=tuple(parents)),
        _NAMES,
        st.sets(st.sampled_from(["x", "y", "z"])),
        st.lists(_NAMES, max_size=2),
    ),
    unique_by=lambda one: one.key,
)
_POLICIES = st.dictionaries(
    _NAMES,
    st.dictionaries(
        st.sampled_from(["x", "y"]), st.sampled_from(["'public'", "'null'"]), min_size=1
    ).map(lambda lines: "\n".join(f"{name} = {rule}" for name, rule in lines.items()))
    | st.just("'*' = 'structure'"),
).map(lambda tables: "\n".join(f"[{name}]\n{lines}" for name, lines in tables.items()))


@given(_POLICIES, _RELATIONS)
def test_no_column_goes_out_that_no_line_names(text: str, relations: list[Relation]) -> None:
    policy = _policy(text)
    found = plan(policy, relations)
    unknown = {(one.table, one.column) for one in found.unknown}
    named = {(table, column) for table, lines in policy.tables.items() for column in lines}
    for relation in relations:  # parents in a circle, too, which no database has
        if found.tables[relation.key].rows and (relation.key, None) not in unknown:
            for column in relation.columns:
                lineage = {relation.key, *relation.parents, "a", "b", "c"}
                assert (relation.key, column.name) in unknown or any(
                    (one, column.name) in named for one in lineage
                )


@given(_POLICIES, _RELATIONS)
def test_the_order_in_which_tables_are_met_does_not_matter(
    text: str, relations: list[Relation]
) -> None:
    policy = _policy(text)
    assert plan(policy, relations) == plan(policy, relations[::-1])
