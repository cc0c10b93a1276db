"""Rows come back complete and in byte order, whatever the memory allows."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ppr_assets.plain_sql.parsing.sorted_rows import SortedRows

ROWS = st.lists(st.binary(max_size=40).map(lambda row: row.replace(b"\n", b" ")), max_size=200)


def _sorted(rows: list[bytes], chunk_rows: int, memory: int) -> list[bytes]:
    with TemporaryDirectory() as folder, SortedRows(Path(folder), memory=memory) as sorter:
        for start in range(0, len(rows), chunk_rows):
            sorter.add(b"".join(row + b"\n" for row in rows[start : start + chunk_rows]))
        data = b"".join(sorter.blocks())
        assert sorter.count == len(rows)
        assert sorter.size == len(data)
        assert not list(Path(folder).iterdir())
    return data.split(b"\n")[:-1]


@given(rows=ROWS, chunk_rows=st.integers(1, 50), memory=st.sampled_from([1, 64, 500, 10**6]))
def test_rows_come_back_sorted_by_their_bytes(
    rows: list[bytes], chunk_rows: int, memory: int
) -> None:
    assert _sorted(rows, chunk_rows, memory) == sorted(rows)


def test_empty_rows_of_a_table_without_columns_are_rows() -> None:
    assert _sorted([b"", b"", b""], 2, 10) == [b"", b"", b""]


def test_a_row_larger_than_the_memory_survives_the_merge() -> None:
    rows = [b"z" * 200_000, b"a" * 300_000, b"m"] * 3
    assert _sorted(rows, 1, 1000) == sorted(rows)


def test_a_temporary_file_that_lost_data_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with SortedRows(tmp_path, memory=1) as sorter:
        sorter.add(b"b\na\n")
        sorter.add(b"d\nc\n")
        monkeypatch.setattr("os.pread", lambda *_: b"")
        with pytest.raises(OSError, match="ended early"):
            list(sorter.blocks())
