"""What is a change, and what of a row stays as it is."""

from __future__ import annotations

from msgspec.structs import replace

from ppr_assets.rules.patch.changes import (
    PatchColumn,
    PatchTable,
    RowChange,
    counts,
    difference,
    in_two_steps,
    in_words,
)

TABLE = PatchTable(
    "place",
    "public.place",
    tuple(PatchColumn(name, name, "text", plain=True) for name in ("id", "name", "secret")),
    (0,),
    private=frozenset({2}),
)
HERE, DUMPED = ("'1'", "'new'", "'mine'"), ("'1'", "'old'", "'withheld'")


def test_what_is_withheld_or_unknown_in_the_dump_stays_as_it_is() -> None:
    change = difference(TABLE, HERE, DUMPED, left=TABLE.private)
    assert change == RowChange(TABLE, HERE, ("'1'", "'old'", "'mine'"))
    assert change is not None
    assert [*change.set] == [1]
    assert difference(TABLE, HERE, ("'1'", None, "'withheld'"), left=TABLE.private) is None


def test_a_row_that_only_one_side_has_is_inserted_or_deleted() -> None:
    new = ("'3'", *DUMPED[1:])
    inserted, deleted = difference(TABLE, None, new), difference(TABLE, HERE, None)
    assert inserted is not None
    assert deleted is not None
    assert (inserted.kind, deleted.kind) == ("insert", "delete")
    assert difference(TABLE, None, None) is None
    other = difference(TABLE, ("'2'", *HERE[1:]), None)
    assert other is not None
    found = counts([inserted, deleted, other])
    assert found == {"place": {"insert": 1, "delete": 2}}
    assert in_words(found["place"]) == "1 insert, 2 deletes"


def test_a_private_value_does_not_wait_in_an_update_since_a_step_would_write_it() -> None:
    columns = tuple(replace(one, nullable=True) for one in TABLE.columns)
    table = replace(TABLE, columns=columns)
    update = RowChange(table, HERE, ("'1'", "'old'", "'mine'"))
    assert in_two_steps(update, (2,)) == []
    assert [[*one.set] for one in in_two_steps(update, (1, 2))] == [[1], [1]]
    assert [one.kind for one in in_two_steps(RowChange(table, HERE, None), (2,))] == [
        "update",
        "delete",
    ]
