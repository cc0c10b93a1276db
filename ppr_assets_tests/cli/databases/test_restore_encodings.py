"""Dumps of databases that are not in UTF-8, as upstream wrote them: in their bytes."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg import sql

from ppr_assets.postgres.embedded import EMBEDDED_BIN
from ppr_assets.postgres.sessions.libpq import client_environment
from ppr_assets.settings import DatabaseSettings, child_environment
from ppr_assets_tests.application import connect
from ppr_assets_tests.fix_command_line import CommandLine
from ppr_assets_tests.fix_debian import DebianServer
from ppr_assets_tests.fix_postgres import Databases
from ppr_assets_tests.fix_restore import Target

UPSTREAMS = ("--no-owner", "--no-privileges", "--if-exists", "--clean")

KITCHEN = """
CREATE TABLE "Küche" AS SELECT 'groß' AS "Größe";
CREATE FUNCTION "größer"(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1 + 1';
CREATE TABLE "Tür" ("Nr" serial PRIMARY KEY, "Öl" text) PARTITION BY RANGE ("Nr");
CREATE TABLE "Tür1" PARTITION OF "Tür" FOR VALUES FROM (0) TO (9);
CREATE INDEX "größere" ON "Tür1" ("größer"("Nr"));
INSERT INTO "Tür" ("Öl") VALUES ('äö'), ('üß');
CREATE MATERIALIZED VIEW "Müll" AS SELECT * FROM "Küche";
"""

ANALYZED = """
SELECT count(*) FROM pg_class WHERE relname IN ('Küche', 'Tür', 'Tür1', 'Müll') AND reltuples > 0
"""


@pytest.fixture(params=["LATIN1", "SQL_ASCII"])
def kitchen(request: pytest.FixtureRequest, databases: Databases) -> Iterator[DatabaseSettings]:
    settings = databases.server.database_settings(f"kitchen_in_{request.param.lower()}")
    server = databases.server.database_settings("postgres")
    with connect(server, autocommit=True) as session:
        session.execute(
            sql.SQL("CREATE DATABASE {} ENCODING {} LOCALE 'C' TEMPLATE template0").format(
                sql.Identifier(settings.dbname), sql.Literal(request.param)
            )
        )
    with connect(settings, autocommit=True) as session:
        session.execute(KITCHEN.encode())
    yield settings
    for name in (settings.dbname, *Target(settings).beside()):
        databases.drop(databases.server.database_settings(name))


def test_a_dump_in_another_encoding_restores_with_its_names(
    kitchen: DatabaseSettings, ppr_assets: CommandLine, tmp_path: Path
) -> None:
    folder = tmp_path / "old"
    folder.mkdir()
    dump = folder / "pantry_pirate_radio_2025-08-09_06-56-00.sql"
    encoding = kitchen.dbname.removeprefix("kitchen_in_")
    subprocess.run(
        [EMBEDDED_BIN / "pg_dump", *UPSTREAMS, f"--encoding={encoding}", "-f", dump],
        env=child_environment(client_environment(kitchen)),
        check=True,
    )
    back = f"{kitchen.dbname}_back"
    ppr_assets.variables |= {"POSTGRES_USER": kitchen.user}
    target = Target(kitchen)
    before = target.content()
    for way in ((), ("--disconnect",), ("--in-place",)):
        restored = ppr_assets(*("restore", "--from", str(folder), "--into", back, *way))
        assert restored.code == 0, restored.err
        assert target.content(back) == before
        with target.administered(back) as session:
            assert session.execute(ANALYZED.encode()).fetchone() == (4,)

    said = ppr_assets("verify", str(dump), "--json")
    assert said.code == 0, said.err
    key = "K\udcfcche" if encoding == "latin1" else "Küche"
    assert f'"{key}"' in json.loads(said.out)[0]["rows"]
    assert ppr_assets("verify", str(dump)).code == 0
    assert ppr_assets("drill", "--from", str(folder)).code == 0


def test_where_the_servers_own_locale_takes_only_utf_8_another_one_is_used_and_told(
    debian_server: DebianServer, ppr_assets: CommandLine, tmp_path: Path
) -> None:
    written = tmp_path / "pantry_pirate_radio_2025-08-09_06-56-00.sql"
    settings = debian_server.database_settings("in_latin_1")
    ppr_assets.variables |= {
        "POSTGRES_HOST": settings.host,
        "POSTGRES_PORT": str(settings.port),
        "POSTGRES_USER": settings.user,
    }
    debian_server.execute(
        "CREATE DATABASE in_latin_1 ENCODING LATIN1 LOCALE 'C' TEMPLATE template0"
    )
    with connect(settings, autocommit=True) as session:
        session.execute(KITCHEN.encode())
    subprocess.run(
        [debian_server.bin / "pg_dump", *UPSTREAMS, "-f", written, "--encoding=LATIN1"],
        env=child_environment(client_environment(settings)),
        check=True,
    )
    before = Target(settings).content()
    debian_server.execute("DROP DATABASE in_latin_1")
    restored = ppr_assets("restore", "--from", str(tmp_path), "--into", settings.dbname)
    assert restored.code == 0, restored.err
    assert (
        "texts are sorted by the collation C here: the server's own is not for texts in LATIN1"
    ) in restored.out
    assert Target(settings).content() == before
    debian_server.execute("DROP DATABASE in_latin_1")
