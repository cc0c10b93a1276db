from __future__ import annotations

from pathlib import Path

import pytest

from ppr_assets.plain_sql.parsing.grammar import pieces
from ppr_assets.plain_sql.parsing.layout import read_layout
from ppr_assets.plain_sql.parsing.pieces import CopyRows, Line
from ppr_assets.plain_sql.schema import SchemaReader
from ppr_assets.rules.profile.schema import Schema, schema_changes
from ppr_assets_tests.places import ROOT

DUMP = b"""--
-- PostgreSQL database dump
--

SET client_encoding = 'UTF8';
SELECT pg_catalog.set_config('search_path', '', false);

--
-- Name: normalized(text); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.normalized(name text) RETURNS text
    LANGUAGE sql
    AS $$ SELECT lower(name) $$;


--
-- Name: FUNCTION normalized(name text); Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON FUNCTION public.normalized(name text) IS 'As it is looked for.';


--
-- Name: service; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.service (
    id character varying(250) NOT NULL,
    "Fee, due" numeric(10,2) DEFAULT 0,
    notes text DEFAULT 'a
    new line'::text,
    status text,
    CONSTRAINT service_status_check CHECK ((status = ANY (ARRAY['a'::text, 'b'::text])))
);


--
-- Data for Name: service; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.service (id, "Fee, due", notes, status) FROM stdin;
1\t2\tx\ta
\\.


--
-- Name: service service_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.service
    ADD CONSTRAINT service_pkey PRIMARY KEY (id);


--
-- PostgreSQL database dump complete
--

"""


def _schema(dump: bytes) -> Schema:
    reader = SchemaReader()
    for piece in pieces([dump], quoting=False):  # as a dump is read that is to be published
        if isinstance(piece, Line):
            reader.line(piece)
        elif isinstance(piece, CopyRows):
            reader.copy(piece)
            assert all(piece.rows)
    return reader.finished()


def test_columns_constraints_and_functions_are_known() -> None:
    found = _schema(DUMP)
    assert {table: list(columns) for table, columns in found.tables.items()} == {
        "service": ["id", "Fee, due", "notes", "status"]
    }
    assert list(found.objects) == [
        "function normalized(text)",
        "constraint service_status_check of service",
        "constraint service_pkey of service",
    ]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b"2\tx\ta", b"3\ty\tb", []),  # rows are no part of it
        (b"looked for", b"sought", []),
        (b"    status text,\n", b"", ["column service.status is gone"]),
        (
            b"    status text,\n",
            b"    status text,\n    url text,\n",
            ["column service.url is new"],
        ),
        (b"numeric(10,2)", b"integer", ["column service.Fee, due is defined in another way"]),
        (b"new line", b"line", ["column service.notes is defined in another way"]),
        (
            b"'b'::text",
            b"'c'::text",
            ["constraint service_status_check of service is defined in another way"],
        ),
        (b"lower(", b"upper(", ["function normalized(text) is defined in another way"]),
        (b"(id);", b"(status);", ["constraint service_pkey of service is defined in another way"]),
        (b"service_pkey", b"pk", [
            "constraint pk of service is new", "constraint service_pkey of service is gone",
        ]),
    ],
)  # fmt: skip
def test_each_change_is_named(old: bytes, new: bytes, said: list[str]) -> None:
    changed = DUMP.replace(old, new)
    assert changed != DUMP
    assert schema_changes(_schema(DUMP), _schema(changed)) == said


def test_a_dump_is_read_to_its_oddest_column(tmp_path: Path) -> None:
    dump = (ROOT / "ppr_assets_tests/postgres/old_dumps/postgresql_17.sql").read_bytes()
    layout = read_layout([dump], sorted_rows=False, spill_folder=tmp_path)
    found = _schema(dump)
    assert found.tables.keys() >= layout.tables.keys()
    short = set()
    for key, block in layout.blocks.items():
        if not set(block.columns) <= found.tables[key].keys():
            short.add(key)
    assert short == {"shapes.dog", "shapes.lap_dog", "shapes.typed"}, "which have them elsewhere"
