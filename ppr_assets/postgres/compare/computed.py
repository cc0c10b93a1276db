"""What a database has computed and no dump holds: generated columns, materialized views.

Digests of their rows, whatever order they lie in, made by the server itself in one pass over each.
They tell whether the same was computed again. A difference is worth a word and no refusal: a
materialized view may have been stale, or depend on the moment, and is then rightly another.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import LiteralString, NamedTuple

import psycopg

from ppr_assets.plain_sql.parsing.pieces import quoted
from ppr_assets.postgres.compare.computed_from import computed_from
from ppr_assets.postgres.sessions.computing import READING
from ppr_assets.postgres.sessions.connection import milliseconds
from ppr_assets.postgres.sessions.session import Connection, prepare
from ppr_assets.postgres.snapshot.planned_functions import calling_others
from ppr_assets.postgres.snapshot.row_count import HOLD_SECONDS
from ppr_assets.rules.naming import table_key

GENERATED = "generated columns of "
VIEW = "materialized view "

_FIRST_PAGES = 512
_BY_PAGES_SINCE = 140000
"""The server's version that reads a range of pages without reading those before it."""

_COMPUTED: LiteralString = """
SELECT c.oid::bigint, n.nspname, c.relname, c.relkind = 'm',
  pg_catalog.array_agg(a.attname ORDER BY a.attname),
  pg_catalog.pg_relation_size(c.oid) / pg_catalog.current_setting('block_size')::bigint
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE (c.relkind = 'm' AND c.relispopulated OR c.relkind = 'r' AND a.attgenerated = 's')
  AND c.relpersistence <> 't' AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
  AND pg_catalog.has_table_privilege(c.oid, 'SELECT')
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e'
    AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass)
GROUP BY c.oid, n.nspname, c.relname, c.relkind ORDER BY n.nspname, c.relname
"""

# A sum, so that it is the same in any order; the hash is the one that partitions by hash rely on.
_DIGEST = (
    b"SELECT coalesce(pg_catalog.sum(pg_catalog.hashtextextended("
    b'ROW(%s)::pg_catalog.text COLLATE pg_catalog."C", 4711)), 0), pg_catalog.count(*) '
    b"FROM ONLY %s %s"
)
_PAGES = "WHERE ctid >= '(%d,0)'::pg_catalog.tid AND ctid < '(%d,0)'::pg_catalog.tid"


class _Computed(NamedTuple):
    oid: int
    schema: str
    name: str
    is_view: bool
    columns: list[str]
    pages: int

    @property
    def key(self) -> str:
        return (VIEW if self.is_view else GENERATED) + table_key(self.schema, self.name)


class Digests(NamedTuple):
    """By what they are of, and what was left out because it is computed from what is withheld."""

    found: Mapping[str, str]
    withheld: Sequence[str]


def read_digests(
    connection: Connection,
    *,
    withheld: Mapping[str, Collection[str]] = MappingProxyType({}),
    hold_seconds: float = HOLD_SECONDS,
) -> Digests:
    """In the open transaction. No lock is held longer than ``hold_seconds``, and none is left; what
    cannot be had so, or be read, is left out: nothing depends on it. What may have been computed
    from what is ``withheld``, columns by table key or none for whole tables, is left out too: a
    digest lets values be guessed."""
    with connection.transaction(force_rollback=True):
        others = calling_others(connection)
        private = computed_from(connection, withheld)
        found = [_Computed(*facts) for facts in connection.execute(_COMPUTED).fetchall()]
    wanted = [one for one in found if one.oid not in {*others, *private}]
    digests = {one.key: _digest(connection, one, hold_seconds) for one in wanted}
    return Digests(
        {key: digest for key, digest in digests.items() if digest is not None},
        [one.key for one in found if one.oid in private],
    )


def computed_otherwise(then: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """What a human should know of what differs."""
    other = sorted(key for key in then.keys() & now.keys() if then[key] != now[key])
    columns = [key.removeprefix(GENERATED) for key in other if key.startswith(GENERATED)]
    views = [key.removeprefix(VIEW) for key in other if key.startswith(VIEW)]
    said = []
    if columns:
        said.append(
            f"{GENERATED}{', '.join(columns)} hold other values than where the dump is from: a "
            "setting, a locale or a function is another here, or was when the rows were written"
        )
    if views:
        said.append(
            f"{VIEW}{', '.join(views)} holds other rows than where the dump is from: made anew "
            "from its tables, it is another where it was stale or depends on the moment, on a "
            "setting or on a locale"
        )
    return said


def _digest(connection: Connection, one: _Computed, hold_seconds: float) -> str | None:
    try:
        try:
            total, rows = _ask(connection, one, "", hold_seconds)
        except psycopg.errors.QueryCanceled:
            if connection.info.server_version < _BY_PAGES_SINCE:
                return None
            total, rows = _in_pieces(connection, one, hold_seconds)
    except psycopg.Error:
        if connection.closed:
            raise
        return None
    return f"{rows} rows, {total % 2**64:016x}"


def _in_pieces(connection: Connection, one: _Computed, hold_seconds: float) -> tuple[int, int]:
    total, rows, start, size = 0, 0, 0, _FIRST_PAGES
    while start < one.pages:
        where = _PAGES % (start, start + size)
        try:
            more, number = _ask(connection, one, where, hold_seconds)
        except psycopg.errors.QueryCanceled:
            if size == 1:
                raise
            size = max(1, size // 4)
            continue
        total, rows, start = total + more, rows + number, start + size
    return total, rows


def _ask(connection: Connection, one: _Computed, where: str, seconds: float) -> tuple[int, int]:
    columns = b", ".join(map(quoted, one.columns))
    query = _DIGEST % (columns, quoted(one.schema, one.name), where.encode())
    with connection.transaction(force_rollback=True):
        prepare(connection, READING | {"statement_timeout": milliseconds(seconds)}, local=True)
        row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])
