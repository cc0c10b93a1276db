"""Whether sequences and materialized views are as a dump has them, whose objects hold no more."""

from __future__ import annotations

import re
from collections.abc import Iterator

import psycopg

from ppr_assets.plain_sql.parsing.byte_ranges import DumpFile
from ppr_assets.plain_sql.parsing.layout import Layout
from ppr_assets.plain_sql.parsing.pieces import QUALIFIED
from ppr_assets.postgres.sessions.session import Connection, failed

_SETVAL = re.compile(
    rb"SELECT pg_catalog\.setval\('((?:[^']|'')+)', (-?\d+), (true|false)\);", re.DOTALL
)
_REFRESH = re.compile(rb"REFRESH MATERIALIZED VIEW (" + QUALIFIED + rb");")


def value_differences(connection: Connection, layout: Layout, file: DumpFile) -> Iterator[str]:
    """Hold sequences' values, and that materialized views are filled, to the dump, as the session
    sees them. Raises :class:`RestoreFailed`."""
    for entry in layout.entries:
        if entry.kind not in ("SEQUENCE SET", "MATERIALIZED VIEW DATA"):
            continue
        text = file.read(entry.start, entry.end)
        what = f"{entry.kind.lower()} {entry.name}"
        try:
            if found := _SETVAL.search(text):
                yield from _sequence(connection, *found.groups())
            elif found := _REFRESH.search(text):
                yield from _filled(connection, found.group(1))
            else:
                yield f"{what} is not as pg_dump writes it, so it cannot be compared"
        except psycopg.Error as error:
            raise failed(f"the comparison of {what}", error) from error


def _sequence(connection: Connection, literal: bytes, value: bytes, called: bytes) -> Iterator[str]:
    name = literal.replace(b"''", b"'")  # qualified, and quoted where that is needed
    row = connection.execute(b"SELECT last_value, is_called FROM " + name).fetchone()
    assert row is not None
    want = (int(value), called == b"true")
    if row != want:
        yield (
            f"sequence {name.decode('utf-8', 'replace')} is at {_value(*row)}, "
            f"the dump has {_value(*want)}"
        )


def _value(value: int, called: bool) -> str:
    return str(value) if called else f"{value} (not drawn yet)"


def _filled(connection: Connection, name: bytes) -> Iterator[str]:
    literal = b"'" + name.replace(b"'", b"''") + b"'"
    query = b"SELECT relispopulated FROM pg_catalog.pg_class WHERE oid = " + literal
    row = connection.execute(query + b"::pg_catalog.regclass").fetchone()
    assert row is not None
    if not row[0]:
        yield f"materialized view {name.decode('utf-8', 'replace')} is not filled"
