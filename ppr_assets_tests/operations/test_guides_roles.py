"""The operator's guide's SQL for roles, run as it stands there: dumps, drills and restores work."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

import psycopg
import pytest

from ppr_assets.deadline import Deadline
from ppr_assets.operations.doctor import preconditions
from ppr_assets.operations.restoring.drill import drill
from ppr_assets.operations.restoring.proof_server import ProofPlace
from ppr_assets.operations.restoring.restore import restore
from ppr_assets.operations.sources.shelf import found_dump
from ppr_assets.operations.sources.wanted import Wanted
from ppr_assets.postgres.embedded import EmbeddedServer
from ppr_assets.postgres.sessions.connection import connect
from ppr_assets.settings import DatabaseSettings
from ppr_assets_tests.fix_debian import DebianServer, missing
from ppr_assets_tests.fix_nasty import fill_core
from ppr_assets_tests.fix_pipeline import Pipeline
from ppr_assets_tests.places import ROOT

GUIDE = ROOT / "docs" / "operators-guide.md"
ROLE = "guided"
"""Instead of pantry_pirate_radio, which the test server has under its own rights."""

PLACES = """
SET search_path TO public;
CREATE EXTENSION postgis WITH SCHEMA public;
INSERT INTO spatial_ref_sys (srid, auth_name, auth_srid, srtext, proj4text)
VALUES (990001, 'pantry', 1, 'LOCAL_CS["a grid"]', '+proj=longlat +datum=WGS84 +no_defs');
ALTER TABLE location ADD COLUMN place geography(Point, 4326);
UPDATE location SET place = st_point(longitude, latitude)::geography;
CREATE INDEX location_place ON location USING gist (place);
"""

OTHERS = """
SET search_path TO public;
CREATE TYPE state AS ENUM ('open', 'closed');
CREATE DOMAIN share AS int CHECK (value BETWEEN 0 AND 100);
CREATE FUNCTION half(share) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1 / 2';
CREATE SEQUENCE alone;
CREATE TABLE visit (id serial, n int GENERATED ALWAYS AS IDENTITY, s state, of share)
  PARTITION BY RANGE (n);
CREATE TABLE visit_1 PARTITION OF visit FOR VALUES FROM (1) TO (9);
CREATE VIEW visits AS SELECT * FROM visit;
CREATE MATERIALIZED VIEW visits_made AS SELECT * FROM visit;
"""
NOT_OURS = """
SELECT relname FROM pg_catalog.pg_class
WHERE relnamespace = 'public'::pg_catalog.regnamespace
AND pg_catalog.pg_get_userbyid(relowner) <> CURRENT_USER
UNION ALL SELECT typname FROM pg_catalog.pg_type
WHERE typnamespace = 'public'::pg_catalog.regnamespace
AND pg_catalog.pg_get_userbyid(typowner) <> CURRENT_USER
UNION ALL SELECT proname FROM pg_catalog.pg_proc
WHERE pronamespace = 'public'::pg_catalog.regnamespace
AND pg_catalog.pg_get_userbyid(proowner) <> CURRENT_USER
"""

At = Callable[[str, str], DatabaseSettings]
"""The settings of a database and a role."""


def _blocks() -> list[str]:
    """The SQL of the guide's section on roles: role and owner, tables, those of a superuser,
    extension in template1."""
    section = GUIDE.read_text().partition("\n## Roles\n")[2].partition("\n## ")[0]
    return [
        block.replace("pantry_pirate_radio", ROLE)
        for block in re.findall(r"```sql\n(.*?)```", section, re.DOTALL)
    ]


@contextmanager
def _guided(at: At, *, postgis: bool, of: str = "old_owner") -> Iterator[DatabaseSettings]:
    """A database that somebody else has filled, and the role that the guide then makes of it."""
    role_and_owner, tables, of_a_superuser, extension = _blocks()

    def run(dbname: str, statements: str, user: str = "postgres") -> None:
        with connect(at(dbname, user), autocommit=True) as session:
            session.execute(statements.encode())

    run("postgres", "CREATE ROLE old_owner LOGIN")
    run("postgres", f"CREATE DATABASE {ROLE} OWNER old_owner")
    try:
        fill_core(at(ROLE, of))
        run(ROLE, OTHERS, of)
        if postgis:
            run(ROLE, PLACES)
        for statement in re.findall(r"[^;]+;", role_and_owner):
            run("postgres", statement)
        run(ROLE, tables if of == "old_owner" else of_a_superuser)
        if postgis:
            run("template1", extension)
        yield at(ROLE, ROLE)
    finally:
        with connect(at("postgres", "postgres"), autocommit=True) as session:
            query = "SELECT datname FROM pg_catalog.pg_database WHERE datname LIKE 'guided%'"
            for (name,) in session.execute(query).fetchall():
                session.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        if postgis:
            run("template1", "DROP EXTENSION IF EXISTS postgis")
        with suppress(psycopg.Error):
            run("postgres", f"DROP ROLE {ROLE}")
        run("postgres", "DROP ROLE old_owner")


def _everything_works(pipeline: Pipeline, database: DatabaseSettings) -> None:
    pipeline.settings = replace(pipeline.settings, database=database)
    pipeline.gate(proof="server", min_records=1)
    found = {finding.what: finding for finding in preconditions(pipeline.settings)}
    assert found["proof"].error is None, found["proof"].error.render()
    assert "restored beside the database" in found["proof"].detail
    _, published = pipeline.night()
    proof = published.manifest.proof
    assert proof is not None
    assert (proof.where, proof.without) == ("server", ())
    with found_dump(pipeline.settings.data_repo, Wanted()) as dump:
        assert drill(ProofPlace(database, "server"), dump, deadline=Deadline(120)).proof.proven
        restored = restore(database, dump, deadline=Deadline(120))
    assert restored.former is not None
    assert restored.tables == published.manifest.tables


@pytest.mark.parametrize("of", ["old_owner", "postgres"])
def test_an_owner_that_may_make_databases(
    of: str, pipeline: Pipeline, embedded_server: EmbeddedServer
) -> None:
    def at(dbname: str, user: str) -> DatabaseSettings:
        return replace(embedded_server.database_settings(dbname), user=user)

    with _guided(at, postgis=False, of=of) as database:
        with connect(database) as session:
            assert session.execute(NOT_OURS).fetchall() == []
        _everything_works(pipeline, database)


@pytest.mark.parametrize("postgis", [False, True], ids=["without PostGIS", "with PostGIS"])
def test_the_same_on_debians_server(
    postgis: bool, pipeline: Pipeline, debian_server: DebianServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{debian_server.bin}{os.pathsep}{os.environ['PATH']}")
    with connect(debian_server.database_settings("postgres")) as session:
        query = "SELECT FROM pg_catalog.pg_available_extensions WHERE name = 'postgis'"
        if postgis and not session.execute(query).rowcount:
            package = f"postgresql-{debian_server.major}-postgis-3"
            missing(f"no PostGIS for PostgreSQL {debian_server.major}", package)

    def at(dbname: str, user: str) -> DatabaseSettings:
        return replace(debian_server.database_settings(dbname), user=user)

    with _guided(at, postgis=postgis) as database:
        _everything_works(pipeline, database)
