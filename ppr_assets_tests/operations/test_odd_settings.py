"""What somebody has set for a database or a role neither breaks nor changes a dump or a restore."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ppr_assets.deadline import Deadline
from ppr_assets.operations.restoring.restore import restore
from ppr_assets.operations.sources.wanted import FoundDump
from ppr_assets.rules.naming import quote_identifier
from ppr_assets.settings import DatabaseSettings
from ppr_assets_tests.application import connect
from ppr_assets_tests.fix_nasty import dump_to
from ppr_assets_tests.fix_restore import NAMES, RESTORER, MadeDump, RestoreBy, Target, make_dump

ODD = {
    "statement_timeout": "50ms",
    "lock_timeout": "50ms",
    "idle_in_transaction_session_timeout": "50ms",
    "idle_session_timeout": "300ms",
    "transaction_timeout": "50ms",
    "default_transaction_read_only": "on",
    "default_transaction_isolation": "serializable",
    "bytea_output": "escape",
    "quote_all_identifiers": "on",
    "standard_conforming_strings": "off",
    "array_nulls": "off",
    "transform_null_equals": "on",
    "extra_float_digits": "-15",
    "search_path": "nowhere",
    "row_security": "off",
    "IntervalStyle": "sql_standard",
    "DateStyle": "German, DMY",
    "timezone": "Asia/Kathmandu",
    "xmloption": "document",
    "client_encoding": "LATIN1",
}


def make_odd(database: DatabaseSettings) -> None:
    """For a database; sessions from now on begin with these."""
    name = quote_identifier(database.dbname)
    with connect(replace(database, user="postgres", dbname="postgres"), autocommit=True) as session:
        for setting, value in ODD.items():
            session.execute(f"ALTER DATABASE {name} SET {setting} TO '{value}'".encode())


@pytest.fixture
def odd_target(target: Target) -> Iterator[Target]:
    """Odd by itself and by its role, which is as odd in the database beside it."""
    make_odd(target.settings)
    for setting, value in ODD.items():
        target.execute(f"ALTER ROLE {RESTORER} SET {setting} TO '{value}'")
    yield target
    target.execute(f"ALTER ROLE {RESTORER} RESET ALL")


def content(target: Target) -> str:
    """Without the settings, under which every value would look otherwise."""
    target.execute(f"ALTER DATABASE {target.settings.dbname} RESET ALL")
    return target.content()


def test_a_dump_has_the_same_bytes_whatever_is_set(
    nasty_database: DatabaseSettings, tmp_path: Path
) -> None:
    plain = dump_to(nasty_database, tmp_path / "plain.sql")
    make_odd(nasty_database)
    odd = dump_to(nasty_database, tmp_path / "odd.sql")
    assert odd.sql == plain.sql
    assert odd.counts == plain.counts


@pytest.mark.parametrize("way", ["aside", "with psql", "in place"])
def test_a_restore_gives_the_same_rows_whatever_is_set(
    way: str,
    odd_target: Target,
    new_dump: MadeDump,
    tmp_path: Path,
    restore_by: RestoreBy,
) -> None:
    outcome = restore_by(way, odd_target.settings, new_dump.found(tmp_path))
    assert outcome.tables == new_dump.manifest.tables
    assert ("loaded by one psql" in str(outcome.remarks)) == (way == "with psql")
    assert content(odd_target) == new_dump.content


@pytest.mark.parametrize("way", ["aside", "with psql", "in place"])
def test_rows_that_their_owner_may_not_see_come_back(
    way: str,
    database: DatabaseSettings,
    target: Target,
    tmp_path: Path,
    restore_by: RestoreBy,
) -> None:
    """A superuser sees and dumps them; who restores, owns them then and does not."""
    with connect(database, autocommit=True) as session:
        for kind in ("ENABLE", "FORCE"):
            session.execute(f"ALTER TABLE service {kind} ROW LEVEL SECURITY".encode())
    dumped = make_dump(replace(database, user="postgres"), tmp_path / NAMES[0])
    outcome = restore_by(way, target.settings, dumped.found(tmp_path))
    assert outcome.tables == dumped.manifest.tables
    assert target.content() == dumped.content
    with connect(target.settings) as session:
        assert session.execute("SELECT count(*) FROM service").fetchone() == (0,)


def test_a_nasty_database_comes_back_whatever_is_set(
    nasty_database: DatabaseSettings, odd_target: Target, target: Target, tmp_path: Path
) -> None:
    path = tmp_path / "pantry_pirate_radio_2026-11-22_02-00-00.sql"
    dumped = dump_to(nasty_database, path)
    found = FoundDump(path.name, path, None, None, tmp_path)
    restore(odd_target.settings, found, deadline=Deadline(60))
    target.execute(f"ALTER DATABASE {odd_target.settings.dbname} RESET ALL")
    assert dump_to(odd_target.settings, tmp_path / "again.sql").sql == dumped.sql
