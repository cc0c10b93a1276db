"""What the values of a dump are in SQLite: numbers only where they stay the same."""

from __future__ import annotations

import math
from decimal import Decimal
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ppr_assets.errors import DumpDamaged
from ppr_assets.plain_sql.tables.values import Value, rows_of, sqlite_type


def _one(text: str, type_: str) -> Value:
    (((value,),),) = rows_of([f"{text}\n".encode()], [type_], "UTF8")
    return value


@pytest.mark.parametrize(
    ("type_", "text", "value"),
    [
        ("bigint", "-9223372036854775808", -(2**63)),
        ("boolean", "t", 1),
        ("boolean", "f", 0),
        ("double precision", "5e-324", 5e-324),
        ("real", "NaN", "NaN"),
        ("double precision", "-Infinity", "-Infinity"),
        ("numeric", "NaN", "NaN"),
        ("numeric", "10.50", 10.5),
        ("numeric(10,7)", "42.96336310000001", 42.96336310000001),
        ("numeric", "9223372036854775808", "9223372036854775808"),
        ("numeric", "0.1000000000000000055511151231257827", "0.1000000000000000055511151231257827"),
        ("timestamp with time zone", "2026-11-01 02:00:00.5+00", "2026-11-01 02:00:00.5+00:00"),
        ("timestamp with time zone", "2026-11-01 02:00:00+05:30", "2026-11-01 02:00:00+05:30"),
        ("timestamp without time zone", "2026-11-01 02:00:00", "2026-11-01 02:00:00"),
        ("text[]", '{a,"b c"}', '{a,"b c"}'),
        ("bytea", r"\\x0aff", r"\x0aff"),
        ("text", r"tab\tline\nback\\slash\\N", "tab\tline\nback\\slash\\N"),
        ("text", r"\N", None),
        ("integer", r"\N", None),
        ("text", "", ""),
    ],
)
def test_a_value_is_what_it_was(type_: str, text: str, value: Value) -> None:
    assert _one(text, type_) == value
    assert type(_one(text, type_)) is type(value)


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_no_numeric_ever_becomes_another_number(number: Decimal) -> None:
    value = _one(f"{number:f}", "numeric")
    exact = Decimal(value) if isinstance(value, str) else Decimal(repr(value))
    assert exact == number


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_is_the_very_same(number: float) -> None:
    value = _one(repr(number), "double precision")
    assert value == number
    assert isinstance(value, float)
    assert math.copysign(1, value) == math.copysign(1, number)


def test_rows_come_whole_wherever_the_chunks_end() -> None:
    text = "ä\t1\nö\\n\t2\n\\N\t\\N\n".encode()
    for at in range(len(text)):
        found = [*rows_of([text[:at], text[at:]], ["text", "integer"], "UTF8")]
        assert [*chain(*found)] == [("ä", 1), ("ö\n", 2), (None, None)]


def test_texts_of_another_encoding_are_read_and_an_unknown_one_is_said() -> None:
    assert [*rows_of([b"\xe4\n"], ["text"], "LATIN1")] == [[("ä",)]]
    with pytest.raises(DumpDamaged) as damaged:
        next(rows_of([b"a\n"], ["text"], "MULE_INTERNAL"))
    assert damaged.value.render() == (
        "the dump's texts are in MULE_INTERNAL, which is not known here\n"
        "HINT: dump the database with `pg_dump --encoding=UTF8`."
    )


def test_a_value_of_another_type_than_its_column_is_damage() -> None:
    with pytest.raises(DumpDamaged) as damaged:
        _one("x", "integer")
    assert damaged.value.render() == (
        "a value is not of its column's type: invalid literal for int() with base 10: 'x'"
    )


def test_a_column_is_declared_so_that_sqlite_changes_nothing_in_it() -> None:
    kinds = ["bigint", "boolean", "real", "numeric(12,2)", "uuid", "point", "character varying(9)"]
    assert [*map(sqlite_type, kinds)] == ["INTEGER", "INTEGER", "REAL", "", "TEXT", "TEXT", "TEXT"]
