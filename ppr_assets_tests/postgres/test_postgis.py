"""A database with PostGIS on a real server: dumped with that server's own tools, and back again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ppr_assets.postgres.client_tools import find_tool
from ppr_assets.settings import DatabaseSettings
from ppr_assets_tests.application import connect
from ppr_assets_tests.fix_debian import DebianServer
from ppr_assets_tests.fix_nasty import dump_to, load_here, restore_with_psql

OWN_REFERENCE_SYSTEM = b"990001\tpantry\t1\t"


@pytest.mark.parametrize("way", ["psql", "loader"])
def test_places_come_back_from_their_dump_byte_by_byte(
    way: str,
    postgis_database: DatabaseSettings,
    debian_database: Callable[[], DatabaseSettings],
    tmp_path: Path,
) -> None:
    first = dump_to(postgis_database, tmp_path / "first.sql")
    assert {key: table.rows for key, table in first.written.tables.items()} == first.counts
    assert first.counts["spatial_ref_sys"] == first.sql.count(OWN_REFERENCE_SYSTEM) == 1
    restored = debian_database()
    if way == "psql":
        restore_with_psql(first.path, restored)
    else:
        load_here(first.path, restored, how="parallel")
    again = dump_to(restored, tmp_path / "again.sql")
    assert again.counts == first.counts
    assert again.sql == first.sql
    with connect(restored) as session:
        near = session.execute(
            "SELECT count(*), count(DISTINCT st_srid(shape)) FROM near, location"
        )
        count, systems = near.fetchone() or (0, 0)
        known = session.execute("SELECT count(*) FROM spatial_ref_sys").fetchone()
    assert known is not None and known[0] > 1000  # those that PostGIS brings along are there too
    assert count > 0
    assert systems == 1


def test_every_server_is_dumped_with_the_tools_of_its_own_major(
    postgis_database: DatabaseSettings,
    debian_server: DebianServer,
    database: DatabaseSettings,
    tmp_path: Path,
) -> None:
    for settings in (postgis_database, database):
        with connect(settings) as session:
            major = session.info.server_version // 10000
        assert find_tool("pg_dump", major).major == find_tool("psql", major).major == major
        dumped = dump_to(settings, tmp_path / f"{major}.sql")
        assert b"-- Dumped from database version %d." % major in dumped.sql
        assert b"-- Dumped by pg_dump version %d." % major in dumped.sql
