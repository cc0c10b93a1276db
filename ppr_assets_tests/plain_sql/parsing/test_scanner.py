"""Lines are known to be inside or outside of whatever PostgreSQL can quote."""

import pytest

from ppr_assets.plain_sql.parsing.scanner import SqlScanner

INSIDE = [
    b"DEFAULT 'it''s\n",
    b"DEFAULT E'a\\'b\n",
    b"DEFAULT E'a''b\n",
    b'CREATE TABLE public."odd\n',
    b"AS $$\n",
    b"AS $body$ SELECT '$$' $other$\n",
    b"/* a /* nested */ comment\n",
    b"SELECT 'a' || $x$b'\n",
]
OUTSIDE = [
    b'-- Name: O\'Brien "x" $$ /*\n',
    b"SELECT 'it''s', E'a\\\\', \"a\"\"b\", $$it's$$, $a$ $$ $a$;\n",
    b"SELECT name'x' FROM e1$f$g;\n",
    b"/* a /* nested */ comment */\n",
    b"SELECT 'a\\';\n",
    b"SELECT $1, a$b$c;\n",
]


@pytest.mark.parametrize("line", INSIDE)
def test_a_quote_that_stays_open_hides_the_next_line(line: bytes) -> None:
    scanner = SqlScanner()
    scanner.feed(line)
    assert not scanner.top_level


@pytest.mark.parametrize("line", OUTSIDE)
def test_what_is_closed_on_its_line_hides_nothing(line: bytes) -> None:
    scanner = SqlScanner()
    scanner.feed(line)
    assert scanner.top_level


def test_a_quote_may_close_many_lines_later() -> None:
    scanner = SqlScanner()
    for line in (b"AS $fn$\n", b"BEGIN 'x\n", b"COPY a FROM stdin;\n"):
        scanner.feed(line)
        assert not scanner.top_level
    scanner.feed(b"$fn$;\n")
    assert scanner.top_level
