"""Stage rows in temporary tables, and bring the tables that serve up to date from there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import LiteralString

from psycopg import Connection, sql

_ROWS = 2_000
"""Of one table that wait for COPY."""
_ROW_TRIGGERS = """
SELECT trigger.tgname, function.pronamespace::pg_catalog.regnamespace::pg_catalog.text
    || '.' || pg_catalog.quote_ident(function.proname)
FROM pg_catalog.pg_trigger AS trigger
JOIN pg_catalog.pg_proc AS function ON function.oid = trigger.tgfoid
WHERE trigger.tgrelid = %s::pg_catalog.regclass AND NOT trigger.tgisinternal
    AND trigger.tgenabled <> 'D' AND trigger.tgtype & 7 = 7 AND trigger.tgnargs = 0
ORDER BY trigger.tgname
"""
"""Those before the insert of a row (1: for each row, 2: before, 4: insert)."""
_UNIQUE = """
SELECT ARRAY(SELECT attribute.attname::pg_catalog.text
    FROM pg_catalog.unnest(index.indkey::pg_catalog.int2[]) WITH ORDINALITY AS key (number, place)
    JOIN pg_catalog.pg_attribute AS attribute
        ON attribute.attrelid = index.indrelid AND attribute.attnum = key.number
    WHERE key.place <= index.indnkeyatts ORDER BY key.place)
FROM pg_catalog.pg_index AS index
WHERE index.indrelid = %s::pg_catalog.regclass AND index.indisunique AND NOT index.indisprimary
    AND index.indpred IS NULL AND index.indexprs IS NULL
ORDER BY 1
"""


_CHECKS = """
SELECT conname, pg_catalog.pg_get_expr(conbin, conrelid), ARRAY(
    SELECT attname::pg_catalog.text FROM pg_catalog.pg_attribute
    WHERE attrelid = conrelid AND attnum = ANY (conkey) AND NOT attnotnull ORDER BY attnum)
FROM pg_catalog.pg_constraint
WHERE conrelid = %s::pg_catalog.regclass AND contype = 'c' ORDER BY conname
"""
"""Each with those of its columns that may be NULL."""


_UPDATE: LiteralString = """
UPDATE {table} AS here SET {assignments} FROM {staged} AS new
WHERE {same} AND ROW ({old}) IS DISTINCT FROM ROW ({new}) {unverified}
"""
_INSERT: LiteralString = """
INSERT INTO {table} ({columns}) SELECT {columns} FROM {staged} AS new
WHERE NOT EXISTS (SELECT FROM {table} AS here WHERE {same}) ORDER BY {key}
"""
"""And not ON CONFLICT, which counts a sequence on for rows that are there."""


@dataclass
class Staging:
    """For the rows of one transaction. ``columns``: by table, in the order in which they refer to
    each other, those that the rows have; ``verified``: tables with a column ``verified_by``, whose
    rows stay as they are where a human has looked at them. ``refused``: how many rows a constraint
    did not take, by ``table: constraint`` and what became of them."""

    connection: Connection
    columns: Mapping[str, Sequence[str]]
    verified: Collection[str] = ()
    staged: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    _waiting: dict[str, list[Sequence[str | None]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for table in self.columns:
            self._make(table)
        self._waiting = {table: [] for table in self.columns}

    def _make(self, table: str) -> None:
        """Like the table and free of what it must have; with its triggers only where they make what
        rows are known by, since they run once more when the rows go on."""
        self._run("CREATE TEMPORARY TABLE {staged} (LIKE {table}) ON COMMIT DROP", table)
        names = self.connection.execute(
            "SELECT attname FROM pg_catalog.pg_attribute WHERE attrelid = %s::pg_catalog.regclass "
            "AND attnum > 0 AND attnotnull AND NOT attisdropped",
            [f"pg_temp.{_staged(table)}"],
        ).fetchall()
        for (name,) in names:
            self._run("ALTER TABLE {staged} ALTER {name} DROP NOT NULL", table, name=name)
        if not self._made_by_triggers(table):
            return
        triggers = self.connection.execute(_ROW_TRIGGERS, [f"public.{table}"]).fetchall()
        for name, function in triggers:
            self.connection.execute(
                sql.SQL(
                    "CREATE TRIGGER {} BEFORE INSERT ON {} FOR EACH ROW EXECUTE FUNCTION {}()"
                ).format(
                    sql.Identifier(name),
                    sql.Identifier("pg_temp", _staged(table)),
                    sql.SQL(function),
                )
            )

    def _keys(self, table: str) -> list[list[str]]:
        return [key for (key,) in self.connection.execute(_UNIQUE, [f"public.{table}"])]

    def _made_by_triggers(self, table: str) -> bool:
        """Whether the table holds one row for each value of a column that rows do not bring."""
        return any({*key} - {*self.columns[table]} for key in self._keys(table))

    def add(self, table: str, row: Sequence[str | None]) -> None:
        waiting = self._waiting[table]
        waiting.append(row)
        if len(waiting) >= _ROWS:
            self._copy(table)

    def _copy(self, table: str) -> None:
        rows = self._waiting[table]
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
            sql.Identifier("pg_temp", _staged(table)), _listed(self.columns[table])
        )
        with self.connection.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
        self.staged[table] += len(rows)
        rows.clear()

    def finish(self) -> Mapping[str, int]:
        """Bring the tables up to date; how many rows were inserted or changed, by table."""
        for table in self.columns:
            self._copy(table)
        return {table: self._upsert(table) for table in self.columns}

    def _upsert(self, table: str) -> int:
        self._run("ANALYZE {staged}", table)
        keys = self._keys(table)
        for key in keys:
            self._one_for_each(table, key)
        self._hold_to_checks(table)
        columns = self.columns[table]
        whole = [key for key in keys if {*key} <= {*columns}]
        known_by = ["id"] if "id" in columns else whole[0] if whole else columns
        others = [name for name in columns if name not in known_by]
        parts = {
            "table": sql.Identifier("public", table),
            "staged": sql.Identifier("pg_temp", _staged(table)),
            "columns": _listed(columns),
            "key": _listed(known_by),
            "same": sql.SQL("ROW ({}) = ROW ({})").format(
                _listed(known_by, "here"), _listed(known_by, "new")
            ),
            "assignments": sql.SQL(", ").join(
                sql.SQL("{0} = new.{0}").format(sql.Identifier(name)) for name in others
            ),
            "old": _listed(others, "here"),
            "new": _listed(others, "new"),
            "unverified": sql.SQL("AND here.verified_by IS NULL" if table in self.verified else ""),
        }
        return sum(
            self.connection.execute(sql.SQL(statement).format(**parts)).rowcount
            for statement in ([_UPDATE] if others else []) + [_INSERT]
        )

    def _hold_to_checks(self, table: str) -> None:
        """What a check refuses is unknown where its one column may be NULL; else the row goes."""
        checks = self.connection.execute(_CHECKS, [f"public.{table}"]).fetchall()
        for name, expression, columns in checks:
            refused = sql.SQL("NOT ({})").format(sql.SQL(expression))
            if len(columns) == 1:
                change = sql.SQL("UPDATE {staged} SET {column} = NULL WHERE {refused}")
                became = f"{columns[0]} left out"
            else:
                change = sql.SQL("DELETE FROM {staged} WHERE {refused}")
                became = "rows left out"
            statement = change.format(
                staged=sql.Identifier("pg_temp", _staged(table)),
                column=sql.Identifier(*columns[:1] or ["id"]),
                refused=refused,
            )
            if count := self.connection.execute(statement).rowcount:
                self.refused[f"{table}: {became}, the constraint {name} refuses it"] += count

    def _one_for_each(self, table: str, key: Sequence[str]) -> None:
        """Where the table holds one row for each ``key``, that which is there or else the first of
        several stays, and what refers to the others refers to it."""
        self._run(
            "CREATE TEMPORARY TABLE same ON COMMIT DROP AS SELECT id, kept FROM (SELECT id, "
            "COALESCE((SELECT here.id FROM {table} AS here WHERE ROW ({here}) = ROW ({new})), "
            "pg_catalog.first_value(id) OVER (PARTITION BY {new} ORDER BY id)) AS kept "
            "FROM {staged} AS new WHERE ROW ({new}) IS NOT NULL) AS every WHERE id <> kept",
            table,
            here=_listed(key, "here"),
            new=_listed(key, "new"),
        )
        reference = f"{table}_id"
        for other in [other for other, columns in self.columns.items() if reference in columns]:
            self._run(
                "UPDATE {staged} AS one SET {column} = kept FROM pg_temp.same "
                "WHERE same.id = one.{column}",
                other,
                column=reference,
            )
        self._run("DELETE FROM {staged} AS one USING pg_temp.same WHERE same.id = one.id", table)
        self._run("DROP TABLE pg_temp.same", table)

    def _run(self, statement: LiteralString, table: str, **others: object) -> None:
        parts = {
            name: value if isinstance(value, sql.Composable) else sql.Identifier(str(value))
            for name, value in others.items()
        }
        self.connection.execute(
            sql.SQL(statement).format(
                staged=sql.Identifier("pg_temp", _staged(table)),
                table=sql.Identifier("public", table),
                **parts,
            )
        )


def _staged(table: str) -> str:
    return f"staged_{table}"


def _listed(names: Sequence[str], relation: str = "") -> sql.Composed:
    parts = [sql.Identifier(*([relation] if relation else []), name) for name in names]
    return sql.SQL(", ").join(parts)
