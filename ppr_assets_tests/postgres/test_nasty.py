"""A database written to be nasty is dumped whole, comes back from its dump, and is dumped alike."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ppr_assets.postgres.connection import connect
from ppr_assets.settings import DatabaseSettings
from ppr_assets_tests.fix_nasty import dump_to, restore_with_psql


def test_what_is_dumped_is_what_was_counted_also_of_nasty_tables(
    nasty_database: DatabaseSettings, tmp_path: Path
) -> None:
    dumped = dump_to(nasty_database, tmp_path / "dump.sql")
    assert {key: table.rows for key, table in dumped.written.tables.items()} == dumped.counts


def test_a_nasty_database_comes_back_from_its_dump_byte_by_byte(
    nasty_database: DatabaseSettings,
    empty_database: Callable[[], DatabaseSettings],
    tmp_path: Path,
) -> None:
    first = dump_to(nasty_database, tmp_path / "first.sql")
    restored = empty_database()
    restore_with_psql(first.path, restored)
    again = dump_to(restored, tmp_path / "again.sql")
    assert again.counts == first.counts
    assert again.sql == first.sql


def test_the_same_data_are_the_same_bytes_wherever_their_rows_lie(
    nasty_database: DatabaseSettings, tmp_path: Path
) -> None:
    first = dump_to(nasty_database, tmp_path / "first.sql")
    assert dump_to(nasty_database, tmp_path / "second.sql").sql == first.sql
    with connect(nasty_database, autocommit=True) as session:
        session.execute("UPDATE service SET name = name WHERE id::text < '8'")
        session.execute("VACUUM FULL")
    assert dump_to(nasty_database, tmp_path / "third.sql").sql == first.sql
