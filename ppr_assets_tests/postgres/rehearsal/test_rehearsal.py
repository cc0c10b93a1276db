"""What a dump makes, tried without its rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg import sql

from ppr_assets.deadline import Deadline
from ppr_assets.plain_sql.parsing.layout import read_layout
from ppr_assets.postgres.rehearsal.rehearsal import rehearse
from ppr_assets.settings import DatabaseSettings
from ppr_assets_tests.application import connect
from ppr_assets_tests.fix_postgres import Databases

DUMP = """--
-- PostgreSQL database dump
--

SET client_encoding = 'LATIN1';

--
-- Name: Küche; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public."Küche" (
    "Größe" text,
    lage public.geometry
);


--
-- Data for Name: Küche; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public."Küche" ("Größe", lage) FROM stdin;
groß\t\\N
\\.


--
-- PostgreSQL database dump complete
--

""".encode("latin1")


@pytest.fixture
def in_latin_1(databases: Databases) -> Iterator[DatabaseSettings]:
    settings = databases.server.database_settings("rehearsed_in_latin_1")
    make = "CREATE DATABASE {} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0"
    with connect(databases.server.database_settings("postgres"), autocommit=True) as session:
        session.execute(sql.SQL(make).format(sql.Identifier(settings.dbname)))
    yield settings
    databases.drop(settings)


def test_tables_in_another_encoding_are_found_by_their_names(
    in_latin_1: DatabaseSettings, tmp_path: Path
) -> None:
    path = tmp_path / "dump.sql"
    whole = DUMP.replace(b"text,\n    lage public.geometry", b"text").replace(b", lage)", b")")
    path.write_bytes(whole.replace(b"\t\\N", b""))
    layout = read_layout([path.read_bytes()], sorted_rows=False, spill_folder=tmp_path)
    refused, _ = rehearse(in_latin_1, path, layout, deadline=Deadline(None))
    assert refused == []


def test_columns_that_a_table_goes_without_are_told_in_another_encoding(
    in_latin_1: DatabaseSettings, tmp_path: Path
) -> None:
    path = tmp_path / "dump.sql"
    extension = b"--\n-- Name: postgis; Type: EXTENSION; Schema: -; Owner: -\n--\n\n"
    extension += b"CREATE EXTENSION postgis WITH SCHEMA public;\n\n\n"
    at = DUMP.index(b"--\n-- Name: K")
    path.write_bytes(DUMP[:at] + extension + DUMP[at:])
    layout = read_layout([path.read_bytes()], sorted_rows=False, spill_folder=tmp_path)
    refused, shortened = rehearse(in_latin_1, path, layout, deadline=Deadline(None), shorten=True)
    assert [(one.kind, one.reason) for one in refused] == [
        ("EXTENSION", "server"),
        ("COLUMN", "needs another"),
    ]
    (key,) = layout.tables
    assert shortened.columns == {key: {"lage"}}
