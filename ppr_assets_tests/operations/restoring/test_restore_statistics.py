"""A restored database answers as fast as the one that was dumped: its statistics are made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ppr_assets.deadline import Deadline
from ppr_assets.operations.restoring.in_place import restore_in_place
from ppr_assets.operations.restoring.restore import restore
from ppr_assets.settings import DatabaseSettings
from ppr_assets_tests.application import connect
from ppr_assets_tests.fix_nasty import fill_core
from ppr_assets_tests.fix_restore import MakeTarget, forge, make_dump, with_entry

_NOT_ONLY_TABLES = """
CREATE TABLE parted (known int) PARTITION BY LIST (known);
CREATE TABLE part PARTITION OF parted FOR VALUES IN (1);
INSERT INTO parted SELECT 1 FROM generate_series(1, 50);
CREATE MATERIALIZED VIEW seen AS SELECT * FROM parted;
CREATE TABLE parent (known int);
CREATE TABLE child () INHERITS (parent);
INSERT INTO child SELECT generate_series(1, 50);
CREATE TABLE near (known int);
CREATE EXTENSION file_fdw;
CREATE SERVER elsewhere FOREIGN DATA WRAPPER file_fdw;
CREATE FOREIGN TABLE far () INHERITS (near) SERVER elsewhere OPTIONS (filename '/not/there');
"""


@pytest.mark.parametrize("how", ["aside", "in place", "by psql"])
def test_statistics_are_made_of_all_but_what_is_on_a_server_elsewhere(
    how: str,
    empty_database: Callable[[], DatabaseSettings],
    make_target: MakeTarget,
    tmp_path: Path,
) -> None:
    source = replace(empty_database(), user="postgres")  # only a superuser gives a table a file
    fill_core(source)
    with connect(source, autocommit=True) as session:
        session.execute(_NOT_ONLY_TABLES)
    made = make_dump(source, tmp_path / "dump.sql")
    if how == "by psql":
        (tmp_path / "forged").mkdir()
        made = forge(made, tmp_path / "forged", lambda sql: with_entry(sql, b"SELECT 1;\n\n"))
    target = make_target(seed=None)
    settings = replace(target.settings, user="postgres")
    if how == "in place":
        target.execute(f"CREATE DATABASE {settings.dbname}")
        outcome = restore_in_place(settings, made.found(tmp_path), deadline=Deadline(60))
    else:
        outcome = restore(settings, made.found(tmp_path), deadline=Deadline(60))
    assert [remark.split(":")[0] for remark in outcome.remarks] == {
        "aside": [],
        "in place": ["in place"],
        "by psql": ["loaded by one psql in one transaction"],
    }[how]
    with target.administered(settings.dbname) as session:
        known = session.execute(
            "SELECT DISTINCT tablename, inherited FROM pg_stats WHERE schemaname = 'public' "
            "AND attname = 'known' ORDER BY 1, 2"
        ).fetchall()
    assert known == [
        ("child", False),
        ("parent", True),
        ("part", False),
        ("parted", True),
        ("seen", False),
    ]
