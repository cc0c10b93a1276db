"""Parts of a CREATE TABLE taken out where the server has pointed, and rows without a column."""

from __future__ import annotations

from pathlib import Path

import pytest

from ppr_assets.errors import PreconditionFailed
from ppr_assets.plain_sql.parsing.layout import read_layout
from ppr_assets.plain_sql.tables.shortened import (
    Shortened,
    TablePart,
    without_part_at,
    write_shortened,
)
from ppr_assets.rules.naming import quote_identifier

TABLE = b"""CREATE TABLE public.t (
    id uuid DEFAULT public.gen(' DEFAULT x NOT NULL') NOT NULL,
    "a DEFAULT, b" public.geometry(Point,4326),
    size double precision GENERATED ALWAYS AS (public.area("a DEFAULT, b")) STORED,
    note text DEFAULT public.said() CONSTRAINT said NOT NULL,
    CONSTRAINT inside CHECK ((public.area("a DEFAULT, b") < 1))
);
ALTER TABLE ONLY public.t ALTER COLUMN id SET STATISTICS 5;
ALTER TABLE ONLY public.t ALTER COLUMN "a DEFAULT, b" SET STORAGE EXTERNAL;
"""


@pytest.mark.parametrize(
    ("pointed_at", "part", "gone"),
    [
        ("public.gen", ("DEFAULT", "id"), "DEFAULT public.gen(' DEFAULT x NOT NULL') "),
        ("public.said", ("DEFAULT", "note"), "DEFAULT public.said() "),
        ("uuid", ("COLUMN", "id"), "    id uuid"),
        ("public.geometry", ("COLUMN", "a DEFAULT, b"), "SET STORAGE EXTERNAL"),
        ("GENERATED", ("COLUMN", "size"), "GENERATED"),
        ("CHECK", ("CHECK CONSTRAINT", "inside"), "CONSTRAINT inside"),
    ],
)
def test_what_stands_where_the_server_points_goes_and_nothing_else(
    pointed_at: str, part: tuple[str, str], gone: str
) -> None:
    shorter = without_part_at(TABLE, TABLE.index(pointed_at.encode()))
    assert shorter is not None
    text, found = shorter
    assert found == TablePart(part[0], "public", "t", part[1])  # type: ignore[arg-type]
    assert gone.encode() in TABLE
    assert gone.encode() not in text
    assert text.startswith(b"CREATE TABLE public.t (\n    ")
    assert b",\n)" not in text
    assert b"\n);\n" in text
    if part[0] == "DEFAULT":
        assert text.count(b"NOT NULL") >= 2
    if part != ("COLUMN", "id"):
        assert b"    id uuid" in text
        assert b"ALTER COLUMN id SET STATISTICS" in text


def test_outside_the_columns_and_where_none_would_be_left_nothing_goes() -> None:
    assert without_part_at(TABLE, 3) is None
    assert without_part_at(TABLE, TABLE.index(b"SET STATISTICS")) is None
    one = b"CREATE TABLE public.t (\n    at public.geometry,\n    CONSTRAINT c CHECK (true)\n);\n"
    assert without_part_at(one, one.index(b"public.geometry")) is None
    assert without_part_at(b"CREATE TABLE public.t PARTITION OF public.u DEFAULT;\n", 9) is None


DUMP = b"""--
-- PostgreSQL database dump
--

-- Dumped from database version 18.6
-- Dumped by pg_dump version 18.6

SET client_encoding = 'UTF8';

--
-- Name: t; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.t (
    id integer,
    at public.geometry,
    note text
);


--
-- Data for Name: t; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.t (id, at, note) FROM stdin;
1\t01\ta\\tb
2\t\\N\t
\\.


--
-- PostgreSQL database dump complete
--

"""


@pytest.mark.parametrize("name", ["t", "t (old)"])
def test_a_dump_is_written_without_a_column_and_its_values(tmp_path: Path, name: str) -> None:
    path, to = tmp_path / "dump.sql", tmp_path / "shortened.sql"
    key = quote_identifier(name)
    dump = DUMP.replace(b"public.t ", b"public.%s " % key.encode())
    path.write_bytes(dump)
    layout = read_layout([dump], sorted_rows=False, spill_folder=tmp_path)
    (table, _) = layout.entries
    made = dump[table.start : table.end]
    shorter, _ = without_part_at(made, made.index(b"public.geometry")) or (b"", None)
    shortened = Shortened({(table.start, table.end): shorter}, {key: {"at"}})
    write_shortened(path, layout, shortened, to)
    assert to.read_bytes() == (
        dump.replace(b"    at public.geometry,\n", b"")
        .replace(
            b"COPY public.%s (id, at, note)" % key.encode(),
            b'COPY "public"."%s" ("id", "note")' % name.encode(),
        )
        .replace(b"1\t01\ta", b"1\ta")
        .replace(b"2\t\\N\t\n", b"2\t\n")
    )
    block = read_layout([to.read_bytes()], sorted_rows=False, spill_folder=tmp_path).tables[key]
    assert block.rows == 2
    with pytest.raises(PreconditionFailed, match="could not write a shortened dump"):
        write_shortened(path, layout, shortened, tmp_path / "nowhere" / "shortened.sql")
