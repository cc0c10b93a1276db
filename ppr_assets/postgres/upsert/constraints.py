"""What a table's constraints make of the rows that are staged for it: what they would refuse is
left out and counted, so that one row of thousands fails nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, LiteralString

from msgspec import Struct
from psycopg import Connection, sql

from ppr_assets.rules.replay.rows.fitting import COUNTED_TO_ANOTHER

_UNIQUE: LiteralString = """
SELECT class.relname, ARRAY(SELECT pg_catalog.pg_get_indexdef(indexrelid, place, false)
        FROM pg_catalog.generate_series(1, indnkeyatts) AS place),
    ARRAY(SELECT attname::pg_catalog.text FROM pg_catalog.pg_attribute
        WHERE attrelid = indrelid AND (attnum = ANY (indkey) OR attnum IN (
            SELECT refobjsubid FROM pg_catalog.pg_depend
            WHERE classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND objid = indexrelid
                AND refobjid = indrelid)) AND attnum > 0 ORDER BY attnum),
    COALESCE(pg_catalog.pg_get_expr(indpred, indrelid), 'true'),
    indpred IS NULL AND indexprs IS NULL
FROM {tables} JOIN pg_catalog.pg_index ON indrelid = class.oid
WHERE indisunique AND NOT indisprimary ORDER BY 2, 4
"""
_CHECKS: LiteralString = """
SELECT class.relname, conname, pg_catalog.pg_get_expr(conbin, conrelid), ARRAY(
    SELECT attname::pg_catalog.text FROM pg_catalog.pg_attribute
    WHERE attrelid = conrelid AND attnum = ANY (conkey) AND NOT attnotnull ORDER BY attnum)
FROM {tables} JOIN pg_catalog.pg_constraint ON conrelid = class.oid
WHERE contype = 'c' ORDER BY conname
"""
"""Each with those of its columns that may be NULL."""
_REQUIRED: LiteralString = """
SELECT class.relname, attname FROM {tables} JOIN pg_catalog.pg_attribute ON attrelid = class.oid
WHERE attnum > 0 AND NOT attisdropped
    AND attnotnull AND NOT atthasdef AND attidentity = '' ORDER BY attnum
"""
_REFERENCES: LiteralString = """
SELECT class.relname, conname, column_here.attname, namespace.nspname, there.relname,
    column_there.attname
FROM {tables} JOIN pg_catalog.pg_constraint AS con ON con.conrelid = class.oid
JOIN pg_catalog.pg_class AS there ON there.oid = con.confrelid
JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = there.relnamespace
JOIN pg_catalog.pg_attribute AS column_here
    ON column_here.attrelid = con.conrelid AND column_here.attnum = con.conkey[1]
JOIN pg_catalog.pg_attribute AS column_there
    ON column_there.attrelid = con.confrelid AND column_there.attnum = con.confkey[1]
WHERE con.contype = 'f' AND pg_catalog.cardinality(con.conkey) = 1 AND con.confrelid <> con.conrelid
ORDER BY conname
"""
_TABLES = sql.SQL(
    "(SELECT class.oid, class.relname FROM pg_catalog.pg_class AS class "
    "JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = class.relnamespace "
    "WHERE namespace.nspname = 'public' AND class.relname = ANY (%(tables)s)) AS class"
)
_BESIDE = frozenset({"program_id"})
"""References without which a row says all else; a row that lacks another one hangs on nothing."""


class UniqueKey(Struct, frozen=True):
    """A unique index: the table holds one row for each value of its ``expressions``, of those to
    which ``predicate`` applies. ``columns`` are all that it looks at; it is ``plain`` where they
    are the expressions."""

    expressions: Sequence[str]
    columns: Sequence[str]
    predicate: str
    plain: bool

    @property
    def is_of_references(self) -> bool:
        """Of what rows hang on, which does not make two of them one."""
        return all(column.endswith("_id") for column in self.columns)


@dataclass
class Constraints:
    """``columns``: by table, those that the staged rows have. ``refused``: how many rows or values
    a constraint did not take, by ``table: constraint`` and what became of them."""

    connection: Connection
    columns: Mapping[str, Sequence[str]]
    refused: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        """All tables at once: each question takes longer to ask than to answer."""
        self._keys = {
            table: [UniqueKey(*one) for one in found]
            for table, found in self.of_tables(_UNIQUE).items()
        }
        self._checks_of = self.of_tables(_CHECKS)
        self._required_of = self.of_tables(_REQUIRED)
        self._references_of = self.of_tables(_REFERENCES)

    def of_tables(self, question: LiteralString) -> Mapping[str, Sequence[Sequence[Any]]]:
        """The rows of ``question`` by table, whose name stands first in each."""
        found: dict[str, list[Sequence[Any]]] = {table: [] for table in self.columns}
        asked = sql.SQL(question).format(tables=_TABLES)
        for table, *row in self.connection.execute(asked, {"tables": [*self.columns]}):
            found[table].append(row)
        return found

    def hold(self, table: str, *, whole: bool) -> None:
        """Have no staged row that the table would refuse, once those that it refers to are in.
        ``whole``: no trigger puts more into the rows on their way from here."""
        if whole:
            self._required(table)
        self._checks(table)
        self._references(table)
        for key in self.keys(table):
            self._one_for_each(table, key)

    def keys(self, table: str) -> Sequence[UniqueKey]:
        return self._keys[table]

    def _required(self, table: str) -> None:
        """A row goes where a column that nobody brings must have a value and has no default."""
        for (column,) in self._required_of[table]:
            if column not in self.columns[table]:
                gone = "DELETE FROM {staged} WHERE {column} IS NULL"
                count = self.run(gone, table, column=column)
                self._count(f"{table}: rows left out, {column} must have a value", count)

    def _checks(self, table: str) -> None:
        """What a check refuses is unknown where its one column may be NULL; else the row goes."""
        for name, expression, columns in self._checks_of[table]:
            refused = sql.SQL("NOT ({})").format(sql.SQL(expression))
            because = f"the constraint {name} refuses it"
            if len(columns) == 1:
                unknown = "UPDATE {staged} SET {column} = NULL WHERE {refused}"
                count = self.run(unknown, table, column=columns[0], refused=refused)
                self._count(f"{table}: {columns[0]} left out, {because}", count)
            count = self.run("DELETE FROM {staged} WHERE {refused}", table, refused=refused)
            self._count(f"{table}: rows left out, {because}", count)

    def _references(self, table: str) -> None:
        """A row goes with what it hangs on, which a constraint has refused."""
        for name, column, *other, key in self._references_of[table]:
            if column not in self.columns[table]:
                continue
            without = "UPDATE {staged} AS one SET {column} = NULL"
            gone, what = (
                (without, column) if column in _BESIDE else ("DELETE FROM {staged} AS one", "rows")
            )
            count = self.run(
                gone + " WHERE one.{column} IS NOT NULL AND NOT EXISTS "
                "(SELECT FROM {other} AS there WHERE there.{key} = one.{column})",
                table,
                column=column,
                other=sql.Identifier(*other),
                key=key,
            )
            self._count(f"{table}: {what} left out, no {other[1]} that {name} asks for", count)

    def _one_for_each(self, table: str, key: UniqueKey) -> None:
        """That which is there or else the first of several stays, and what refers to the others
        refers to it, unless only their parents make them one."""
        self.run(
            "CREATE TEMPORARY TABLE same ON COMMIT DROP AS WITH new (id, key) AS "
            "(SELECT id, ROW ({key}) FROM {staged} WHERE {predicate}), here (id, key) AS "
            "(SELECT id, ROW ({key}) FROM {table} WHERE {predicate}) "
            "SELECT id, kept FROM (SELECT new.id, COALESCE(here.id, pg_catalog.first_value(new.id) "
            "OVER (PARTITION BY new.key ORDER BY new.id)) AS kept "
            "FROM new LEFT JOIN here ON here.key = new.key WHERE new.key IS NOT NULL) AS every "
            "WHERE id <> kept",
            table,
            key=sql.SQL(", ").join(sql.SQL(one) for one in key.expressions),
            predicate=sql.SQL(key.predicate),
        )
        reference = f"{table}_id"
        referring = [other for other, columns in self.columns.items() if reference in columns]
        for other in [] if key.is_of_references else referring:
            self.run(
                "UPDATE {staged} AS one SET {column} = kept FROM pg_temp.same "
                "WHERE same.id = one.{column}",
                other,
                column=reference,
            )
        count = self.run(
            "DELETE FROM {staged} AS one USING pg_temp.same WHERE same.id = one.id", table
        )
        became = "rows left out" if key.is_of_references else COUNTED_TO_ANOTHER
        of = ", ".join(key.columns)
        self._count(f"{table}: {became}, the table holds one for each {of}", count)
        self.run("DROP TABLE pg_temp.same", table)

    def run(self, statement: LiteralString, table: str, **others: object) -> int:
        parts = {
            name: value if isinstance(value, sql.Composable) else sql.Identifier(str(value))
            for name, value in others.items()
        }
        return self.connection.execute(
            sql.SQL(statement).format(
                staged=sql.Identifier("pg_temp", staged(table)),
                table=sql.Identifier("public", table),
                **parts,
            )
        ).rowcount

    def _count(self, became: str, count: int) -> None:
        if count:
            self.refused[became] += count


def staged(table: str) -> str:
    return f"staged_{table}"


def listed(names: Sequence[str], relation: str = "") -> sql.Composed:
    parts = [sql.Identifier(*([relation] if relation else []), name) for name in names]
    return sql.SQL(", ").join(parts)
