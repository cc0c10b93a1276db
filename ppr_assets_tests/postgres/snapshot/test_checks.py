"""What would not load of what is published: found before the dump, and held against what happens
when it is loaded all the same."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from ppr_assets.postgres.client_tools import find_tool
from ppr_assets.postgres.sessions.connection import connect
from ppr_assets.postgres.sessions.libpq import client_environment
from ppr_assets.postgres.snapshot import checks
from ppr_assets.postgres.snapshot.pg_dump import PgDump
from ppr_assets.postgres.snapshot.snapshot import open_snapshot
from ppr_assets.rules.publication.policy import Decision, Policy
from ppr_assets.rules.publication.relations import Relation
from ppr_assets.rules.publication.withholding import Plan
from ppr_assets.settings import DatabaseSettings, child_environment
from ppr_assets_tests.lenient_policy import lenient_plan

_SQL = Path(__file__).parents[1] / "loading"
_RULES = {"nulled": Decision("null"), "replaced": Decision("replaced", "withheld")}
_WITHOUT_ROWS = {"hidden", "june"}


def _plan(relations: Sequence[Relation]) -> Plan:
    columns = {one.key: {column.name for column in one.columns} for one in relations}
    decided = {
        key: {name: _RULES[name] for name in sorted(names & _RULES.keys())}
        for key, names in columns.items()
    } | {key: {"*": Decision("structure")} for key in _WITHOUT_ROWS}
    return lenient_plan(Policy({key: lines for key, lines in decided.items() if lines}), relations)


def _fill(database: DatabaseSettings, *more: str) -> int:
    with connect(database, autocommit=True) as session:
        major = session.info.server_version // 10000
        for name in [*(str(one) for one in (12, 15, 18) if one <= major), *more]:
            session.execute((_SQL / f"{name}.sql").read_bytes())
    return major


def test_what_would_not_load_is_named_and_nothing_else(
    empty_database: Callable[[], DatabaseSettings], tmp_path: Path
) -> None:
    _compare_with_what_loads(empty_database, tmp_path)


def test_what_would_not_load_on_another_server_and_of_extensions(
    debian_database: Callable[[], DatabaseSettings], tmp_path: Path
) -> None:
    _compare_with_what_loads(debian_database, tmp_path, "contrib")


def _compare_with_what_loads(
    empty: Callable[[], DatabaseSettings], folder: Path, *more: str
) -> None:
    database, target, path = empty(), empty(), folder / "dump.sql"
    major = _fill(database, *more)
    with open_snapshot(database, exclusive=False, lock_seconds=5) as snapshot:
        relations = snapshot.relations()
        plan = snapshot.with_checks(_plan(relations))
        dump = PgDump(find_tool("pg_dump", major), database, stall_seconds=30, plan=plan)
        dump.write(snapshot.export(), path)
    tables = {one.key for one in relations if one.key.startswith(("good_", "bad_"))}
    bad = {key for key in tables if key.startswith("bad_")}
    named = {key for key in tables for one in plan.impossible if re.search(rf"\b{key}\b", one)}
    failed = _failing(path, target, tables, find_tool("psql", major).path)
    assert (bad - failed, failed - bad) == (set(), set())
    assert (bad - named, named - bad) == (set(), set()), plan.impossible
    by_its_own_name = (
        "foreign key bad_day_at_fkey of bad_day leads to june, whose rows are withheld "
        "(bad_day.at can be null)"
    )
    assert by_its_own_name in plan.impossible


_SLOW = """
SET search_path = public;
CREATE FUNCTION slow(int) RETURNS int IMMUTABLE LANGUAGE plpgsql
  AS 'BEGIN PERFORM pg_catalog.pg_sleep(0.002); RETURN $1; END';
CREATE TABLE visits (place int, replaced text);
CREATE UNIQUE INDEX slow_pair ON visits (slow(place), replaced);
INSERT INTO visits SELECT n % 5, n FROM generate_series(1, 300) AS n;
"""


@pytest.mark.parametrize("some", [10, 2], ids=["of as many as there must be", "of more"])
def test_what_takes_too_long_for_all_rows_is_asked_of_some(
    empty_database: Callable[[], DatabaseSettings], monkeypatch: pytest.MonkeyPatch, some: int
) -> None:
    monkeypatch.setattr(checks, "SOME_ROWS", some)
    database = empty_database()
    with connect(database) as session:
        session.execute(_SLOW.encode())
    with open_snapshot(database, exclusive=False, lock_seconds=5) as snapshot:
        (found,) = snapshot.with_checks(_plan(snapshot.relations())).impossible
    assert "unique index slow_pair" in found


_OF_OTHERS = """
SET search_path = public;
CREATE FUNCTION spy(text) RETURNS bool IMMUTABLE LANGUAGE plpgsql
  AS 'BEGIN RAISE EXCEPTION ''called'' USING ERRCODE = ''22000''; END';
CREATE DOMAIN spied AS text CHECK (public.spy(VALUE));
CREATE DOMAIN spied_too AS spied CHECK (VALUE <> 'withheld');
CREATE TABLE checked (replaced text CHECK (spy(replaced)));
CREATE TABLE within (replaced spied);
CREATE TABLE above (replaced spied_too);
CREATE TABLE casting (replaced text CHECK (replaced::spied_too IS NOT NULL));
CREATE TABLE computed (replaced text, said bool GENERATED ALWAYS AS (spy(replaced)) STORED NOT NULL
  CHECK (said) UNIQUE);
CREATE TABLE indexed (replaced text UNIQUE);
CREATE UNIQUE INDEX ON indexed (spy(replaced));
CREATE TABLE listed (replaced text) PARTITION BY LIST (spy(replaced));
CREATE TABLE part PARTITION OF listed FOR VALUES IN (true);
"""


def test_functions_of_others_are_not_called(
    empty_database: Callable[[], DatabaseSettings],
) -> None:
    database = empty_database()
    with connect(database) as session:
        session.execute(_OF_OTHERS.encode())
    superuser = replace(database, user="postgres")
    with open_snapshot(superuser, exclusive=False, lock_seconds=5) as snapshot:
        found = snapshot.with_checks(_plan(snapshot.relations())).impossible
    assert found == (
        "indexed has the unique index indexed_replaced_key, which would not be unique with what "
        "stands in the place of indexed.replaced",
    )


def test_a_text_that_no_database_holds_is_named(
    empty_database: Callable[[], DatabaseSettings],
) -> None:
    database = empty_database()
    with connect(database) as session:
        session.execute("CREATE TABLE public.visits (who text)")
    with open_snapshot(database, exclusive=False, lock_seconds=5) as snapshot:
        decided = Policy({"visits": {"who": Decision("replaced", "a\0b")}})
        found = snapshot.with_checks(lenient_plan(decided, snapshot.relations())).impossible
    assert found == (
        r"visits.who cannot be 'a\x00b', which its type text does not hold as it is written",
    )


def _failing(dump: Path, database: DatabaseSettings, tables: set[str], psql: Path) -> set[str]:
    """Tables that errors of psql are about, or a constraint or index of them."""
    done = subprocess.run(
        [psql, "-X", "-q", "-b", "-f", dump],
        env=child_environment(client_environment(database)),
        capture_output=True,
        text=True,
        check=False,
    )
    longest = sorted(tables, key=len, reverse=True)
    errors = re.split(r"(?=psql:\S+ ERROR:)", done.stderr)
    found = {
        name
        for error in errors
        for name in [re.search("|".join(longest), error)]
        if name and "does not exist" not in error
    }
    return {match.group() for match in found}
