"""What a comparison of two dumps says, held against what was done to the database in between."""

from __future__ import annotations

import gzip
import tracemalloc
from functools import partial
from pathlib import Path

import pytest

from ppr_assets.errors import DumpDamaged, DumpMissing
from ppr_assets.operations.diff.compare import diff
from ppr_assets.operations.diff.records import EXAMPLES, DumpDiff, SchemaDiff
from ppr_assets.operations.diff.two_dumps import two_dumps
from ppr_assets.plain_sql.parsing.sorted_rows import SortedRows
from ppr_assets_tests.fix_pipeline import Pipeline


def _diff(pipeline: Pipeline, before: str | None = None, after: str | None = None) -> DumpDiff:
    with two_dumps(pipeline.settings.data_repo, before, after) as (one, other):
        return diff(one, other)


def _counts(found: DumpDiff) -> dict[str, tuple[int, int, int]]:
    return {table.table: (table.added, table.removed, table.changed) for table in found.tables}


def test_rows_that_came_went_and_changed_are_told_apart(pipeline: Pipeline) -> None:
    pipeline.execute("CREATE TABLE pair (a int, b int, note text, PRIMARY KEY (b, a))")
    pipeline.execute("CREATE TABLE loose (name text, note text)")
    pipeline.execute("INSERT INTO pair SELECT n, n % 7, 'x' FROM generate_series(1, 100) n")
    pipeline.execute("INSERT INTO loose VALUES ('one', 'a'), ('one', 'a'), ('two', NULL)")
    with pytest.raises(DumpMissing):
        _diff(pipeline)
    pipeline.night()
    first = pipeline.latest()
    pipeline.execute("UPDATE pair SET note = 'y' WHERE a <= 10")
    pipeline.execute("DELETE FROM pair WHERE a > 95")
    pipeline.execute("INSERT INTO pair VALUES (1, 99, 'z')")
    pipeline.execute("DELETE FROM loose WHERE ctid = (SELECT min(ctid) FROM loose)")
    pipeline.execute("UPDATE loose SET note = E'tab\\there' WHERE name = 'two'")
    pipeline.night()

    found = _diff(pipeline)
    assert (found.before, found.after) == (first, pipeline.latest())
    assert _counts(found) == {"loose": (0, 1, 1), "pair": (1, 5, 10)}
    assert found.schema == ()
    loose, pair = found.tables
    assert (pair.key, pair.before, pair.after) == (("b", "a"), 100, 96)
    assert loose.key == ("name",)
    kinds = [(example.before is None, example.after is None) for example in pair.examples]
    assert [kinds.count(kind) for kind in ((True, False), (False, True), (False, False))] == [
        1,
        EXAMPLES,
        EXAMPLES,
    ]
    (added,) = [example.after for example in pair.examples if example.before is None]
    assert added == {"a": "1", "b": "99", "note": "z"}
    changed = next(example for example in loose.examples if example.before and example.after)
    assert changed.before == {"name": "two", "note": None}
    assert changed.after == {"name": "two", "note": "tab\\there"}
    backwards = _diff(pipeline, pipeline.latest(), first)
    assert _counts(backwards) == {"loose": (1, 0, 1), "pair": (5, 1, 10)}


def test_tables_and_statements_of_one_side_only_are_named(pipeline: Pipeline) -> None:
    pipeline.execute("CREATE TABLE gone (id int PRIMARY KEY)")
    pipeline.execute("INSERT INTO gone VALUES (1), (2)")
    pipeline.execute("CREATE VIEW seen AS SELECT 1 AS one")
    pipeline.night()
    pipeline.execute("DROP TABLE gone")
    pipeline.execute("CREATE TABLE come (id int)")
    pipeline.execute("CREATE OR REPLACE VIEW seen AS SELECT 2 AS one")
    pipeline.night()
    found = _diff(pipeline)
    assert _counts(found) == {"come": (0, 0, 0), "gone": (0, 2, 0)}
    come, gone = found.tables
    assert (come.before, come.after, gone.before, gone.after) == (None, 0, 2, None)
    assert set(found.schema) == {
        SchemaDiff("added", "TABLE", "public", "come"),
        SchemaDiff("removed", "TABLE", "public", "gone"),
        SchemaDiff("removed", "CONSTRAINT", "public", "gone gone_pkey"),
        SchemaDiff("changed", "VIEW", "public", "seen"),
    }


def test_a_file_in_another_order_and_a_commit_can_be_compared(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    """Dumps of the old scripts have their rows in any order, are compressed, and no manifest."""
    pipeline.first_night()
    first, head = pipeline.latest(), pipeline.head()
    sql = (pipeline.dumps / first).read_bytes()
    start = sql.index(b"\n", sql.index(b"\nCOPY public.location (") + 1) + 1
    rows = sql[start : sql.index(b"\\.\n", start)]
    mixed = b"".join(row + b"\n" for row in rows.splitlines()[::-1])
    foreign = tmp_path / "pantry_pirate_radio_2025-01-01_02-00-00.sql.gz"
    foreign.write_bytes(gzip.compress(sql.replace(rows, mixed)))
    assert not _diff(pipeline, str(foreign), head)
    count = pipeline.count("location")
    pipeline.execute("UPDATE location SET name = coalesce(name, '') || '+'")
    pipeline.night()
    assert _counts(_diff(pipeline, str(foreign))) == {"location": (0, 0, count)}
    assert _counts(_diff(pipeline, head)) == {"location": (0, 0, count)}


def test_a_damaged_dump_is_not_compared(pipeline: Pipeline, tmp_path: Path) -> None:
    pipeline.first_night()
    cut = tmp_path / "cut.sql"
    cut.write_bytes((pipeline.dumps / pipeline.latest()).read_bytes()[:100_000])
    with pytest.raises(DumpDamaged, match=r"cut\.sql"):
        _diff(pipeline, str(cut))


def test_a_table_that_changed_as_a_whole_is_compared_in_bounded_memory(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.execute("CREATE TABLE wide (id int PRIMARY KEY, note text)")
    pipeline.execute(
        "INSERT INTO wide SELECT n, repeat(md5(n::text), 20) FROM generate_series(1, 4000) n"
    )
    pipeline.night()
    pipeline.execute("UPDATE wide SET note = note || '+'")
    pipeline.night()
    small = partial(SortedRows, memory=400_000)
    for module in ("opened", "compare"):
        monkeypatch.setattr(f"ppr_assets.operations.diff.{module}.SortedRows", small)
    tracemalloc.start()
    found = _diff(pipeline)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert _counts(found) == {"wide": (0, 0, 4000)}
    assert peak < 4e6  # of 5.2 MB of rows
