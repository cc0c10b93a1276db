"""A patch as a file: what it guards, quotes and keeps to itself."""

from __future__ import annotations

from msgspec.structs import replace

from ppr_assets.rules.patch.changes import PatchColumn, PatchTable, RowChange, in_two_steps
from ppr_assets.rules.patch.text import Frame, Trigger, patch_text, statement

TABLE = PatchTable(
    "place",
    "public.place",
    (
        PatchColumn("id", "id", "text", plain=True),
        PatchColumn("name", "name", "text", plain=True),
        PatchColumn("point", '"Point"', "point", plain=False),
        PatchColumn("email", "email", "text", plain=True),
    ),
    (0,),
    identity=True,
    private=frozenset({3}),
)


def test_an_update_sets_what_differs_where_it_is_as_it_was() -> None:
    change = RowChange(TABLE, ("'1'", "NULL", "'(1,2)'", "'a'"), ("'1'", "'b'", "'(1,3)'", "'a'"))
    assert statement(change) == (
        "DO $row$ BEGIN\n"
        "  UPDATE ONLY public.place AS it SET name = 'b', \"Point\" = '(1,3)' WHERE it.id = '1' "
        'AND it.name IS NULL AND it."Point" IS NOT NULL '
        "AND pg_catalog.format('%s', it.\"Point\") = "
        "pg_catalog.format('%s', CAST('(1,2)' AS point));\n"
        "  IF NOT FOUND THEN RAISE EXCEPTION USING ERRCODE = '40001', MESSAGE = "
        "E'place ''1'' is not as it was when this patch was made'; END IF;\n"
        "END $row$;"
    )


def test_a_delete_guards_all_but_what_is_private() -> None:
    text = statement(RowChange(TABLE, ("'1'", "'b'", "NULL", "'secret'"), None))
    assert "WHERE it.id = '1' AND it.name = 'b' AND it.\"Point\" IS NULL;" in text
    assert "secret" not in text


def test_the_second_of_two_steps_guards_nothing_that_a_trigger_may_have_changed() -> None:
    columns = tuple(replace(one, nullable=at > 0) for at, one in enumerate(TABLE.columns))
    table = replace(TABLE, columns=columns)
    here = ("'1'", "'b'", "NULL", "'secret'")

    def where(change: RowChange) -> list[str]:
        return [statement(one).partition(" WHERE ")[2] for one in in_two_steps(change, (1,))]

    first, last = where(RowChange(table, here, None))
    assert first.startswith("it.id = '1' AND it.name = 'b' AND it.\"Point\" IS NULL;")
    assert last.startswith("it.id = '1' AND it.name IS NULL;")
    update = RowChange(table, here, ("'1'", "'c'", "'(1,2)'", "'secret'"))
    first, last = where(update)
    assert first.startswith("it.id = '1' AND it.name = 'b' AND it.\"Point\" IS NULL;")
    assert last.startswith("it.id = '1' AND it.name IS NULL;")
    first, last = where(in_two_steps(RowChange(table, here, None), (3,))[1])  # another circle
    assert "Point" not in first + last
    _, again = in_two_steps(in_two_steps(RowChange(table, here, None), (3,))[0], (1,))
    assert "Point" not in statement(again)


def test_an_insert_names_what_is_known() -> None:
    assert statement(RowChange(TABLE, None, ("'1'", "NULL", None, "'x'"))) == (
        "INSERT INTO public.place (id, name, email) OVERRIDING SYSTEM VALUE "
        "VALUES ('1', NULL, 'x');"
    )


def test_a_value_cannot_end_the_quotes_around_it() -> None:
    change = RowChange(TABLE, ("'1'", "'$row$ $row1$'", "NULL", "NULL"), None)
    assert statement(change).startswith("DO $row2$ BEGIN")
    assert statement(change).endswith("END $row2$;")


def test_a_file_is_one_transaction_and_its_head_stays_a_comment() -> None:
    trigger = Trigger("place", "touch", "public.place", "touch", always=True)
    change = RowChange(TABLE, None, ("'1'", "'a'", "NULL", "NULL"))
    frame = Frame(deferred=True, without=[trigger])
    lines = patch_text(["rows where\nx; DROP TABLE place"], [change], frame).splitlines()
    assert lines[:3] == ["-- rows where x; DROP TABLE place", "", "BEGIN READ WRITE;"]
    begin = lines.index("ALTER TABLE public.place DISABLE TRIGGER touch;")
    assert lines[begin + 1] == "SET CONSTRAINTS ALL DEFERRED;"
    assert lines[-3:] == [
        "SET CONSTRAINTS ALL IMMEDIATE;",
        "ALTER TABLE public.place ENABLE ALWAYS TRIGGER touch;",
        "COMMIT;",
    ]
