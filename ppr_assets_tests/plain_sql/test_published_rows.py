"""Of whatever rows pg_dump writes, only what a policy lets out goes on, and that unchanged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ppr_assets.errors import PolicyRefused
from ppr_assets.plain_sql.parsing.pieces import CopyRows, Line, copy_rows
from ppr_assets.plain_sql.published_rows import PublishedRows
from ppr_assets.rules.publication.planning import plan
from ppr_assets.rules.publication.policy import LARGE_OBJECTS, Decision, Policy
from ppr_assets.rules.publication.relations import Relation, RelationColumn
from ppr_assets.rules.publication.withholding import Plan, TablePlan
from ppr_assets_tests.fix_campaign import Campaign

MARKER = "Pirate-7d3e"

_TEXTS = st.text(
    st.characters(codec="utf-8", exclude_characters="\0") | st.sampled_from("\\\t\n\r\b\f\vN"),
    max_size=6,
)
_COLUMNS = ["id", "Who", 'a"b', "a, b", "with (", "é", "x.y"]
_RULES = st.sampled_from([Decision("public"), Decision("null")]) | st.builds(
    Decision, st.just("replaced"), _TEXTS
)


@dataclass(frozen=True)
class Table:
    """``rows`` in chunks; a value is None for NULL. Those of withheld columns hold the marker."""

    columns: Sequence[str]
    decisions: Sequence[Decision]
    chunks: Sequence[Sequence[Sequence[str | None]]]

    @property
    def plan(self) -> Plan:
        decided = dict(zip(self.columns, self.decisions, strict=True))
        columns = tuple(RelationColumn(name, nullable=True) for name in self.columns)
        return plan(Policy({'"T"': decided}), [Relation('"T"', "table", columns)])

    def copy(self, *more: str) -> CopyRows:
        """As pg_dump writes it, with ``more`` columns that are not in the table."""
        names = ", ".join('"' + name.replace('"', '""') + '"' for name in (*self.columns, *more))
        chunks = [
            "".join("\t".join(map(_escaped, [*row, *more])) + "\n" for row in chunk).encode()
            for chunk in self.chunks
        ]
        statement = f'COPY public."T" ({names}) FROM stdin;\n'.encode()
        found = copy_rows(0, statement, lambda _: iter(chunks))
        assert found is not None
        return found

    def published(self) -> bytes:
        """What is to come out of it, written down in the simplest way."""
        lines = []
        for row in (row for chunk in self.chunks for row in chunk):
            values = [
                value if value is None or one.rule == "public" else _in_place(one)
                for value, one in zip(row, self.decisions, strict=True)
            ]
            lines.append("\t".join(map(_escaped, values)) + "\n")
        return "".join(lines).encode()


def _in_place(decision: Decision) -> str | None:
    return None if decision.rule == "null" else decision.text


def _escaped(value: str | None) -> str:
    if value is None:
        return "\\N"
    for plain, letter in zip("\\\b\f\n\r\t\v", "\\bfnrtv", strict=True):
        value = value.replace(plain, f"\\{letter}")
    return value


def _tables(names: list[str]) -> st.SearchStrategy[Table]:
    def filled(decisions: list[Decision]) -> st.SearchStrategy[Table]:
        values = [
            st.none() | (_TEXTS if one.rule == "public" else _TEXTS.map(lambda text: MARKER + text))
            for one in decisions
        ]
        chunks = st.lists(st.lists(st.tuples(*values), min_size=1, max_size=4), max_size=3)
        return st.builds(Table, st.just(names), st.just(decisions), chunks)

    rules = st.lists(_RULES, min_size=len(names), max_size=len(names))
    return rules.flatmap(filled)


TABLES = st.lists(st.sampled_from(_COLUMNS), min_size=1, unique=True).flatmap(_tables)


def _through(table: Table, copy: CopyRows) -> Iterator[bytes]:
    return PublishedRows(table.plan).rows(copy)


@pytest.mark.slow
@settings(max_examples=60)
@given(TABLES)
def test_only_what_is_let_out_goes_on(table: Table) -> None:
    found = b"".join(_through(table, table.copy()))
    assert found == table.published()
    assert MARKER.encode() not in found


@settings(max_examples=20)
@given(TABLES)
def test_nothing_of_what_nobody_decided_on_goes_on(table: Table) -> None:
    for other in (table.copy("new"), _of_another_table(table.copy())):
        with pytest.raises(PolicyRefused):
            next(_through(table, other))


def _of_another_table(copy: CopyRows) -> CopyRows:
    return CopyRows(0, copy.statement, copy.schema, "other", copy.columns, copy.rows)


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("INSERT INTO public.t VALUES (1);", "rows"),
        ("SELECT pg_catalog.lowrite(0, '\\x7069');", "large objects"),
        ("SELECT * FROM pg_catalog.pg_restore_attribute_stats(", "statistics"),
        ("SELECT * FROM pg_catalog.pg_restore_extended_stats(", "statistics"),
    ],
)
def test_no_statement_brings_values(statement: str, what: str) -> None:
    line = Line(0, statement.encode(), begins=True)
    with pytest.raises(PolicyRefused, match=f"^pg_dump wrote {what} in statements, whose values"):
        PublishedRows(Plan({})).line(line)


def test_large_objects_that_are_public_go_on() -> None:
    public = Plan({LARGE_OBJECTS: TablePlan(rows=True, changed={})})
    PublishedRows(public).line(Line(0, b"SELECT pg_catalog.lowrite(0, 'x');\n", begins=True))


def test_rows_go_on_so(campaign: Campaign) -> None:
    campaign.examples(
        test_only_what_is_let_out_goes_on, test_nothing_of_what_nobody_decided_on_goes_on
    )
