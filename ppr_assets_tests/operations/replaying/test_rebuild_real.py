"""The real published records in the real tables, on a server with PostGIS."""

from __future__ import annotations

import lzma
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ppr_assets.operations.replaying.rebuild import rebuild
from ppr_assets.operations.replaying.terms import RebuildTerms
from ppr_assets.operations.sources.wanted import Wanted
from ppr_assets.postgres.sessions.connection import connect
from ppr_assets.settings import DatabaseSettings, Settings
from ppr_assets_tests.fix_debian import DebianServer, require_postgis
from ppr_assets_tests.operations.replaying.test_replay import content, given
from ppr_assets_tests.places import SHARED

DUMP = SHARED / "data/real-dumps/pantry_pirate_radio_2025-08-08_05-14-04.sql.xz"
SAMPLE = SHARED / "data/haarrrvest-sample.tar.xz"

pytestmark = pytest.mark.skipif(not DUMP.is_file(), reason="../shared is not there")


def test_the_real_records_fill_the_real_tables_of_a_new_database_and_of_one_that_replaces_it(
    debian_server: DebianServer, debian_database: Callable[[], DatabaseSettings], tmp_path: Path
) -> None:
    made = debian_database()
    require_postgis(made, debian_server.major)
    target = replace(made, dbname=f"{made.dbname}_replayed")
    schema = tmp_path / DUMP.stem
    schema.write_bytes(lzma.decompress(DUMP.read_bytes()))
    unpacked = tmp_path / "records"
    unpacked.mkdir()
    subprocess.run(["tar", "-xf", SAMPLE, "-C", unpacked], check=True)
    records = given(*unpacked.glob("*"))
    variables = {"POSTGRES_HOST": target.host, "POSTGRES_PASSWORD": "", "POSTGRES_USER": "postgres"}
    settings = Settings.from_environment(
        variables | {"POSTGRES_DB": target.dbname, "POSTGRES_PORT": str(target.port)}, dotenv=None
    )
    first = rebuild(settings, target, records, RebuildTerms(schema=Wanted(source=str(schema))))
    assert (first.schema, first.former) == (schema.name, None)
    assert first.replayed.changed["organization"] > 300
    told = content(target)

    second = rebuild(settings, target, records, RebuildTerms(replace=True))
    assert second.former is not None
    assert content(target) == told
    with connect(target) as session:
        found = session.execute(
            "SELECT extname FROM pg_extension WHERE extname = 'postgis'"
        ).fetchall()
    assert found == [("postgis",)]
    for name in (target.dbname, second.former):
        debian_server.execute(f"DROP DATABASE {name}")
