"""The key of a table, out of the dump's own statements."""

from __future__ import annotations

import pytest

from ppr_assets.plain_sql.parsing.keys import key_reader, primary_key
from ppr_assets.plain_sql.parsing.pieces import listed


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (
            "ALTER TABLE ONLY public.a\n    ADD CONSTRAINT a_pkey PRIMARY KEY (id);\n",
            ("a", ("id",)),
        ),
        (
            'ALTER TABLE ONLY "Odd".b\n    ADD CONSTRAINT "x y" PRIMARY KEY ("a, ""b""", c);\n',
            ('"Odd".b', ('a, "b"', "c")),
        ),
        ("ALTER TABLE ONLY public.a\n    ADD CONSTRAINT a_key UNIQUE (id);\n", None),
    ],
)
def test_a_primary_key_is_read_as_pg_dump_writes_it(
    statement: str, expected: tuple[str, tuple[str, ...]] | None
) -> None:
    assert primary_key(statement.encode()) == expected


def test_a_row_s_key_is_that_of_its_columns_wherever_they_stand() -> None:
    columns = listed(b'note, "B c", id')
    assert columns == ("note", "B c", "id")
    assert key_reader(columns, ("id", "B c"))(b"x\t2\t1\n") == b"1\t2"
    assert key_reader(columns, ("gone",))(b"x\t2\t1\n") == b"x"
    assert key_reader([], ())(b"\n") == b""
