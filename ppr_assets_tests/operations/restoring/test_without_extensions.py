"""A dump of a database with an extension comes back where there is none, but for what needs it."""

from __future__ import annotations

import lzma
from dataclasses import replace
from pathlib import Path

import pytest

from ppr_assets.deadline import Deadline
from ppr_assets.errors import PreconditionFailed
from ppr_assets.operations.restoring.replacing import STRICT, Terms
from ppr_assets.operations.restoring.restore import restore
from ppr_assets.operations.sources.wanted import FoundDump
from ppr_assets.rules.gate.replacement import WITHOUT_EXTENSIONS, Guard
from ppr_assets.settings import DatabaseSettings
from ppr_assets_tests.application import connect
from ppr_assets_tests.fix_nasty import dump_to
from ppr_assets_tests.fix_postgres import Databases
from ppr_assets_tests.fix_restore import NAMES, MadeDump, MakeTarget, forge, make_dump
from ppr_assets_tests.places import SHARED

REAL_DUMPS = sorted((SHARED / "data/real-dumps").glob("*.sql.*z"))
NO_HURRY = Deadline(None)
WITHOUT = Terms(Guard(without=WITHOUT_EXTENSIONS))

SCHEMA = """
CREATE TABLE organization (id integer);
CREATE TABLE location (id integer);
CREATE TABLE service (id integer);
CREATE EXTENSION cube;
CREATE DOMAIN room AS cube;
CREATE TABLE place (
    id integer PRIMARY KEY,
    "it's; at" cube DEFAULT cube(1) NOT NULL,
    size float8 DEFAULT cube_size(cube(ARRAY[1, 2])) NOT NULL,
    note text DEFAULT ' DEFAULT cube(1), NOT NULL' NOT NULL,
    corner float8 GENERATED ALWAYS AS (cube_ll_coord("it's; at", 1)) STORED,
    CONSTRAINT inside CHECK (cube_size("it's; at") < 9),
    CONSTRAINT large CHECK (size >= 0)
);
ALTER TABLE place ALTER COLUMN "it's; at" SET STATISTICS 5;
ALTER TABLE place ALTER COLUMN note SET STATISTICS 7;
CREATE TABLE child (more text) INHERITS (place);
CREATE TABLE keyed (at cube PRIMARY KEY, of integer REFERENCES place);
CREATE TABLE pointing (at cube REFERENCES keyed, boxed room, what text);
CREATE TABLE cubes (c cube);
CREATE INDEX by_cube ON place USING gist ("it's; at");
CREATE INDEX by_note ON place (note);
CREATE VIEW where_is AS SELECT id, "it's; at" FROM place;
CREATE VIEW notes AS SELECT id, note FROM place;
CREATE MATERIALIZED VIEW kept AS SELECT id, cube(size) AS c FROM place;
CREATE FUNCTION moved(c cube) RETURNS cube LANGUAGE sql AS 'SELECT c';
COMMENT ON FUNCTION moved IS 'moves';
COMMENT ON COLUMN place."it's; at" IS 'where';
COMMENT ON COLUMN place.note IS 'what';
INSERT INTO place VALUES (1, cube(1, 2), 3, E'tab\\tand\\nline'), (2, cube(2), 4, '\\N');
INSERT INTO child VALUES (3, cube(3), 5, 'c', DEFAULT, 'more');
INSERT INTO keyed VALUES (cube(1), 1);
INSERT INTO pointing VALUES (cube(1), cube(2), 'w'), (NULL, NULL, NULL);
INSERT INTO cubes VALUES (cube(1)), (cube(2));
"""


@pytest.fixture(scope="module")
def with_cubes(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> MadeDump:
    """A dump of all that hangs on an extension, which says that it needs one that nobody has."""
    folder = tmp_path_factory.mktemp("cubes")
    database = databases.create()
    with connect(replace(database, user="postgres"), autocommit=True) as session:
        session.execute(SCHEMA.encode())
    made = make_dump(replace(database, user="postgres"), folder / NAMES[0])
    databases.drop(database)
    (folder / "nowhere").mkdir()

    def of_nowhere(text: bytes) -> bytes:
        named = text.replace(b"Name: cube; Type: EXTENSION", b"Name: nowhere; Type: EXTENSION")
        return named.replace(b"EXISTS cube ", b"EXISTS nowhere ")

    return forge(made, folder / "nowhere", of_nowhere)


def test_what_needs_the_extension_is_named_and_all_else_comes_back_compared(
    with_cubes: MadeDump, make_target: MakeTarget, tmp_path: Path
) -> None:
    target = make_target(seed=None)
    outcome = restore(target.settings, with_cubes.found(tmp_path), WITHOUT, deadline=NO_HURRY)
    let = "left out, as --without-extensions lets it: "
    left = [one.removeprefix(let).partition(" (")[0] for one in outcome.remarks if let in one]
    assert sorted(left) == [
        "check constraint place.inside",
        "column keyed.at",
        "column place.corner",
        "column place.it's; at",
        "column pointing.at",
        "column pointing.boxed",
        "constraint keyed keyed_pkey",
        "default child it's; at",
        "default child size",
        "default place.size",
        "domain room",
        "extension nowhere",
        "fk constraint pointing pointing_at_fkey",
        "function moved(public.cube)",
        "index by_cube",
        "materialized view data kept",
        "materialized view kept",
        "table cubes",
        "table data cubes",
        "view where_is",
    ]
    assert {key: record.rows for key, record in outcome.tables.items() if record.rows} == {
        "child": 1, "keyed": 1, "place": 2, "pointing": 2,
    }  # fmt: skip
    assert "(its table is not there, rows: 2)" in "".join(outcome.remarks)
    note = target.comment(target.settings.dbname)
    assert f"`{NAMES[0]}` was restored without extension nowhere, " in note
    assert ", column place.it's; at, " in note
    with connect(target.settings) as session:
        rows = session.execute("SELECT * FROM public.place ORDER BY id").fetchall()
        assert rows == [(1, 3, "tab\tand\nline"), (2, 4, "\\N"), (3, 5, "c")]
        rows = session.execute("SELECT * FROM public.child").fetchall()
        assert rows == [(3, 5, "c", "more")]
        session.execute("INSERT INTO public.place (id, size) VALUES (4, 0)")
        (note,) = session.execute("SELECT note FROM public.notes WHERE id = 4").fetchone() or ()
        assert note == " DEFAULT cube(1), NOT NULL"
        described = session.execute(
            "SELECT pg_catalog.col_description('public.place'::regclass, attnum), attstattarget "
            "FROM pg_attribute WHERE attrelid = 'public.place'::regclass AND attname = 'note'"
        ).fetchone()
        assert described == ("what", 7)


def test_without_being_asked_for_it_names_the_extension_and_makes_nothing(
    with_cubes: MadeDump, make_target: MakeTarget, tmp_path: Path
) -> None:
    target = make_target(seed=None)
    before = target.databases()
    with pytest.raises(PreconditionFailed, match="lacks the extension nowhere") as refused:
        restore(target.settings, with_cubes.found(tmp_path), STRICT, deadline=NO_HURRY)
    assert "`--without-extensions` goes without it and what needs" in refused.value.hint
    assert target.databases() == before


def test_places_come_back_but_for_their_points_where_postgis_is_not(
    postgis_database: DatabaseSettings, make_target: MakeTarget, tmp_path: Path
) -> None:
    dump = dump_to(postgis_database, tmp_path / NAMES[0])
    target = make_target(seed=None)
    found = FoundDump(dump.path.name, dump.path, None, None, tmp_path / "spilled")
    found.spill_folder.mkdir()
    outcome = restore(target.settings, found, WITHOUT, deadline=NO_HURRY)
    own = {"spatial_ref_sys", "topology.layer", "topology.topology"}
    assert {key: one.rows for key, one in outcome.tables.items()} == {
        key: rows for key, rows in dump.counts.items() if key not in own
    }
    said = "\n".join(outcome.remarks)
    for left_out in (
        'column location.place (type "public.geography" does not exist)',
        "check constraint drawn.check_topogeom_street (column",
        "view near (column a.place does not exist)",
        "index location_shape (column",
        "table data spatial_ref_sys (its table is not there, rows: 1)",
    ):
        assert f"left out, as --without-extensions lets it: {left_out}" in said


@pytest.mark.skipif(not REAL_DUMPS, reason="../shared is not there")
def test_a_real_dump_comes_back_where_neither_postgis_nor_uuid_ossp_is(
    make_target: MakeTarget, tmp_path: Path
) -> None:
    packed = REAL_DUMPS[-1]
    path = tmp_path / packed.stem
    path.write_bytes(lzma.decompress(packed.read_bytes()))
    target = make_target(seed=None)
    found = FoundDump(path.name, path, None, None, tmp_path)
    outcome = restore(target.settings, found, WITHOUT, deadline=NO_HURRY)
    assert outcome.rows == 2340
    note = target.comment(target.settings.dbname)
    assert f"`{path.name}` was restored without" in note
    assert note.partition("without ")[2] == (
        "extension postgis, extension uuid-ossp, default record_version.id, "
        "index idx_location_coords, table data spatial_ref_sys"
    )
