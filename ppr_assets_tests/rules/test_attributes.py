"""Our line in the dump folder's attributes: added once, and nothing else touched."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ppr_assets.rules.attributes import LINE, with_our_line


def test_a_file_that_is_not_there_yet_is_our_line_with_its_reason() -> None:
    why, line = with_our_line(None).decode().splitlines()
    assert why.startswith("# ") and line == LINE


@given(st.binary())
def test_what_others_wrote_stays_and_our_line_is_added_once(theirs: bytes) -> None:
    once = with_our_line(theirs)
    assert once.startswith(theirs)
    assert with_our_line(once) == once
    assert [line.strip() for line in once.splitlines()].count(LINE.encode()) >= 1


def test_a_line_of_theirs_below_ours_stays_below() -> None:
    theirs = f"{LINE}\n*.md text\n".encode()
    assert with_our_line(theirs) == theirs
