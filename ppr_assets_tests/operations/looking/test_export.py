"""Dumps of every age as other files: all tables, all rows."""

from __future__ import annotations

import csv
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ppr_assets.errors import PreconditionFailed
from ppr_assets.operations.looking.dump_tables import dump_tables
from ppr_assets.operations.looking.export import to_csv, to_sqlite
from ppr_assets.operations.looking.published_tables import PublishedTables
from ppr_assets_tests.fix_old_dumps import MAJORS, OldDump
from ppr_assets_tests.operations.looking.test_published_tables import DIVIDED, as_found


@pytest.mark.parametrize("major", MAJORS)
def test_an_old_dump_is_taken_along_with_all_its_rows(major: int, tmp_path: Path) -> None:
    with dump_tables(as_found(OldDump(major).sql, tmp_path)) as dump:
        tables = PublishedTables(dump, None)
        counts = {key: dump.count(key) for key, one in dump.tables.items() if one.columns}
        to_sqlite(tables, "", tmp_path / "old.db")
        files = to_csv(tables, "", tmp_path / "old")
    assert sum(counts.values()) > 20
    with closing(sqlite3.connect(tmp_path / "old.db")) as session:
        for key, count in counts.items():
            name = key.replace('"', "").replace('"', '""')
            found = session.execute(f'SELECT count(*) FROM "{name}"').fetchone()
            assert found == (count,), key
        assert session.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    rows = 0
    for path in files:
        with path.open(newline="", encoding="utf-8") as file:
            rows += sum(1 for _ in csv.reader(file)) - 1
    assert rows == sum(counts.values())


def test_the_same_dump_gives_the_same_bytes(tmp_path: Path) -> None:
    with dump_tables(as_found(OldDump(16).sql, tmp_path)) as dump:
        for name in ("one", "other"):
            to_sqlite(PublishedTables(dump, None), "", tmp_path / f"{name}.db")
    assert (tmp_path / "one.db").read_bytes() == (tmp_path / "other.db").read_bytes()


def test_columns_that_only_capitals_tell_apart_are_refused_by_name(tmp_path: Path) -> None:
    text = re.sub(rb"\bv\b(?= text|,|\))", b'"ID"', DIVIDED)
    said = "p has the columns `id` and `ID`, which SQLite cannot tell apart"
    with dump_tables(as_found(text, tmp_path)) as dump:
        with pytest.raises(PreconditionFailed, match=re.escape(said)):
            to_sqlite(PublishedTables(dump, None), "", tmp_path / "twins.db")
        assert to_csv(PublishedTables(dump, None), "", tmp_path / "twins")
    assert not (tmp_path / "twins.db").exists()
