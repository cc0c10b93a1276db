"""The publication policy: read strictly, joined so that nothing is opened by the way."""

from __future__ import annotations

from contextlib import suppress

import pytest
import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from ppr_assets.errors import PolicyUnreadable
from ppr_assets.rules.publication.policy import (
    OF_COLUMNS,
    OF_TABLES,
    WHOLE,
    Decision,
    Policy,
    joined,
    parse_policy,
    shipped_policy,
)


def _parse(text: str) -> Policy:
    return Policy.parse(text, source="here.toml")


def test_a_policy_is_read_line_by_line() -> None:
    policy = _parse(
        """
        [organization]
        name = "public"
        updated_by = "null"
        email = { rule = "replaced", text = "withheld", reason = " people's own " }

        ['"Odd".table']
        "*" = "structure"
        """
    )
    assert policy.tables == {
        "organization": {
            "name": Decision("public"),
            "updated_by": Decision("null"),
            "email": Decision("replaced", "withheld", "people's own"),
        },
        '"Odd".table': {WHOLE: Decision("structure")},
    }


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[organization", "it is not TOML: "),
        ("organization = 'public'", "`organization` must be a section with a line for each column"),
        ("[organization]", "`organization` must be a section with a line for each column"),
        ("[t]\nname = 'open'", "`t.name` has the rule 'open', must be public, null or replaced"),
        ("[t]\nname = 'structure'", "`t.name` has the rule 'structure', must be public, null or"),
        ("[t]\n'*' = 'null'", "`t` has the rule 'null', must be structure or public"),
        ("[t]\nname = true", "`t.name` must be a rule, or a table of rule, text and reason"),
        (
            "[t]\nname = {rule = ['public']}",
            "`t.name` must be a rule, or a table of rule, text and",
        ),
        ("[t]\nname = {reason = 'why'}", "`t.name` has the rule None, must be public, null or"),
        (
            "[t]\nname = {rule = 'null', note = 'x'}",
            "`t.name` has `note`, must have rule, text and",
        ),
        ("[t]\nname = 'replaced'", "`t.name` must have a text exactly where it is replaced"),
        (
            "[t]\nname = {rule = 'null', text = 'x'}",
            "`t.name` must have a text exactly where it is",
        ),
        ("[t]\nname = 'public'\nname = 'null'", "it is not TOML: "),
        ("\0", "it is not TOML: "),
        (f"[t]\na = {'{a=' * 3000}", "its tables or lists are nested too deeply"),
    ],
)
def test_what_is_damaged_is_never_read_as_something_else(text: str, problem: str) -> None:
    with pytest.raises(PolicyUnreadable) as caught:
        _parse(text)
    assert f"the publication policy `here.toml` cannot be read: {problem}" in caught.value.message
    assert caught.value.exit_code == 8


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "it is empty; one that decides nothing says so in a comment"),
        (b" \r\n", "it is empty; "),
        (b"\xef\xbb\xbf[t]\nname = 'null'\n", "it begins with a byte order mark; "),
        (b"version https://git-lfs.github.com/spec/v1\noid", "it is a Git LFS pointer, "),
        (b"[t]\n<<<<<<< HEAD\nname = 'null'\n=======\n", "git has left conflict markers in it"),
        (b"[t]\nname = 'null' # caf\xe9\n", "it is not UTF-8"),
    ],
)
def test_what_became_of_a_file_by_accident_is_named(data: bytes, problem: str) -> None:
    with pytest.raises(PolicyUnreadable) as caught:
        parse_policy(data, source="here.toml")
    assert caught.value.message.startswith(
        f"the publication policy `here.toml` cannot be read: {problem}"
    )


def test_a_file_that_is_cut_off_decides_nothing_otherwise() -> None:
    """Wherever it ends, it cannot be read, or says less: what it does not say is not public."""
    whole = (
        b'[t]\nname = "null"\nemail = { rule = "replaced", text = "x" }\n[u]\n"*" = "structure"\n'
    )
    every = Policy.parse(whole.decode(), source="whole").tables
    assert parse_policy(whole.replace(b"\n", b"\r\n"), source="CR LF").tables == every
    for end in range(len(whole)):
        with suppress(PolicyUnreadable):
            found = parse_policy(whole[:end], source="cut off").tables
            assert all(found[table].items() <= every[table].items() for table in found), end


_DECISIONS = st.builds(Decision, st.sampled_from(OF_COLUMNS))
_TABLES = st.dictionaries(st.sampled_from("abc"), _DECISIONS, max_size=3).flatmap(
    lambda columns: st.sampled_from(
        [columns, *({**columns, WHOLE: Decision(rule)} for rule in OF_TABLES)]
    )
)


@given(_TABLES, _TABLES)
def test_a_later_decision_wins_and_opens_nothing_else(
    under: dict[str, Decision], over: dict[str, Decision]
) -> None:
    both = joined(under, over)
    for name, decision in both.items():
        assert decision == over.get(name, under.get(name))
    assert over.items() <= both.items()
    closed = over.get(WHOLE, under.get(WHOLE) if not over else None)
    if closed == Decision("structure"):
        assert both.get(WHOLE) == closed


def test_a_table_that_is_opened_by_columns_has_these_alone() -> None:
    closed = Policy({"t": {WHOLE: Decision("structure")}})
    opened = closed.with_additions(Policy({"t": {"name": Decision("public")}}))
    assert opened.tables == {"t": {"name": Decision("public")}}


def test_additions_leave_other_tables_as_they_were() -> None:
    shipped = shipped_policy()
    policy = shipped.with_additions(Policy({"other": {"name": Decision("public")}}))
    assert policy.tables == {**shipped.tables, "other": {"name": Decision("public")}}


def test_what_is_shipped_keeps_people_and_keys_back() -> None:
    shipped = shipped_policy().tables
    assert shipped["change_audit"][WHOLE].rule == "structure"
    assert shipped["metadata"]["updated_by"].rule == "replaced"
    for table, decisions in shipped.items():
        for column, decision in decisions.items():
            if column.endswith(("updated_by", "created_by", "uploaded_by", "user_agent", "_ip")):
                assert decision.rule != "public", f"{table}.{column}"
            if decision.rule != "public":
                assert decision.reason, f"{table}.{column}"


@given(_DECISIONS)
def test_a_decision_is_written_as_it_is_read(decision: Decision) -> None:
    assert _parse(tomlkit.dumps({"t": {"c": decision.to_toml()}})).tables["t"]["c"] == decision
