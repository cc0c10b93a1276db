"""Withheld values are taken out of rows, and nothing else is touched."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ppr_assets.errors import DumpDamaged
from ppr_assets.plain_sql.withheld_values import Withholding
from ppr_assets.rules.publication.policy import Decision

_TEXTS = st.text(
    st.characters(codec="utf-8", exclude_characters="\0") | st.sampled_from("\\\t\n\rN"), max_size=8
)
_VALUES = st.none() | _TEXTS
_ESCAPES = {
    "\\": r"\\",
    "\t": r"\t",
    "\n": r"\n",
    "\r": r"\r",
    "\b": r"\b",
    "\v": r"\v",
    "\f": r"\f",
}


def _written(value: str | None) -> bytes:
    """As COPY writes it."""
    if value is None:
        return rb"\N"
    return "".join(_ESCAPES.get(one, one) for one in value).encode()


def _block(rows: list[tuple[str | None, ...]]) -> bytes:
    return b"".join(b"\t".join(map(_written, row)) + b"\n" for row in rows)


@given(
    st.lists(st.tuples(_VALUES, _VALUES, _VALUES)),
    st.dictionaries(
        st.sampled_from("abc"),
        st.just(Decision("null")) | st.builds(Decision, st.just("replaced"), _TEXTS),
    ),
)
def test_rows_are_what_they_were_but_for_the_withheld(
    rows: list[tuple[str | None, ...]], changed: dict[str, Decision]
) -> None:
    withholding = Withholding("t", ["a", "b", "c"], changed)
    chunks = [_block([row]) for row in rows]
    found = b"".join(withholding.rows([*chunks, _block(rows)]))

    def kept(row: tuple[str | None, ...]) -> tuple[str | None, ...]:
        return tuple(
            value
            if value is None or name not in changed
            else (None if changed[name].rule == "null" else changed[name].text)
            for name, value in zip("abc", row, strict=True)
        )

    assert found == _block([*map(kept, rows)]) * 2
    for place, name in enumerate("abc"):
        if name in changed:
            taken = sum(row[place] is not None for row in rows)
            assert withholding.counts[name] == taken * 2


def test_a_table_of_one_column() -> None:
    withholding = Withholding("t", ["a"], {"a": Decision("replaced", "x\\1")})
    assert b"".join(withholding.rows([b"one\n\\N\n\n"])) == b"x\\\\1\n\\N\nx\\\\1\n"
    assert withholding.counts == {"a": 2}


@pytest.mark.parametrize("withheld", ["a", "c"])
@pytest.mark.parametrize(
    ("rows", "values"), [(b"1\t2\n1\t2\t3\t4\n", 2), (b"1\t2\t3\t4\n1\t2\n", 4)]
)
def test_rows_of_more_and_of_fewer_values_do_not_make_up_for_each_other(
    withheld: str, rows: bytes, values: int
) -> None:
    withholding = Withholding("t", ["a", "b", "c"], {withheld: Decision("null")})
    with pytest.raises(DumpDamaged, match=f"a row of t has {values} values, 3 needed"):
        list(withholding.rows([b"1\t2\t3\n" + rows]))
