"""The canonical form: only row order and key change, and what is not whole is not accepted."""

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ppr_assets.errors import DumpDamaged
from ppr_assets.plain_sql.canonical import KEY_DIGITS, CanonicalDump, canonicalize

HEAD = b"--\n-- PostgreSQL database dump\n--\n\n\\restrict abcDEF123\n\nSET x = 0;\n"
TAIL = b"--\n-- PostgreSQL database dump complete\n--\n\n\\unrestrict abcDEF123\n\n"
COPY = b"COPY public.organization (id, name) FROM stdin;\n"
ROWS = b"2\tb\n1\ta\n10\t\\N\n"
WHOLE = HEAD + COPY + ROWS + b"\\.\n\n" + TAIL


def _run(data: bytes, chunk: int = 7) -> tuple[bytes, CanonicalDump]:
    def chunks() -> Iterator[bytes]:
        yield from (data[i : i + chunk] for i in range(0, len(data), chunk))

    target = io.BytesIO()
    dump = canonicalize(chunks(), target, spill_folder=Path())
    return target.getvalue(), dump


def test_only_the_order_of_rows_and_the_key_change() -> None:
    written, dump = _run(WHOLE)
    assert dump.restrict_key is not None and len(dump.restrict_key) == KEY_DIGITS
    expected = WHOLE.replace(ROWS, b"1\ta\n10\t\\N\n2\tb\n")
    assert written == expected.replace(b"abcDEF123", dump.restrict_key.encode())
    rows = dump.tables["organization"]
    assert rows.rows == 3
    assert rows.sha256 == hashlib.sha256(b"1\ta\n10\t\\N\n2\tb\n").hexdigest()


@pytest.mark.parametrize("count", [8191, 8192, 8193, 20_000])
def test_all_rows_of_a_table_of_many_are_written(count: int) -> None:
    ordered = [b"%06d\tname\n" % row for row in range(count)]
    expected, data = (WHOLE.replace(ROWS, b"".join(rows)) for rows in (ordered, reversed(ordered)))
    written, dump = _run(data, chunk=100_000)
    assert dump.restrict_key is not None
    assert written == expected.replace(b"abcDEF123", dump.restrict_key.encode())
    assert dump.tables["organization"].sha256 == hashlib.sha256(b"".join(ordered)).hexdigest()


@given(st.permutations(ROWS.splitlines(keepends=True)), st.integers(1, 200), st.text("abz09"))
def test_same_data_give_same_bytes(rows: list[bytes], chunk: int, key: str) -> None:
    data = HEAD + COPY + b"".join(rows) + b"\\.\n\n" + TAIL
    data = data.replace(b"abcDEF123", b"k" + key.encode())
    assert _run(data, chunk)[0] == _run(WHOLE)[0]


def test_the_key_depends_on_every_row_and_statement() -> None:
    keys = {
        _run(data)[1].restrict_key
        for data in (WHOLE, WHOLE.replace(b"2\tb", b"2\tc"), WHOLE.replace(b"x = 0", b"x = 1"))
    }
    assert len(keys) == 3


def test_the_canonical_form_is_its_own_canonical_form() -> None:
    once = _run(WHOLE)[0]
    assert _run(once)[0] == once


def test_a_dump_from_before_restrict_is_accepted_without_a_key() -> None:
    old = WHOLE.replace(b"\\restrict abcDEF123\n", b"").replace(b"\\unrestrict abcDEF123\n", b"")
    written, dump = _run(old)
    assert dump.restrict_key is None
    assert written.count(b"restrict") == 0


def test_lines_that_look_like_copy_inside_a_function_stay_as_they_are() -> None:
    body = b"CREATE FUNCTION f() AS $$\n" + COPY + b"2\n1\n\\.\n$$;\n"
    written, dump = _run(WHOLE.replace(b"SET x = 0;\n", body))
    assert body in written
    assert list(dump.tables) == ["organization"]


def test_names_may_hold_quotes_dots_spaces_and_newlines() -> None:
    odd = b'COPY "My ""schema"""."a.b (c)\nd\\e" ("x y", "FROM stdin;") FROM stdin;\nb\na\n\\.\n'
    written, dump = _run(WHOLE.replace(COPY, odd + COPY))
    assert b"stdin;\na\nb\n\\.\n" in written
    assert set(dump.tables) == {'"My ""schema"""."a.b (c)\nd\\e"', "organization"}


def test_a_table_without_rows_or_columns_is_there_with_none() -> None:
    empty = b"COPY public.nothing  FROM stdin;\n\\.\n"
    written, dump = _run(WHOLE.replace(COPY, empty + COPY))
    assert empty in written
    assert dump.tables["nothing"].rows == 0


def test_every_cut_of_a_dump_is_noticed() -> None:
    last_command = WHOLE.rindex(b"\n\n")  # what follows \unrestrict is an empty line
    for length in range(last_command + 1):
        with pytest.raises(DumpDamaged):
            _run(WHOLE[:length], chunk=64)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (WHOLE.replace(b"SET x", b"\\! touch /tmp/x\nSET x"), "psql command"),
        (WHOLE.replace(b"\\unrestrict abc", b"\\unrestrict xyz"), "another key"),
        (WHOLE.replace(b"SET x", b"\\unrestrict abcDEF123\nSET x"), "psql command"),
        (WHOLE + b"DROP TABLE organization;\n", "after its closing comment"),
        (WHOLE.replace(COPY, COPY + b"9\tz\n\\.\n\n" + COPY), "two COPY blocks"),
        (WHOLE.replace(COPY, b"COPY organization FROM stdin;\n"), "pg_dump would not write"),
        (WHOLE.replace(b"SET x = 0;", b"SET x = 'a;"), "quoted text|closing comment"),
    ],
)
def test_what_pg_dump_would_not_write_is_damage(data: bytes, why: str) -> None:
    with pytest.raises(DumpDamaged, match=why):
        _run(data)


def test_a_search_path_that_has_no_place_to_stand_in_is_refused() -> None:
    with pytest.raises(DumpDamaged) as told:
        canonicalize([WHOLE], io.BytesIO(), spill_folder=Path(), search_path=("public",))
    assert told.value.render() == (
        "the dump does not set an empty search path, in whose place the one it needs is written\n"
        "HINT: nothing was published. pg_dump sets it; is another program in its place?"
    )
