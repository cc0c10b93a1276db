"""Rows come after what they refer to and go before it, and a value is free before it is taken."""

from __future__ import annotations

import re

import pytest
from msgspec.structs import replace

from ppr_assets.errors import PreconditionFailed
from ppr_assets.rules.patch.changes import (
    PatchColumn,
    PatchReference,
    PatchTable,
    Row,
    RowChange,
    counts,
)
from ppr_assets.rules.patch.order import ordered

COLUMNS = tuple(PatchColumn(name, name, "text", plain=True) for name in ("id", "parent", "code"))
A, B = (
    PatchTable(key, f"public.{key}", COLUMNS, (0,), unique=((0,), (2,)), known_index=f"{key}_pkey")
    for key in ("a", "b")
)
B_TO_A = PatchReference("b_a", "b", (1,), "a", (0,))
A_TO_A = PatchReference("a_a", "a", (1,), "a", (0,))
A_TO_B = PatchReference("a_b", "a", (1,), "b", (0,))


def row(key: str, parent: str | None = None, code: str = "NULL") -> Row:
    return f"'{key}'", f"'{parent}'" if parent else "NULL", code


def names(changes: list[RowChange]) -> list[str]:
    return [f"{change.kind} {change.name}" for change in changes]


def test_what_is_referred_to_comes_first_and_goes_last() -> None:
    changes = [
        RowChange(B, None, row("b1", "a1")),
        RowChange(A, row("a0"), None),
        RowChange(B, row("b0", "a0"), None),
        RowChange(A, None, row("a1")),
        RowChange(B, row("b2", "a0"), row("b2", "a1")),
    ]
    order = names(ordered(changes, [B_TO_A]))
    assert order.index("insert a 'a1'") < order.index("insert b 'b1'")
    assert order.index("insert a 'a1'") < order.index("update b 'b2'")
    assert order.index("delete b 'b0'") < order.index("delete a 'a0'")
    assert order.index("update b 'b2'") < order.index("delete a 'a0'")


def test_a_table_that_refers_to_itself_is_ordered_row_by_row() -> None:
    changes = [RowChange(A, None, row(str(n), str(n + 1) if n < 9 else None)) for n in range(10)]
    assert names(ordered(changes, [A_TO_A])) == [f"insert a '{n}'" for n in reversed(range(10))]
    undo = [RowChange(A, one.after, None) for one in changes]
    assert names(ordered(undo, [A_TO_A])) == [f"delete a '{n}'" for n in range(10)]


def test_a_value_that_only_one_row_may_have_is_free_before_it_is_taken() -> None:
    changes = [
        RowChange(A, None, row("new", code="'x'")),
        RowChange(A, row("mid", code="'y'"), row("mid", code="'z'")),
        RowChange(A, row("old", code="'x'"), row("old", code="'y'")),
    ]
    assert names(ordered(changes, [])) == ["update a 'mid'", "update a 'old'", "insert a 'new'"]


def test_a_circle_is_refused_by_name_but_where_the_constraint_can_wait() -> None:
    changes = [RowChange(A, None, row("1", "2")), RowChange(B, None, row("2", "1"))]
    said = (
        "rows refer to each other in a circle, or swap values that only one may have, so none can "
        "be the first: "
    )
    with pytest.raises(PreconditionFailed, match=re.escape(said)) as refused:
        ordered(changes, [A_TO_B, B_TO_A])
    assert "a '1'" in refused.value.message
    assert "b '2'" in refused.value.message
    waits = PatchReference("b_a", "b", (1,), "a", (0,), deferrable=True)
    assert names(ordered(changes, [A_TO_B, waits])) == ["insert b '2'", "insert a '1'"]


def nullable(table: PatchTable, *names: str) -> PatchTable:
    columns = (replace(one, nullable=one.name in names) for one in table.columns)
    return replace(table, columns=tuple(columns))


def test_a_circle_is_broken_by_a_column_that_may_be_null_meanwhile() -> None:
    a = nullable(A, "parent")
    new = [
        RowChange(a, None, row("1", "2")),
        RowChange(B, None, row("2", "1")),
        RowChange(a, None, row("3", "4")),
        RowChange(B, None, row("4", "3")),
        RowChange(a, None, row("5")),  # in no circle, so it takes one step
    ]
    steps = ordered(new, [A_TO_B, B_TO_A])
    assert sorted(names(steps)) == [
        *("insert a '1'", "insert a '3'", "insert a '5'", "insert b '2'", "insert b '4'"),
        *("update a '1'", "update a '3'"),
    ]
    order = ["insert a '1'", "insert b '2'", "update a '1'"]
    assert [one for one in names(steps) if one in order] == order
    assert counts(steps) == {"a": {"insert": 3}, "b": {"insert": 2}}
    undo = ordered([RowChange(one.table, one.after, None) for one in new], [A_TO_B, B_TO_A])
    order = ["update a '1'", "delete b '2'", "delete a '1'"]
    assert [one for one in names(undo) if one in order] == order
    assert counts(undo) == {"a": {"delete": 3}, "b": {"delete": 2}}


def test_values_are_swapped_with_null_between() -> None:
    a = nullable(A, "code")
    swap = [
        RowChange(a, row("1", code="'x'"), row("1", code="'y'")),
        RowChange(a, row("2", code="'y'"), row("2", code="'x'")),
    ]
    steps = ordered(swap, [])
    held = {"'1'": "'x'", "'2'": "'y'"}
    for step in steps:
        assert step.before is not None
        assert step.after is not None
        key, code = str(step.after[0]), str(step.after[2])
        assert code == "NULL" or code not in held.values()
        held[key] = code
    assert held == {"'1'": "'y'", "'2'": "'x'"}


def test_a_circle_with_two_reasons_is_broken_by_null_in_both() -> None:
    a = nullable(A, "parent", "code")
    also = PatchReference("a_b_too", "a", (2,), "b", (0,))
    new = [RowChange(a, None, row("1", "2", "'2'")), RowChange(B, None, row("2", "1"))]
    steps = ordered(new, [A_TO_B, also, B_TO_A])
    assert names(steps) == ["insert a '1'", "insert b '2'", "update a '1'"]
    assert steps[0].after == row("1")
    undo = ordered([RowChange(one.table, one.after, None) for one in new], [A_TO_B, also, B_TO_A])
    assert names(undo) == ["update a '1'", "delete b '2'", "delete a '1'"]
    with pytest.raises(PreconditionFailed, match="in a circle"):
        ordered([replace(one, table=nullable(one.table, "code")) for one in new], [A_TO_B, B_TO_A])


def test_a_row_that_refers_to_itself_waits_for_nothing() -> None:
    assert len(ordered([RowChange(A, None, row("1", "1"))], [A_TO_A])) == 1
