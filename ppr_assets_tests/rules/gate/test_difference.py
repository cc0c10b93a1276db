"""What differs is shown where it differs, and what was accepted stands in a comment of one line."""

from __future__ import annotations

import pytest

from ppr_assets.rules.gate.difference import Accepted, first_difference
from ppr_assets.rules.gate.ratchet import Override


@pytest.mark.parametrize(
    ("have", "want", "shown"),
    [
        ("a\nb\nc", "a\nx\nc", ("b", "x")),
        ("a\nb", "a", ("b", "")),
        ("a\n  b  c,", "a\n  b  d,", ("b c,", "b d,")),
        (
            "x" * 150 + "the end",
            "x" * 150 + "another end",
            ("…" + "x" * 40 + "the end", "…" + "x" * 40 + "another end"),
        ),
        ("y" + "x" * 200, "z" + "x" * 200, ("y" + "x" * 119 + "…", "z" + "x" * 119 + "…")),
    ],
)
def test_the_first_line_that_differs_is_shown_where_it_does(
    have: str, want: str, shown: tuple[str, str]
) -> None:
    assert first_difference(have, want) == shown


def test_a_note_is_one_line() -> None:
    differences = [f"index number_{i} is missing\nreally" for i in range(22)]
    note = Accepted(differences, Override("made\nanew\nlater", "command line")).note("d.sql")
    assert note.startswith(
        "`d.sql` was restored here, with differences that somebody accepted (command line: made "
        "anew later): index number_0 is missing really; "
    )
    assert note.endswith("; and 2 more")
    assert "\n" not in note
