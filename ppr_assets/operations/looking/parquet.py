"""A dump as Parquet: a file for each table, with the types that PostgreSQL's have there.

DuckDB writes them, which weighs half of what its peers do (25 MB as a wheel, pyarrow 55 MB) and
reads the CSV of :mod:`~ppr_assets.operations.looking.export` as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from ppr_assets.errors import PreconditionFailed
from ppr_assets.operations.looking.export import to_csv, whole
from ppr_assets.operations.looking.published_tables import PublishedTables

_TYPES: Mapping[str, str] = {
    "smallint": "SMALLINT",
    "integer": "INTEGER",
    "bigint": "BIGINT",
    "boolean": "BOOLEAN",
    "real": "FLOAT",
    "double precision": "DOUBLE",
    "date": "DATE",
    "timestamp without time zone": "TIMESTAMP",
    "timestamp with time zone": "TIMESTAMP WITH TIME ZONE",
}
_DECIMAL = re.compile(r"numeric\((\d+),(\d+)\)")
_MOST_DIGITS = 38


def to_parquet(dump: PublishedTables, name: str, out: Path) -> list[Path]:
    """Write a file for each table into the new folder ``out``; returns them.

    Raises :class:`PreconditionFailed` without DuckDB, for a value that Parquet has no place for (a
    date before Christ), and where ``out`` is there already or cannot be written.
    """
    try:
        import duckdb
    except ImportError as error:
        raise PreconditionFailed(
            "Parquet is written by DuckDB, which is not installed",
            hint="`pip install 'ppr-assets[parquet]'` brings it; `sqlite` and `csv` need nothing.",
        ) from error
    files = []
    with whole(out) as partial, TemporaryDirectory(dir=out.parent) as texts:
        partial.mkdir()
        tables = [one for _, one in sorted(dump.tables.items()) if one.columns]
        written = to_csv(dump, name, Path(texts) / "csv")
        for table, text in zip(tables, written, strict=True):
            file = partial / f"{text.stem}.parquet"
            types = {column: _type(one.values) for column, one in table.columns.items()}
            read = ["header=true", "auto_detect=false", "allow_quoted_nulls=false", "nullstr=''"]
            read += ["delim=','", "quote='\"'", "escape='\"'", f"columns={_struct(types)}"]
            source = f"read_csv({_text(str(text))}, {', '.join(read)})"
            try:
                with duckdb.connect() as session:
                    session.execute(
                        f"COPY (SELECT * FROM {source}) TO {_text(str(file))} (FORMAT parquet)"  # noqa: S608 - quoted
                    )
            except duckdb.Error as error:
                first = str(error).partition("\n")[0]
                raise PreconditionFailed(
                    f"{table.key} cannot be written as Parquet: {first}",
                    hint="`ppr-assets export sqlite` and `csv` take every value.",
                ) from error
            files.append(out / file.name)
    return files


def _type(type_: str) -> str:
    """What has no type of its own there is a text, and a numeric without a scale too: it may have
    more digits than any number there."""
    if (found := _DECIMAL.fullmatch(type_)) and int(found[1]) <= _MOST_DIGITS:
        return f"DECIMAL({found[1]},{found[2]})"
    return _TYPES.get(type_, "VARCHAR")


def _struct(types: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{_text(name)}: {_text(kind)}" for name, kind in types.items()) + "}"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
