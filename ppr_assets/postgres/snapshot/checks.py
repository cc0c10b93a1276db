"""What would not load of what is published, found before anything is dumped.

PostgreSQL itself is asked, by the expressions that its catalog has: of two rows of what stands in
the place of withheld values, where a constraint reads nothing else, and else of the table's rows
with that in them. What calls functions of others is not run here; whether it holds, the proof of
the dump tells.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import psycopg
from psycopg import sql

from ppr_assets.postgres.sessions.connection import milliseconds
from ppr_assets.postgres.sessions.live_sessions import Connection
from ppr_assets.postgres.snapshot.constraints import (
    Constraint,
    TableColumn,
    TableConstraints,
    read_constraints,
)
from ppr_assets.postgres.snapshot.row_count import HOLD_SECONDS
from ppr_assets.rules.naming import column_name, quote_identifier, table_key
from ppr_assets.rules.publication.policy import Decision
from ppr_assets.rules.publication.withholding import Plan

SOME_ROWS = 10_000
_MORE = (None, 100, 10, 1)
"""How many times as many are asked, from all rows down, until the answer comes in time."""
_LIMIT = sql.SQL("SET LOCAL statement_timeout TO {}").format(
    sql.Literal(milliseconds(HOLD_SECONDS))
)
_TWO_ROWS = sql.SQL("(VALUES ('(0,1)'::pg_catalog.tid), ('(0,2)'::pg_catalog.tid)) AS two (ctid)")
_ROWS = sql.SQL("(SELECT {} FROM (SELECT {} FROM {} LIMIT {most} OFFSET 0) AS {name}) AS {name}")
_CHECK = sql.SQL("SELECT EXISTS (SELECT FROM {rows} WHERE ({condition}) IS FALSE)")
_KEYS = sql.SQL("(SELECT ctid AS at, {keys} FROM {rows} WHERE {condition} OFFSET 0)")
_UNIQUE = sql.SQL(
    "SELECT EXISTS (SELECT FROM {keys} AS keys {known} "
    "GROUP BY {names} HAVING pg_catalog.count(*) > 1)"
)
_EXCLUSION = sql.SQL(
    "SELECT EXISTS (SELECT FROM {keys} AS one JOIN {keys} AS other "
    "ON one.at < other.at AND {pairs})"
)
_COMPUTED = sql.SQL("SELECT pg_catalog.count(keys.*) < 0 FROM {keys} AS keys")

# Types of extensions say in either of the last two ways that a text is none of theirs.
_REFUSED = (
    psycopg.DataError,
    psycopg.IntegrityError,
    psycopg.errors.RaiseException,
    psycopg.errors.InternalError_,
    psycopg.errors.SyntaxError,
)

_WORDS = {
    "check": "{table} has the check {name}, which would not hold of",
    "domain": "{table} has the domain {domain}, whose check {name} would not hold of",
    "not null": "{table}.{name} may not be NULL, and would be, computed from",
    "partition": "{table} is a partition whose bounds would not hold of",
    "unique": "{table} has the unique index {name}, which would not be unique with",
    "exclusion": "{table} has the exclusion constraint {name}, which would not hold of",
    "index": "{table} has the index {name}, which could not be computed from",
}


def broken_checks(connection: Connection, plan: Plan) -> Sequence[str]:
    """In words, for the open transaction. What cannot be told in a moment is left to the proof."""
    changed = {key: table.changed for key, table in plan.tables.items() if table.changed}
    if not changed:
        return ()
    with connection.transaction(force_rollback=True):
        tables = read_constraints(connection, changed)
    return [
        problem
        for key, table in sorted(tables.items())
        for problem in _Loading(connection, table, changed[key]).problems()
    ]


class _Loading:
    """How a table would be loaded with what stands in the place of what is ``changed``."""

    def __init__(
        self, connection: Connection, table: TableConstraints, changed: Mapping[str, Decision]
    ) -> None:
        self._connection = connection
        self._table = table
        self._key = table_key(table.schema, table.name)
        self._changed = changed

    def problems(self) -> Iterator[str]:
        strange = {name for name in self._changed if self._is_strange(name)}
        for name in sorted(strange):
            yield (
                f"{self._called(name)} cannot be {self._changed[name].text!r}, which its type "
                f"{self._table.columns[name].type} does not hold as it is written"
            )
        for one in self._table.constraints:
            read = self._read(one.columns)
            withheld = [name for name in read if name in self._changed]
            alone = withheld == read
            if not withheld or strange & {*read} or (self._table.calling_others and not alone):
                continue
            if self._is_broken(one, read, alone=alone):
                words = _WORDS[one.kind].format(
                    table=self._key, name=quote_identifier(one.name), domain=one.domain
                )
                places = ", ".join(map(self._called, withheld))
                yield f"{words} what stands in the place of {places}"

    def _called(self, column: str) -> str:
        return column_name(self._key, column)

    def _is_strange(self, name: str) -> bool:
        """Whether a text is not what a column would have it written as."""
        decision = self._changed[name]
        query = sql.SQL("SELECT pg_catalog.format('%s', {}) <> {}").format(
            self._instead(self._table.columns[name]), sql.Literal(decision.text)
        )
        return decision.rule == "replaced" and bool(self._finds(query))

    def _read(self, columns: Sequence[str]) -> list[str]:
        """Those that are in a dump; what is generated is computed from them anew."""
        found = [self._table.columns[name] for name in columns]
        return [*dict.fromkeys(name for one in found for name in one.reads or (one.name,))]

    def _is_broken(self, one: Constraint, read: Sequence[str], *, alone: bool) -> bool:
        """By all rows, or by as many as can be asked where all take too long."""
        for times in _MORE:
            most = times and times * SOME_ROWS
            told = self._finds(self._query(one, self._rows(one, read, alone=alone, most=most)))
            if told is not None:
                return told
        return False

    def _query(self, one: Constraint, rows: sql.Composable) -> sql.Composed:
        condition = sql.SQL(one.condition)
        if not one.keys:
            return _CHECK.format(rows=rows, condition=condition)
        names = [sql.Identifier(f"k{place}") for place, _ in enumerate(one.keys)]
        parts = [
            sql.SQL("{} AS {}").format(sql.SQL(key), name)
            for key, name in zip(one.keys, names, strict=True)
        ]
        keys = _KEYS.format(keys=_listed(parts), rows=rows, condition=condition)
        return _conflict(one, keys, names)

    def _rows(
        self, one: Constraint, read: Sequence[str], *, alone: bool, most: int | None
    ) -> sql.Composable:
        """As they will be loaded: the table's, or two where what is ``read`` stands ``alone``. The
        planner must not compute of them what an index leaves out, hence the OFFSET."""
        values = [self._value(self._table.columns[name], alone=alone) for name in read]
        table = sql.SQL("ONLY {}").format(sql.Identifier(self._table.schema, self._table.name))
        computed = [
            sql.SQL("{} AS {}").format(sql.SQL(column.computed), sql.Identifier(column.name))
            for column in map(self._table.columns.__getitem__, one.columns)
            if column.reads
        ]
        rows = _ROWS.format(
            _listed([sql.SQL("*"), *computed]),
            _listed([sql.SQL("ctid"), *values]),
            _TWO_ROWS if alone else table,
            most=sql.Literal(most),
            name=sql.Identifier(self._table.name),
        )
        if one.kind == "domain":
            column = sql.Identifier(*one.columns)
            return sql.SQL("(SELECT {} AS value FROM {}) AS domain").format(column, rows)
        return rows

    def _value(self, column: TableColumn, *, alone: bool) -> sql.Composed:
        name = sql.Identifier(column.name)
        if column.name not in self._changed:
            return sql.SQL("{}").format(name)
        value = self._instead(column)
        if not alone:  # NULL stays NULL
            value = sql.SQL("CASE WHEN {} IS NOT NULL THEN {} END").format(name, value)
        return sql.SQL("{} AS {}").format(value, name)

    def _instead(self, column: TableColumn) -> sql.Composed:
        decision = self._changed[column.name]
        literal = sql.Literal(decision.text) if decision.rule == "replaced" else sql.SQL("NULL")
        return sql.SQL("CAST({} AS {})").format(literal, sql.SQL(column.type))

    def _finds(self, query: sql.Composed) -> bool | None:
        """Whether it finds something or cannot be computed; None where that takes longer than the
        moment that a lock may be held. False also where it cannot be told here."""
        try:
            with self._connection.transaction(force_rollback=True):
                self._connection.execute(_LIMIT)
                row = self._connection.execute(query).fetchone()
        except _REFUSED:
            return True
        except psycopg.errors.QueryCanceled:
            return None
        except psycopg.Error:
            if self._connection.closed:
                raise
            return False
        return bool(row and row[0])


def _conflict(one: Constraint, keys: sql.Composed, names: Sequence[sql.Identifier]) -> sql.Composed:
    if one.kind == "unique":
        known = [sql.SQL("{} IS NOT NULL").format(name) for name in names if one.distinct_nulls]
        where = sql.SQL("WHERE {}").format(sql.SQL(" AND ").join(known)) if known else sql.SQL("")
        return _UNIQUE.format(keys=keys, known=where, names=_listed(names))
    if one.kind == "exclusion":
        pairs = [
            sql.SQL("one.{name} {operator} other.{name}").format(
                name=name, operator=sql.SQL(operator)
            )
            for name, operator in zip(names, one.operators, strict=True)
        ]
        return _EXCLUSION.format(keys=keys, pairs=sql.SQL(" AND ").join(pairs))
    return _COMPUTED.format(keys=keys)


def _listed(parts: Sequence[sql.Composable]) -> sql.Composed:
    return sql.SQL(", ").join(parts)
