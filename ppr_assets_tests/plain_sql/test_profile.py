from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ppr_assets.plain_sql.parsing.sorted_rows import SortedRows
from ppr_assets.plain_sql.profile import SAMPLE, TableProfiler
from ppr_assets.rules.profile.columns import ColumnProfile, Points, TableProfile
from ppr_assets_tests.nights import copied

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)
VALUES = st.none() | st.just("") | st.sampled_from(["a", "NULL", "\\N", "a\tb"]) | TEXTS
ROWS = st.lists(st.tuples(VALUES, VALUES, VALUES), max_size=40)
COLUMNS = ("id", "scraper_id", "name")


def _profile(key: str, columns: tuple[str, ...], rows: list[bytes]) -> TableProfile:
    profiler = TableProfiler(key, columns, rows=len(rows), size=sum(map(len, rows)))
    profiler.add(sorted(rows))
    return profiler.finished()


def _written(*values: str | float | None) -> bytes:
    return b"\t".join(map(copied, values))


def _many(count: int) -> list[bytes]:
    """Rows of which a third has a name, one in ten an empty one, and nobody the last column."""
    return [
        _written(f"{n:05}", f"scraper {n % 7}", "x" * (n % 10) if n % 3 == 0 else None, None)
        for n in range(count)
    ]


@given(ROWS)
def test_a_table_that_is_looked_at_whole_has_exact_numbers(
    rows: list[tuple[str | None, str | None, str | None]],
) -> None:
    found = _profile("location", COLUMNS, [_written(*row) for row in rows])
    assert (found.rows, found.sampled, found.points) == (len(rows), None, None)
    for at, column in enumerate(COLUMNS):
        values = [row[at] for row in rows if row[at] is not None]
        filled = [value for value in values if value]
        assert found.columns[column] == ColumnProfile(
            not_null=len(values),
            empty=values.count(""),
            distinct=len(set(filled)),
            longest=max(map(len, filled), default=0),
            common=max(Counter(filled).values(), default=0),
        )


@pytest.mark.slow
@given(st.randoms(use_true_random=False), st.integers(1, 6000))
def test_the_same_rows_in_any_order_and_any_chunks_have_the_same_numbers(
    dice: Random, memory: int
) -> None:
    rows = _many(200)
    expected = _profile("phone", (*COLUMNS, "note"), rows)
    dice.shuffle(rows)
    with SortedRows(Path("/tmp"), memory=memory) as to_sort:  # small ones go over the disk
        while rows:
            count = dice.randint(1, 50)
            to_sort.add(b"\n".join(rows[:count]) + b"\n")
            rows = rows[count:]
        profiler = TableProfiler("phone", (*COLUMNS, "note"), rows=to_sort.count, size=to_sort.size)
        for some in to_sort.lists():
            profiler.add(some)
    assert profiler.finished() == expected


@pytest.mark.slow
@given(st.lists(st.integers(0, 3000), max_size=8))
def test_a_sample_is_the_same_wherever_the_rows_are_cut(cuts: list[int]) -> None:
    rows = _many(3000)
    profiler = TableProfiler("phone", (*COLUMNS, "note"), rows=len(rows), size=0)
    edges = [0, *sorted(cuts), len(rows)]
    for start, end in pairwise(edges):
        profiler.add(rows[start:end])
    assert profiler.finished() == _profile("phone", (*COLUMNS, "note"), rows)


@pytest.mark.parametrize("count", [SAMPLE + 1, 10_007, 50_000])
def test_a_large_table_is_projected_from_a_sample(count: int) -> None:
    found = _profile("phone", (*COLUMNS, "note"), _many(count))
    assert found.rows == count
    assert found.sampled == SAMPLE
    name = found.columns["name"]
    assert name.not_null == pytest.approx(count / 3, rel=0.1)
    assert name.empty == pytest.approx(count / 30, rel=0.4)
    assert (name.distinct, name.longest) == (9, 9)
    assert found.columns["id"] == ColumnProfile(count, 0, count, 5, 1)
    assert found.columns["note"] == ColumnProfile()


def test_no_more_rows_share_a_value_than_have_one() -> None:
    rows = [_written(f"{n:05}", 60 if n % 50 == 0 else None) for n in range(9_000)]
    for key in ("service", "phone"):
        age = _profile(key, ("id", "maximum_age"), rows).columns["maximum_age"]
        assert age.common == age.filled > 0


@pytest.mark.parametrize("kinds", [2, 3, 10, 1024])
def test_a_sample_does_not_keep_step_with_the_rows(kinds: int) -> None:
    rows = [_written(f"{n:07}", n % kinds) for n in range(1024 * 30)]
    assert _profile("x", ("id", "kind"), rows).columns["kind"].distinct > kinds / 2


@pytest.mark.parametrize("key", ["organization", "location", "service"])
def test_all_rows_of_a_core_table_are_counted(key: str) -> None:
    name = _profile(key, (*COLUMNS, "note"), _many(9_000)).columns["name"]
    assert (name.not_null, name.empty) == (3_000, 300)


def test_all_rows_are_counted_by_scraper_and_state() -> None:
    rows = [_written(n, f"scraper {n % 7}", "OH" if n % 3 else None) for n in range(7_000)]
    found = _profile("x.source", ("id", "scraper_id", "state_province"), rows)
    assert found.groups == {
        "scraper_id": {f"scraper {number}": 1000 for number in range(7)},
        "state_province": {"OH": 4666},
    }


def test_a_column_with_a_value_for_each_row_parts_nothing() -> None:
    rows = [_written(n, f"scraper {n}") for n in range(7_000)]
    assert _profile("x", ("id", "scraper_id"), rows).groups == {}


def test_a_group_is_a_short_name_and_only_the_largest_are_kept() -> None:
    names = ["a" * 61, "a\nb", None, "", *(f"{n:03}" for n in range(300)), "007", "299"]
    found = _profile("x", ("scraper_id",), [_written(name) for name in names])
    kept = found.groups["scraper_id"]
    assert len(kept) == 200
    assert (kept["007"], kept["299"], "199" in kept) == (2, 2, False)


def test_the_most_common_point_is_that_of_both_coordinates() -> None:
    places = [(1.5, 2.5)] * 3 + [(1.5, 3.5)] * 2 + [(4.5, 2.5)] * 2 + [(None, 2.5), (None, None)]
    found = _profile("location", ("latitude", "longitude"), [_written(*p) for p in places])
    assert found.points == Points(located=7, together=3)
    assert found.points.share == pytest.approx(3 / 7)


def test_of_moments_the_most_common_day_counts() -> None:
    moments = [f"2025-08-0{n % 3 + 1} 06:00:00.{n}+00" for n in range(30)] + [None]
    found = _profile("x", ("updated_at",), [_written(moment) for moment in moments])
    assert (found.columns["updated_at"].distinct, found.columns["updated_at"].common) == (30, 10)


def test_long_rows_make_a_smaller_sample() -> None:
    rows = [_written(n, "x" * 100_000) for n in range(400)]
    assert _profile("x", ("id", "data"), rows).sampled == 83


def test_a_table_without_rows_or_columns_has_a_profile() -> None:
    assert _profile("location", (), []) == TableProfile(0)
    assert _profile("location", (), [b"", b""]) == TableProfile(2)
    empty = _profile("location", ("latitude", "longitude"), [])
    assert empty.points == Points(0, 0)
    assert empty.points.share == 0
    assert set(empty.columns.values()) == {ColumnProfile()}


def test_text_in_another_encoding_is_measured_too() -> None:
    assert _profile("x", ("name",), [b"caf\xe9"]).columns["name"].longest == 4
