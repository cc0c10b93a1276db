"""CSV that tells NULL from an empty text, and gives back what was put into it."""

from __future__ import annotations

import csv
import io

from ppr_assets.operations.looking.csv_text import csv_text

ROWS = [
    ("a", 'b"c', "d,e", " f", 1.5, 2**63, "\\."),
    ("two\nlines", "a\rreturn", "\u2028", "é😀", -0.0, 1e300, "NULL"),
]


def test_null_is_nothing_and_an_empty_text_is_quoted() -> None:
    assert csv_text([(None, "", "a", 'b"c', "d,e", 1.5)]) == ',"",a,"b""c","d,e",1.5\n'
    assert csv_text([(None, "a"), (1, None)]) == ",a\n1,\n"
    assert csv_text([(None,), ("",)]) == '\n""\n'
    assert csv_text([(b"\x00\xff", 1)]) == "\\x00ff,1\n"
    assert csv_text([]) == ""


def test_what_was_written_is_read_again() -> None:
    expected = [[str(value) for value in row] for row in ROWS]
    for rows in (ROWS, ROWS[:1], ROWS[1:]):
        read = [*csv.reader(io.StringIO(csv_text(rows), newline=""))]
        assert read == [expected[ROWS.index(row)] for row in rows]
