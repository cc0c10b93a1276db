"""What is in a database is told from what is in a dump, to the last row and definition."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from ppr_assets.deadline import Deadline
from ppr_assets.errors import RestoreFailed
from ppr_assets.plain_sql.parsing.layout import Layout
from ppr_assets.postgres.compare.content import read_tables, table_differences
from ppr_assets.postgres.compare.schema_content import (
    ComparedObjects,
    Twin,
    compare_objects,
    definitions_in,
)
from ppr_assets.postgres.compare.schema_objects import Objects, Within
from ppr_assets.postgres.embedded import EmbeddedServer
from ppr_assets.postgres.load import Wishes, load, make_definitions
from ppr_assets.rules.naming import quote_identifier
from ppr_assets.settings import DatabaseSettings
from ppr_assets_tests.application import connect
from ppr_assets_tests.fix_nasty import Dumped, dump_to, fill_core, fill_words
from ppr_assets_tests.fix_postgres import OWNER
from ppr_assets_tests.postgres.test_load import layout_of

Empty = Callable[[], DatabaseSettings]
NO_HURRY = Deadline(None)
ACTING = (
    "CREATE FUNCTION act() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$;"
    "CREATE EVENT TRIGGER acting ON ddl_command_end EXECUTE FUNCTION act();"
)


def no_twin() -> DatabaseSettings:
    raise AssertionError("where words tell, no second load is paid for")


def compared(
    database: DatabaseSettings,
    dumped: Dumped,
    layout: Layout,
    twin: Empty,
    seen: Objects | None = None,
) -> ComparedObjects:
    return compare_objects(
        database,
        dumped.path,
        layout,
        twin=Twin(twin, seen),
        within=Within(dumped.path.parent, NO_HURRY),
    )


def differences(
    database: DatabaseSettings, dumped: Dumped, layout: Layout, twin: Empty = no_twin
) -> list[str]:
    found = read_tables(database, layout, spill_folder=dumped.path.parent, deadline=NO_HURRY)
    objects = compared(database, dumped, layout, twin).differences
    return [*table_differences(layout.tables, found), *map(str, objects)]


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
        Wishes(analyze=True, read_back_in=tmp_path),
        deadline=NO_HURRY,
    )
    assert report.tables == dumped.written.tables
    with connect(restored) as session:
        query = "SELECT reltuples FROM pg_class WHERE oid = 'public.organization'::regclass"
        analyzed = session.execute(query)
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
            "table organization differs from the dump: it has `name text,`, the dump gives "
            "`name text NOT NULL,`",
        ),
        ("CREATE VIEW more AS SELECT 1", "view more is not in the dump"),
        (
            "ALTER TABLE location DROP CONSTRAINT location_organization_id_fkey; "
            "ALTER TABLE location ADD CONSTRAINT location_organization_id_fkey FOREIGN KEY "
            "(organization_id) REFERENCES organization(id) ON DELETE CASCADE NOT VALID",
            r"fk constraint location location_organization_id_fkey differs from the dump: "
            r"it has `….*organization\(id\) ON DELETE CASCADE NOT VALID;`, "
            r"the dump gives `….*organization\(id\) ON DELETE CASCADE;`",
        ),
    ],
)
def test_what_differs_is_said(
    database: DatabaseSettings,
    empty_database: Empty,
    tmp_path: Path,
    statement: str,
    said: str,
) -> None:
    dumped = dump_to(database, tmp_path / "sample.sql")
    layout = layout_of(dumped.path)
    change(database, statement)
    found = differences(database, dumped, layout, empty_database)
    assert len(found) == 1, found
    assert re.fullmatch(said, found[0])


@pytest.fixture
def reworded(empty_database: Empty, tmp_path: Path) -> tuple[DatabaseSettings, Dumped]:
    """A dump whose definitions PostgreSQL words anew, and what it was loaded into."""
    source, restored = empty_database(), empty_database()
    fill_core(source)
    fill_words(source)
    dumped = dump_to(source, tmp_path / "words.sql")
    load(dumped.path, layout_of(dumped.path), restored, deadline=NO_HURRY)
    return restored, dumped


def test_what_postgresql_itself_words_anew_is_equal(
    reworded: tuple[DatabaseSettings, Dumped], empty_database: Empty, tmp_path: Path
) -> None:
    restored, dumped = reworded
    assert dump_to(restored, tmp_path / "again.sql").sql != dumped.sql
    found = compared(restored, dumped, layout_of(dumped.path), empty_database)
    assert found.differences == []
    (remark,) = found.remarks
    number = re.fullmatch(
        r"(\d+) of \d+ definitions have other words than in the dump, and are what its own "
        "statements give a second time",
        remark,
    )
    assert number is not None and int(number[1]) > 15


CHANGES = {
    "ALTER TABLE service DROP CONSTRAINT known_kind, ADD CONSTRAINT known_kind "
    "CHECK (kind IN ('a', 'c'))": "table service",
    "ALTER TABLE service ALTER kind SET DEFAULT 'b'": "table service",
    "ALTER DOMAIN size_of DROP CONSTRAINT size_of_check; ALTER DOMAIN size_of ADD CONSTRAINT "
    "size_of_check CHECK (value IN ('s', 'm', 'l', 'xl'))": "domain size_of",
    "DROP INDEX words_common; CREATE INDEX words_common ON words (id) WHERE kind IN ('a')": (
        "index words_common"
    ),
    "CREATE OR REPLACE VIEW meals AS SELECT id FROM words WHERE kind NOT IN ('x')": "view meals",
    "CREATE OR REPLACE VIEW kinds_of (id, kind) AS VALUES (1, 'food'), (2, 'meal')": (
        "view kinds_of"
    ),
    "ALTER POLICY reading ON words USING (kind IN ('a'))": "policy words reading",
    "CREATE OR REPLACE RULE quietly AS ON DELETE TO words WHERE old.kind IN ('b') DO ALSO "
    "NOTHING": "rule words quietly",
    "CREATE OR REPLACE TRIGGER touched BEFORE UPDATE ON words FOR EACH ROW WHEN (new.id BETWEEN 1 "
    "AND 5) EXECUTE FUNCTION touch()": "trigger words touched",
    "ALTER TABLE year_2025 ALTER late SET DEFAULT 'b'": "table year_2025",
    "ALTER TABLE grandchild ALTER more SET DEFAULT 1": "table grandchild",
    "COMMENT ON VIEW meals IS 'more'": "comment VIEW meals",
}
"""Statements, and what differs from the dump then."""


def test_what_is_really_another_is_found_among_other_words(
    reworded: tuple[DatabaseSettings, Dumped], empty_database: Empty
) -> None:
    restored, dumped = reworded
    for statement in CHANGES:
        change(restored, statement)
    found = differences(restored, dumped, layout_of(dumped.path), empty_database)
    told = [re.split(" differs from | is not ", line)[0] for line in found]
    assert told == sorted(set(CHANGES.values()))


def test_what_was_seen_where_a_dump_was_tried_spares_the_twin(
    reworded: tuple[DatabaseSettings, Dumped], empty_database: Empty
) -> None:
    restored, dumped = reworded
    tried, layout = empty_database(), layout_of(dumped.path)
    make_definitions(dumped.path, layout, tried, deadline=NO_HURRY, going_on=lambda: None)

    def seen() -> Objects | None:
        return definitions_in(tried, layout, Within(dumped.path.parent, NO_HURRY))

    assert compared(restored, dumped, layout, no_twin, seen()).differences == []
    change(dataclasses.replace(tried, user="postgres"), ACTING)
    assert seen() is None


def test_a_twin_that_somebody_else_changes_as_well_excuses_nothing(
    reworded: tuple[DatabaseSettings, Dumped],
    empty_database: Empty,
) -> None:
    """An event trigger in the template acts on the first database and on the second."""
    restored, dumped = reworded

    def twin(more: str = "") -> DatabaseSettings:
        made = empty_database()
        change(dataclasses.replace(made, user="postgres"), f"{ACTING} {more}")
        return made

    layout = layout_of(dumped.path)
    found = compared(restored, dumped, layout, twin).differences
    assert found
    for difference in found:
        assert "differs from the dump: it has `" in difference.text
        assert difference.text.endswith("(event trigger acting is in every new database here)")
        assert difference.acceptable
    member = "ALTER EXTENSION plpgsql ADD EVENT TRIGGER acting"
    of_the_dump = replace(layout, extensions=("plpgsql",))
    assert compared(restored, dumped, of_the_dump, lambda: twin(member)).differences == []


def test_a_twin_that_cannot_be_made_is_told_with_what_differs(
    reworded: tuple[DatabaseSettings, Dumped], empty_database: Empty
) -> None:
    restored, dumped = reworded

    def twin() -> DatabaseSettings:
        made = empty_database()
        change(made, "CREATE TABLE words ()")
        return made

    found = compared(restored, dumped, layout_of(dumped.path), twin).differences
    assert found
    why = 'table words could not be restored: relation "words" already exists'
    assert all(why in difference.text for difference in found)


def test_tables_come_back_into_their_tablespaces_and_another_one_is_told(
    empty_database: Empty, embedded_server: EmbeddedServer, tmp_path: Path
) -> None:
    disk, name = '"fast; ""disk"""', 'fast; "disk"'
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
    assert differences(restored, dumped, layout_of(dumped.path), empty_database) == [
        "table location differs from the dump: it has `CREATE TABLE public.location (`, the "
        f"dump gives `-- Tablespace: {name}`"
    ]


@pytest.mark.parametrize("piece", [2**26, 5, 2])
def test_sequences_large_objects_and_unfilled_views_are_told(
    piece: int, empty_database: Empty, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ppr_assets.postgres.compare.value_content.PIECE", piece)
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
