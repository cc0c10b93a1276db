"""How rows of living tables are read and compared in SQL."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from ppr_assets.postgres.sessions.session import Connection
from ppr_assets.rules.patch.changes import PatchTable, Row


def rows_now(
    connection: Connection, table: PatchTable, keys: Sequence[str], *, lock: bool
) -> Iterator[Row]:
    """The rows of a living table for which one of the conditions ``keys`` on ``it`` holds; with
    ``lock`` nobody else changes them until the transaction ends."""
    statement = (
        f"SELECT {row_in_sql(table, 'it', range(len(table.columns)))} FROM {table.only} AS it "  # noqa: S608
        f"WHERE {' OR '.join(f'({one})' for one in keys)}{' FOR UPDATE' if lock else ''}"
    )
    return (tuple(row) for (row,) in connection.execute(sql(statement)))


def row_in_sql(table: PatchTable, alias: str, places: Iterable[int]) -> str:
    """Literals, as the types' own output gives them."""
    wanted = {*places}
    cells = (
        f"pg_catalog.format('%L', {alias}.{one.quoted})" if at in wanted else "NULL"
        for at, one in enumerate(table.columns)
    )
    return f"ARRAY[{', '.join(cells)}]::pg_catalog.text[]"


def same(one: str, other: str, *, plain: bool) -> str:
    if plain:
        return f"{one} = {other}"
    texts = (f"pg_catalog.format('%s', {name})" for name in (one, other))
    return f"{one} IS NOT NULL AND {' = '.join(texts)}"


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def sql(statement: str) -> bytes:
    return statement.encode()


def same_values(
    table: PatchTable, one: str, other: str, places: Collection[int], *, numbered: bool = False
) -> str:
    """The condition that the rows ``one`` and ``other`` of the table have the same at ``places``;
    of ``other``, if ``numbered``, in columns called ``k`` and the place."""
    return " AND ".join(
        same(
            f"{one}.{column.quoted}",
            f"{other}.{f'k{at}' if numbered else column.quoted}",
            plain=column.plain,
        )
        for at, column in ((at, table.columns[at]) for at in sorted(places))
    )
