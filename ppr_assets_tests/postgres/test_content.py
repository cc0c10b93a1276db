"""What is in a database is told from what is in a dump, to the last row and definition."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from ppr_assets.deadline import Deadline
from ppr_assets.errors import RestoreFailed
from ppr_assets.postgres.content import read_tables, table_differences
from ppr_assets.postgres.embedded import EmbeddedServer
from ppr_assets.postgres.layout import Layout
from ppr_assets.postgres.load import load
from ppr_assets.postgres.schema_content import schema_differences
from ppr_assets.rules.naming import quote_identifier
from ppr_assets.settings import DatabaseSettings
from ppr_assets_tests.application import connect
from ppr_assets_tests.fix_nasty import Dumped, dump_to
from ppr_assets_tests.fix_postgres import OWNER
from ppr_assets_tests.postgres.test_load import layout_of

Empty = Callable[[], DatabaseSettings]
NO_HURRY = Deadline(None)


def differences(database: DatabaseSettings, dumped: Dumped, layout: Layout) -> list[str]:
    folder = dumped.path.parent
    found = read_tables(database, layout, spill_folder=folder, deadline=NO_HURRY)
    objects = schema_differences(
        database, dumped.path, layout, spill_folder=folder, deadline=NO_HURRY
    )
    return [*table_differences(layout.tables, found), *objects]


def change(database: DatabaseSettings, statement: str) -> None:
    with connect(database, autocommit=True) as session:
        session.execute(statement.encode())


@pytest.mark.parametrize("where", ["Australia/Lord_Howe", "UTC"])
def test_a_nasty_database_is_what_its_dump_says_in_every_time_zone(
    nasty_database: DatabaseSettings, tmp_path: Path, where: str
) -> None:
    name = quote_identifier(nasty_database.dbname)
    change(nasty_database, f"ALTER DATABASE {name} SET timezone TO '{where}'")
    dumped = dump_to(nasty_database, tmp_path / "nasty.sql")
    layout = layout_of(dumped.path)
    change(nasty_database, f"ALTER DATABASE {name} SET timezone TO 'Asia/Kathmandu'")
    assert layout.tables == dumped.written.tables
    assert differences(nasty_database, dumped, layout) == []


def test_what_is_read_back_on_the_way_is_what_is_read_afterwards(
    nasty_database: DatabaseSettings, empty_database: Empty, tmp_path: Path
) -> None:
    dumped = dump_to(nasty_database, tmp_path / "nasty.sql")
    restored = empty_database()
    report = load(
        dumped.path,
        layout_of(dumped.path),
        restored,
        deadline=NO_HURRY,
        analyze=True,
        read_back_in=tmp_path,
    )
    assert report.tables == dumped.written.tables
    with connect(restored) as session:
        analyzed = session.execute("SELECT reltuples FROM pg_class WHERE relname = 'organization'")
        assert analyzed.fetchone() == (dumped.counts["organization"],)
    assert differences(restored, dumped, layout_of(dumped.path)) == []


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (
            "DELETE FROM organization_identifier WHERE id = (SELECT min(id) FROM "
            "organization_identifier)",
            r"table organization_identifier has \d+ rows, the dump has \d+",
        ),
        (
            "UPDATE organization SET name = name || ' ' WHERE id = (SELECT min(id) FROM "
            "organization)",
            r"table organization has other rows than the dump: SHA-256 \w{12}…, the dump has .*",
        ),
        ("DROP INDEX organization_name_idx", "index organization_name_idx is missing"),
        (
            "ALTER TABLE url DROP CONSTRAINT url_pkey",
            "constraint url url_pkey is missing",
        ),
        (
            "ALTER TABLE organization ALTER name DROP NOT NULL",
            "table organization is another than in the dump",
        ),
        ("CREATE VIEW more AS SELECT 1", "view more is not in the dump"),
        (
            "ALTER TABLE location DROP CONSTRAINT location_organization_id_fkey; "
            "ALTER TABLE location ADD CONSTRAINT location_organization_id_fkey FOREIGN KEY "
            "(organization_id) REFERENCES organization(id) ON DELETE CASCADE NOT VALID",
            "fk constraint location location_organization_id_fkey is another than in the dump",
        ),
    ],
)
def test_what_differs_is_said(
    database: DatabaseSettings, tmp_path: Path, statement: str, said: str
) -> None:
    dumped = dump_to(database, tmp_path / "sample.sql")
    layout = layout_of(dumped.path)
    change(database, statement)
    found = differences(database, dumped, layout)
    assert len(found) == 1, found
    assert re.fullmatch(said, found[0])


def test_tables_come_back_into_their_tablespaces_and_another_one_is_told(
    empty_database: Empty, embedded_server: EmbeddedServer, tmp_path: Path
) -> None:
    disk = '"fast; ""disk"""'
    server = embedded_server.database_settings("postgres")
    with connect(server, autocommit=True) as session:
        session.execute("SET allow_in_place_tablespaces = on")
        session.execute(f"CREATE TABLESPACE {disk} OWNER {OWNER} LOCATION ''".encode())
    source, restored = empty_database(), empty_database()
    change(
        source,
        f"CREATE TABLE organization (id int PRIMARY KEY USING INDEX TABLESPACE {disk});"
        f"CREATE TABLE location () TABLESPACE {disk}; CREATE TABLE service ()",
    )
    dumped = dump_to(source, tmp_path / "disks.sql")
    load(dumped.path, layout_of(dumped.path), restored, deadline=NO_HURRY)
    assert dump_to(restored, tmp_path / "again.sql").sql == dumped.sql
    change(restored, "ALTER TABLE location SET TABLESPACE pg_default")
    assert differences(restored, dumped, layout_of(dumped.path)) == [
        "table location is another than in the dump"
    ]


@pytest.mark.parametrize("piece", [2**26, 5, 2])
def test_sequences_large_objects_and_unfilled_views_are_told(
    piece: int, empty_database: Empty, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ppr_assets.postgres.large_objects.PIECE", piece)
    source = empty_database()
    change(
        source,
        "CREATE TABLE organization (); CREATE TABLE location (); CREATE TABLE service ();"
        "CREATE SEQUENCE \"it's\"; SELECT setval('\"it''s\"', 7);"
        "SELECT lo_from_bytea(77, '5byte'), lo_from_bytea(78, ''), lo_from_bytea(79, 'gone');"
        "CREATE MATERIALIZED VIEW filled AS SELECT 1 AS one",
    )
    dumped = dump_to(source, tmp_path / "objects.sql")
    layout = layout_of(dumped.path)
    assert differences(source, dumped, layout) == []
    change(
        source,
        "SELECT setval('\"it''s\"', 8, false); SELECT lo_put(77, 4, 'E'), lo_unlink(79);"
        "REFRESH MATERIALIZED VIEW filled WITH NO DATA; SELECT lo_from_bytea(80, 'more')",
    )
    assert differences(source, dumped, layout) == [
        'sequence public."it\'s" is at 8 (not drawn yet), the dump has 7',
        "materialized view public.filled is not filled",
        "large object 77 has other bytes than in the dump",
        "large object 79 is missing",
        "large object 80 is not in the dump",
    ]


def test_a_table_that_is_gone_is_an_error_naming_it(
    database: DatabaseSettings, tmp_path: Path
) -> None:
    dumped = dump_to(database, tmp_path / "sample.sql")
    change(database, "DROP TABLE url")
    with pytest.raises(
        RestoreFailed, match=r'^url could not be .*: relation "public.url" does not'
    ):
        differences(database, dumped, layout_of(dumped.path))
