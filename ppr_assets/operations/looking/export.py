"""A dump as other files: SQLite for Datasette, or a CSV file for each table.

A file has its name when it is whole; what a killed run leaves ends in ``.partial``.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from ppr_assets.errors import PreconditionFailed
from ppr_assets.operations.looking.csv_text import csv_text
from ppr_assets.operations.looking.published_tables import PublishedTables
from ppr_assets.operations.looking.sqlite_tables import (
    columns_of,
    insert,
    quoted,
    require_columns_apart,
)
from ppr_assets.plain_sql.tables.definitions import TableDefinition
from ppr_assets.plain_sql.tables.values import sqlite_type

_SEARCHED = ("name", "alternate_name", "description")
"""Columns that a full-text index is made of, where they are texts."""


def to_sqlite(dump: PublishedTables, name: str, out: Path) -> list[Path]:
    """Write the dump ``name`` to ``out``, with keys, indexes and full-text search, and beside it
    what Datasette reads of it (``.metadata.json``); returns both.

    Raises :class:`PreconditionFailed` for two tables or columns that would have one name, and where
    ``out`` is there already or cannot be written.
    """
    described = out.with_suffix(".metadata.json")
    tables = {key: dump.tables[key] for key in _names_outside(dump)}
    for table in tables.values():
        require_columns_apart(table)
    with whole(described) as metadata, whole(out) as partial:
        with closing(sqlite3.connect(partial, isolation_level=None)) as session:
            session.execute("PRAGMA journal_mode=OFF")
            session.execute("PRAGMA synchronous=OFF")
            session.execute("BEGIN")
            for key, table in tables.items():
                _table(session, dump, key, table, tables)
            for key, table in tables.items():
                _searched(session, _name(key), table)
            session.execute("COMMIT")
            session.execute("ANALYZE")
        metadata.write_text(_described(name, out.stem, tables), encoding="utf-8")
    return [out, described]


def to_csv(dump: PublishedTables, _: str, out: Path) -> list[Path]:
    """Write a file for each table into the new folder ``out``, with a heading, in UTF-8; NULL is
    nothing, and an empty text ``""``, as PostgreSQL's own CSV has it. Returns the files.

    Raises :class:`PreconditionFailed` for two tables whose files would have one name, and where
    ``out`` is there already or cannot be written.
    """
    with whole(out) as partial:
        partial.mkdir()
        names = _names_outside(dump)
        for key, table in ((key, dump.tables[key]) for key in names):
            name = names[key] = f"{names[key].replace(os.sep, '_')}.csv"
            with (partial / name).open("w", encoding="utf-8", newline="") as file:
                file.write(csv_text([(*table.columns,)]))
                for rows in dump.rows(key):
                    file.write(csv_text(rows))
    return [out / name for name in names.values()]


def _names_outside(dump: PublishedTables) -> dict[str, str]:
    """What each table with columns is called where there are no schemas, and small letters are not
    told from capitals."""
    names: dict[str, str] = {}
    known: dict[str, str] = {}
    for key in sorted(key for key, one in dump.tables.items() if one.columns):
        names[key] = _name(key)
        other = known.setdefault(names[key].replace(os.sep, "_").casefold(), key)
        if other != key:
            raise PreconditionFailed(
                f"{other} and {key} would both be called `{names[key].replace(os.sep, '_')}`",
                hint="`ppr-assets restore` brings the dump into PostgreSQL, which knows both.",
            )
    return names


@contextmanager
def whole(out: Path) -> Iterator[Path]:
    """Where to write what becomes ``out`` if all goes well. Nothing that is there is replaced."""
    partial = out.with_name(f".{out.name}.partial")
    if out.exists():
        raise PreconditionFailed(
            f"`{out}` is there already", hint="remove it, or name another with --out."
        )
    try:
        _remove(partial)
        yield partial
        partial.rename(out)
    except (OSError, sqlite3.OperationalError) as error:
        said = (error.strerror if isinstance(error, OSError) else None) or error
        raise PreconditionFailed(
            f"could not write `{out}`: {said}", hint="is the disk full, or the folder not yours?"
        ) from error
    finally:
        _remove(partial)


def _remove(path: Path) -> None:
    with suppress(FileNotFoundError, NotADirectoryError):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def _name(key: str) -> str:
    """A table's name outside PostgreSQL, which has no schemas there."""
    return key.replace('"', "")


def _table(
    session: sqlite3.Connection,
    dump: PublishedTables,
    key: str,
    table: TableDefinition,
    tables: Mapping[str, TableDefinition],
) -> None:
    lines = columns_of(table)
    if dump.keyed(key):
        lines.append(f"PRIMARY KEY ({_names(table.primary_key)})")
    keys = [one for one in table.foreign_keys if one.to in tables]
    lines += [
        f"FOREIGN KEY ({_names(one.columns)}) REFERENCES {quoted(_name(one.to))} "
        f"({_names(one.there)})"
        for one in keys
    ]
    name = quoted(_name(key))
    session.execute(f"CREATE TABLE {name} ({', '.join(lines)})")
    insert(session, name, dump, key)
    for one in {key.columns for key in keys}:
        index = quoted(f"{_name(key)}_{'_'.join(one)}")
        session.execute(f"CREATE INDEX {index} ON {name} ({_names(one)})")


def _searched(session: sqlite3.Connection, name: str, table: TableDefinition) -> None:
    columns = [
        one
        for one in _SEARCHED
        if one in table.columns and sqlite_type(table.columns[one].values) == "TEXT"
    ]
    if columns:
        index, content = quoted(f"{name}_fts"), quoted(name)
        session.execute(
            f"CREATE VIRTUAL TABLE {index} USING fts5({_names(columns)}, content={content})"
        )
        session.execute(f"INSERT INTO {index} ({index}) VALUES ('rebuild')")  # noqa: S608 - quoted


def _names(columns: tuple[str, ...] | list[str]) -> str:
    return ", ".join(map(quoted, columns))


def _described(dump: str, database: str, tables: Mapping[str, TableDefinition]) -> str:
    told = {
        _name(key): {
            "description": table.comment,
            "columns": {
                one.name: f"{one.type}: {one.comment}" if one.comment else one.type
                for one in table.columns.values()
            },
        }
        for key, table in tables.items()
    }
    about = {
        "title": "Pantry Pirate Radio",
        "description": f"Public food resources, as published in {dump}",
        "databases": {database: {"tables": told}},
    }
    return json.dumps(about, indent=2, ensure_ascii=False) + "\n"
