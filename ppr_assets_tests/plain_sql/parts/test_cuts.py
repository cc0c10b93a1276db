from __future__ import annotations

import re
import tracemalloc
from pathlib import Path
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ppr_assets.errors import DumpFailed
from ppr_assets.plain_sql.parts.cuts import Slice, slices
from ppr_assets.plain_sql.parts.split import split_dump
from ppr_assets.settings import DatabaseSettings
from ppr_assets_tests.fix_nasty import dump_to
from ppr_assets_tests.fix_restore import MadeDump

TITLE = b"--\n-- PostgreSQL database dump\n--\n\n\\restrict k\n\n"
TRAILER = b"--\n-- PostgreSQL database dump complete\n--\n\n\\unrestrict k\n\n"


def _table(name: str, rows: list[bytes]) -> bytes:
    body = b"".join(row + b"\n" for row in rows)
    head = f"--\n-- Data for Name: {name}; Type: TABLE DATA; Schema: public; Owner: -\n--\n\n"
    statement = f"COPY public.{name} (id, note) FROM stdin;\n"
    return head.encode() + statement.encode() + body + b"\\.\n\n"


def _rows(count: int, note: bytes = b"n" * 50) -> list[bytes]:
    return [f"{number:08}".encode() + b"\t" + note for number in range(count)]


def _cut(dump: bytes, most: int, chunk: int = 4096) -> list[Slice]:
    chunks = (dump[at : at + chunk] for at in range(0, len(dump), chunk))
    return list(slices(chunks, most=most))


def _pieces(dump: bytes, most: int) -> list[bytes]:
    return [dump[one.start : one.end] for one in _cut(dump, most)]


@given(most=st.integers(1500, 40_000), chunk=st.integers(100, 9_000), count=st.integers(0, 700))
def test_slices_are_the_dump_and_none_is_too_large(most: int, chunk: int, count: int) -> None:
    dump = TITLE + _table("one", _rows(count)) + _table("two", _rows(count // 3)) + TRAILER
    found = _cut(dump, most, chunk)
    assert b"".join(dump[one.start : one.end] for one in found) == dump
    for one in found:
        around = one.wrapping.before("k" * 63) + one.wrapping.after("k" * 63)
        assert len(around) + one.end - one.start <= most
    if len(dump) <= most - 512:
        assert len(found) == 1


def test_how_the_dump_arrives_does_not_matter() -> None:
    dump = TITLE + _table("one", _rows(2_000)) + TRAILER
    assert _cut(dump, 20_000, 333) == _cut(dump, 20_000, 60_000) == _cut(dump, 20_000, 10**7)


@pytest.mark.parametrize("chunk", [100, 1_000, 10**6])
def test_of_rows_that_a_part_may_end_before_the_one_is_taken_that_hashes_least(chunk: int) -> None:
    rows = [row + b"m" * (number % 37) for number, row in enumerate(_rows(3_000))]
    table = _table("one", rows)
    dump, most = TITLE + table + TRAILER, 20_000
    first_row = len(TITLE) + len(table) - len(b"".join(rows)) - len(rows) - len(b"\\.\n\n")
    begins = [first_row + sum(len(row) + 1 for row in rows[:number]) for number in range(3_000)]
    found = _cut(dump, most, chunk)
    assert len(found) > 10
    for one in found[:-1]:
        room = most - 512 - len(one.wrapping.statement)
        within = (at for at in begins if one.start + room // 2 <= at <= one.start + room)
        assert one.end == min(within, key=lambda at: crc32(dump[at : at + 8]))


def test_rows_that_go_on_have_their_statement_again() -> None:
    dump = TITLE + _table("one", _rows(1_000)) + TRAILER
    first, *others = _cut(dump, 20_000)
    assert others
    assert not first.wrapping.statement
    for before, after in zip([first, *others], others, strict=False):
        inside = bool(after.wrapping.statement)
        assert before.wrapping.cut_rows == inside
        assert dump[after.start - 1 : after.start] == b"\n"
    assert others[0].wrapping.statement == b"COPY public.one (id, note) FROM stdin;\n"
    assert [one.wrapping.last for one in others] == [False] * (len(others) - 1) + [True]


def test_a_table_that_begins_in_time_is_where_the_cut_is() -> None:
    dump = TITLE + _table("one", _rows(230)) + _table("two", _rows(230)) + TRAILER
    _, second = _cut(dump, 20_000)
    assert dump[second.start :].startswith(b"--\n-- Data for Name: two;")


def test_changed_rows_leave_the_cuts_where_they_are() -> None:
    rows = _rows(5_000)
    before = TITLE + _table("one", rows) + TRAILER
    rows[7::100] = [row.replace(b"n", b"mm") for row in rows[7::100]]
    after = TITLE + _table("one", rows) + TRAILER
    first_rows = [{piece[:8] for piece in _pieces(dump, 50_000)[1:]} for dump in (before, after)]
    assert first_rows[0] == first_rows[1]
    assert len(first_rows[0]) > 4


def test_rows_that_come_and_go_move_few_cuts() -> None:
    rows = _rows(20_000)
    before = TITLE + _table("one", rows) + TRAILER
    del rows[100:160]
    rows[9_000:9_000] = [b"00008999-%d\tnew" % number for number in range(60)]
    after = TITLE + _table("one", rows) + TRAILER
    old, new = ({piece[:8] for piece in _pieces(dump, 100_000)[1:]} for dump in (before, after))
    assert len(old - new) <= 2, "every cut behind a row that came or went would move otherwise"


@pytest.mark.parametrize("at", [0, 40, 99])
def test_a_row_that_fits_into_no_part_is_named(at: int) -> None:
    rows = _rows(100)
    rows[at] += b"x" * 30_000
    with pytest.raises(DumpFailed) as failed:
        _cut(TITLE + _table("one", rows) + TRAILER, 20_000)
    assert re.match(r"a row of one at byte \d+ has 300\d\d bytes, at most", failed.value.message)
    assert "SQL_DUMP_MAX_FILE_MB" in failed.value.hint


def test_cutting_takes_the_memory_of_a_chunk_and_not_of_a_part(tmp_path: Path) -> None:
    name = "pantry_pirate_radio_2026-11-22_02-00-00.sql"
    (tmp_path / name).write_bytes(TITLE + _table("one", _rows(40_000, b"n" * 900)) + TRAILER)
    tracemalloc.start()
    try:
        script = split_dump(tmp_path / name, name=name, most=30_000_000)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert max(part.bytes for part in script.parts) > 15_000_000
    assert peak < 12_000_000


def test_a_row_that_just_fits_is_alone_in_its_part() -> None:
    rows = _rows(100)
    rows[50] += b"x" * 19_300
    sizes = [len(piece) for piece in _pieces(TITLE + _table("one", rows) + TRAILER, 20_000)]
    assert max(sizes) > 19_300


def test_a_statement_that_fits_into_no_part_is_said() -> None:
    view = b"--\n-- Name: v; Type: VIEW; Schema: public; Owner: -\n--\n\n"
    view += b"CREATE VIEW public.v AS\n SELECT '" + b"x" * 30_000 + b"';\n\n\n"
    with pytest.raises(DumpFailed, match="a statement at byte"):
        _cut(TITLE + view + _table("one", _rows(3)) + TRAILER, 20_000)


def test_a_cut_is_never_inside_of_a_statement(
    nasty_database: DatabaseSettings, tmp_path: Path
) -> None:
    dump = dump_to(nasty_database, tmp_path / "nasty.sql").sql
    largest = max(map(len, dump.split(b"\n")))
    for most in (largest + 1_000, largest + 50_000):
        for piece in _pieces(dump, most)[1:]:
            above_object = re.match(rb"--\n-- (Name|Data for Name|PostgreSQL database dump)", piece)
            large_object = piece.startswith(b"SELECT pg_catalog.lo")
            starts = [one for one in _cut(dump, most) if dump[one.start :].startswith(piece[:200])]
            assert above_object or large_object or any(one.wrapping.statement for one in starts)


def test_a_sample_is_cut_into_parts_of_half_the_limit_at_least(new_dump: MadeDump) -> None:
    most = 40_000
    sizes = [len(piece) for piece in _pieces(new_dump.sql, most)]
    assert len(sizes) > 3
    assert all(size >= (most - 1_200) // 2 for size in sizes[:-1])
