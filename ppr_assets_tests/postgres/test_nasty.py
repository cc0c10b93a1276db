"""A database written to be nasty is dumped whole, comes back from its dump, and is dumped alike."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from psycopg import sql

from ppr_assets.deadline import Deadline
from ppr_assets.errors import PreconditionFailed
from ppr_assets.plain_sql.parsing.layout import read_layout
from ppr_assets.postgres.load import load_in_transaction
from ppr_assets.settings import DatabaseSettings
from ppr_assets_tests.application import connect
from ppr_assets_tests.fix_nasty import (
    add_ambiguous,
    add_enum_hash,
    dump_to,
    fill_core,
    load_here,
    restore_with_psql,
)
from ppr_assets_tests.fix_postgres import Databases

_WITHOUT_VALUES = {
    # types that take no input: the server alone makes their values
    "gtsvector",
    "pg_brin_bloom_summary",
    "pg_brin_minmax_multi_summary",
    "pg_dependencies",
    "pg_mcv_list",
    "pg_ndistinct",
    "pg_node_tree",
}


def test_every_type_that_the_server_ships_has_a_column(nasty_database: DatabaseSettings) -> None:
    shipped = """
        SELECT typname FROM pg_type
        WHERE typnamespace = 'pg_catalog'::regnamespace AND typtype IN ('b', 'r', 'm')
          AND typcategory <> 'A' EXCEPT
        SELECT typname FROM pg_attribute a JOIN pg_type t ON t.oid = atttypid
          JOIN pg_class c ON c.oid = attrelid
        WHERE relkind = 'r' AND relnamespace IN ('kinds'::regnamespace, 'public'::regnamespace)
          AND attnum > 0"""
    with connect(nasty_database) as session:
        missing = {name for (name,) in session.execute(shipped)}
    assert missing - {"xml"} == _WITHOUT_VALUES  # xml: only where the server is built with it


def test_what_is_dumped_is_what_was_counted_also_of_nasty_tables(
    nasty_database: DatabaseSettings, tmp_path: Path
) -> None:
    dumped = dump_to(nasty_database, tmp_path / "dump.sql")
    assert {key: table.rows for key, table in dumped.written.tables.items()} == dumped.counts


@pytest.mark.parametrize("way", ["by psql", "loaded in parallel", "loaded with ambiguous names"])
def test_a_nasty_database_comes_back_from_its_dump_byte_by_byte(
    way: str,
    nasty_database: DatabaseSettings,
    empty_database: Callable[[], DatabaseSettings],
    tmp_path: Path,
) -> None:
    ambiguous = way == "loaded with ambiguous names"
    if ambiguous:
        add_ambiguous(nasty_database)
    first = dump_to(nasty_database, tmp_path / "first.sql")
    restored = empty_database()
    if way == "by psql":
        restore_with_psql(first.path, restored)
    else:
        load_here(first.path, restored, how="psql" if ambiguous else "parallel")
    again = dump_to(restored, tmp_path / "again.sql")
    assert again.counts == first.counts
    assert again.sql == first.sql
    assert _large_objects(restored) == _large_objects(nasty_database)
    assert len(_large_objects(restored)) == 4


def test_a_nasty_database_is_replaced_in_place_by_its_own_dump(
    nasty_database: DatabaseSettings, tmp_path: Path
) -> None:
    first = dump_to(nasty_database, tmp_path / "first.sql")
    with first.path.open("rb") as file:
        layout = read_layout(file, sorted_rows=True, spill_folder=tmp_path)
    with connect(nasty_database) as session:
        session.execute("DELETE FROM kinds.moments; DROP TABLE awkward, shapes.tree CASCADE")
        load_in_transaction(session, first.path, layout, deadline=Deadline(60))
    assert dump_to(nasty_database, tmp_path / "again.sql").sql == first.sql


def test_the_same_data_are_the_same_bytes_wherever_their_rows_lie(
    nasty_database: DatabaseSettings, tmp_path: Path
) -> None:
    first = dump_to(nasty_database, tmp_path / "first.sql")
    assert dump_to(nasty_database, tmp_path / "second.sql").sql == first.sql
    with connect(nasty_database, autocommit=True) as session:
        session.execute("UPDATE service SET name = name WHERE id::text < '8'")
        session.execute("VACUUM FULL")
    assert dump_to(nasty_database, tmp_path / "third.sql").sql == first.sql


def test_settings_of_the_database_do_not_change_the_bytes(
    nasty_database: DatabaseSettings, tmp_path: Path
) -> None:
    first = dump_to(nasty_database, tmp_path / "first.sql")
    with connect(nasty_database, autocommit=True) as session:
        for name, value in {
            "TimeZone": "America/New_York",
            "DateStyle": "German",
            "IntervalStyle": "sql_standard",
            "extra_float_digits": "-15",
            "client_encoding": "LATIN1",
            "search_path": "kinds",
            "default_transaction_isolation": "serializable",
        }.items():
            session.execute(
                sql.SQL("ALTER DATABASE {} SET {} = {}").format(
                    sql.Identifier(nasty_database.dbname), sql.Identifier(name), value
                )
            )
    assert dump_to(nasty_database, tmp_path / "second.sql").sql == first.sql


def test_partitions_that_would_not_last_are_named_before_anything_is_written(
    nasty_database: DatabaseSettings, tmp_path: Path
) -> None:
    add_enum_hash(nasty_database)
    with pytest.raises(PreconditionFailed) as caught:
        dump_to(nasty_database, tmp_path / "dump.sql")
    assert caught.value.message == "partitioned by the hash of an enum: shapes.by_mood"
    assert "partition by list" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_a_database_in_another_encoding_is_dumped_in_utf_8(
    encoding: str,
    databases: Databases,
    empty_database: Callable[[], DatabaseSettings],
    tmp_path: Path,
) -> None:
    name = f"in_{encoding.lower()}"
    with connect(databases.server.database_settings("postgres"), autocommit=True) as session:
        session.execute(
            sql.SQL("CREATE DATABASE {} ENCODING {} LOCALE 'C' TEMPLATE template0").format(
                sql.Identifier(name), encoding
            )
        )
    database = databases.server.database_settings(name)
    fill_core(database)
    with connect(database, autocommit=True) as session:
        session.execute("""CREATE TABLE "Küche" AS SELECT 'groß' AS "Größe" """)
    first = dump_to(database, tmp_path / "first.sql")
    assert first.counts['"Küche"'] == first.written.tables['"Küche"'].rows == 1
    restored = empty_database()
    restore_with_psql(first.path, restored)
    assert dump_to(restored, tmp_path / "again.sql").sql == first.sql
    databases.drop(database)


def _large_objects(database: DatabaseSettings) -> dict[int, str]:
    with connect(database) as session:
        objects = session.execute(
            "SELECT oid::bigint, lo_get(oid) FROM pg_largeobject_metadata ORDER BY oid"
        )
        return {number: hashlib.sha256(data).hexdigest() for number, data in objects}
