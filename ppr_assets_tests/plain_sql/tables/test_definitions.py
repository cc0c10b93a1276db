"""Tables as pg_dump's statements tell of them."""

from __future__ import annotations

import pytest

from ppr_assets.plain_sql.tables.definitions import Column, column_type, table_definitions

_SQL = [
    (
        "TABLE",
        b"""CREATE TABLE public.location (
    id character varying(250) NOT NULL,
    "odd ""NOT NULL"" name" numeric(10,7) DEFAULT 0.0,
    kind public."Kind of ""it" COLLATE pg_catalog."C",
    at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT latitude_range CHECK ((id <> 'a
b'::text))
);""",
    ),
    ("COMMENT", b"COMMENT ON TABLE public.location IS 'Where it''s\nserved';"),
    ("COMMENT", b"COMMENT ON COLUMN public.location.kind IS 'of place';"),
    ("COMMENT", b"COMMENT ON COLUMN public.other.kind IS 'of no table here';"),
    (
        "CONSTRAINT",
        b"ALTER TABLE ONLY public.location\n    ADD CONSTRAINT k PRIMARY KEY (id, kind);",
    ),
    (
        "FK CONSTRAINT",
        b"ALTER TABLE ONLY public.location\n    ADD CONSTRAINT f FOREIGN KEY (kind, at) "
        b'REFERENCES geo."Area"(id, "when") ON DELETE CASCADE;',
    ),
    (
        "TABLE ATTACH",
        b"ALTER TABLE ONLY public.location ATTACH PARTITION geo.l1 FOR VALUES IN (1);",
    ),
]


def test_columns_keys_comments_and_partitions_are_read() -> None:
    (table,) = table_definitions(_SQL).values()
    assert table.key == "location"
    assert [*table.columns.values()] == [
        Column("id", "character varying(250)"),
        Column('odd "NOT NULL" name', "numeric(10,7)"),
        Column("kind", 'public."Kind of ""it"', "of place"),
        Column("at", "timestamp with time zone"),
    ]
    assert table.comment == "Where it's\nserved"
    assert table.primary_key == ("id", "kind")
    assert table.foreign_keys == [("location", ("kind", "at"), 'geo."Area"', ("id", "when"))]
    assert table.partitions == ["geo.l1"]


def test_a_domain_s_values_are_of_the_type_below_it() -> None:
    domains = [
        ("DOMAIN", b"CREATE DOMAIN public.counted AS integer\n\tCONSTRAINT c CHECK ((VALUE > 0));"),
        ("DOMAIN", b'CREATE DOMAIN geo."Few" AS public.counted DEFAULT 1;'),
    ]
    items = b'a public.counted NOT NULL,\n    b geo."Few",\n    c text'
    made = b"CREATE TABLE public.place (\n    " + items + b"\n);"
    comment = b"COMMENT ON COLUMN public.place.b IS 'told';"
    statements = [*domains, ("TABLE", made), ("COMMENT", comment)]
    columns = table_definitions(statements)["place"].columns
    assert [(one.type, one.values) for one in columns.values()] == [
        ("public.counted", "integer"),
        ('geo."Few"', "integer"),
        ("text", "text"),
    ]


@pytest.mark.parametrize(
    ("definition", "type_"),
    [
        (b"text", "text"),
        (b"text[] DEFAULT '{}'::text[] NOT NULL", "text[]"),
        (b"integer GENERATED ALWAYS AS IDENTITY", "integer"),
        (b"bigint CONSTRAINT named NOT NULL", "bigint"),
        (b'public."x NOT NULL y" NOT NULL', 'public."x NOT NULL y"'),
    ],
)
def test_the_type_ends_where_pg_dump_says_more(definition: bytes, type_: str) -> None:
    assert column_type(definition) == type_
