"""One record of a dump: found by its key, whatever that is, and never taken for another."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ppr_assets.errors import DumpDamaged
from ppr_assets.plain_sql.tables.one_record import FoundRecord, Row, SoughtRecord, find_record
from ppr_assets_tests.fix_old_dumps import MAJORS, OldDump

_SQL = r"""--
-- PostgreSQL database dump
--

SET client_encoding = 'UTF8';

CREATE TABLE public.t (
    a text NOT NULL,
    b integer NOT NULL,
    c text
);

COPY public.t (a, b, c) FROM stdin;
x	1	one
x	12	twelve
xy	1	\N
tab\there	7	a\\b
1	3	x
\.

COPY public.other (a, b, c) FROM stdin;
x	99	not it
\.

ALTER TABLE ONLY public.t
    ADD CONSTRAINT t_pkey PRIMARY KEY (KEY);

--
-- PostgreSQL database dump complete
--

"""


def _found(key: str, *values: str, chunk: int = 1 << 20) -> Row | None:
    sql = _SQL.replace("KEY)", f"{key})").encode()

    def chunks() -> Iterator[bytes]:
        return (sql[at : at + chunk] for at in range(0, len(sql), chunk))

    return find_record(chunks, SoughtRecord("t", values)).row


@pytest.mark.parametrize("chunk", [1, 7, 1 << 20])
def test_a_record_is_found_by_the_primary_key_and_by_nothing_else(chunk: int) -> None:
    assert _found("a", "xy", chunk=chunk) == {"a": "xy", "b": "1", "c": None}
    assert _found("a", "tab\there", chunk=chunk) == {"a": "tab\there", "b": "7", "c": r"a\b"}
    assert _found("b", "12", chunk=chunk) == {"a": "x", "b": "12", "c": "twelve"}
    assert _found("b", "2", chunk=chunk) is None
    assert _found("a, b", "x", "12", chunk=chunk) == {"a": "x", "b": "12", "c": "twelve"}
    assert _found("b, a", "1", "xy", chunk=chunk) == {"a": "xy", "b": "1", "c": None}
    assert _found("a", "y", chunk=chunk) is None
    assert _found("a, b", "x", "99", chunk=chunk) is None


@pytest.mark.parametrize("chunk", [1, 7, 1 << 20])
def test_a_table_of_one_column_has_its_records_too(chunk: int) -> None:
    one = b"CREATE TABLE public.w (\n    a text\n);\n\n"
    one += b"COPY public.w (a) FROM stdin;\nxy\nx\nz\n\\.\n\n"
    sql = _SQL.encode().replace(b"COPY public.other", one + b"COPY public.other", 1)

    def found(table: str, value: str) -> FoundRecord:
        pieces = (sql[at : at + chunk] for at in range(0, len(sql), chunk))
        return find_record(lambda: pieces, SoughtRecord(table, (value,)))

    assert [found("w", one).row for one in ("xy", "x", "z")] == [
        {"a": "xy"},
        {"a": "x"},
        {"a": "z"},
    ]
    assert found("w", "y") == FoundRecord(None, None, there=True)
    assert found("v", "y") == FoundRecord(None, None, there=False)


@pytest.mark.parametrize("major", MAJORS)
def test_an_old_dump_has_it_and_a_cut_one_is_damaged(major: int) -> None:
    sql = OldDump(major).sql
    row = sql.partition(b"\nCOPY public.service ")[2].split(b"\n")[1]
    sought = SoughtRecord("service", (row.split(b"\t")[0].decode(),))
    found = find_record(lambda: [sql], sought)
    assert found.row is not None
    assert found.row["name"] == row.split(b"\t")[2].decode()
    assert found.key == ("id",)
    with pytest.raises(DumpDamaged):
        find_record(lambda: [sql[:-100]], sought)
