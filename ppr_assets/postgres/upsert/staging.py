"""Stage rows in temporary tables, and bring the tables that serve up to date from there."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import LiteralString

from psycopg import Connection, sql

from ppr_assets.postgres.upsert.constraints import Constraints, listed, staged
from ppr_assets.rules.replay.rows.fitting import FittedColumn

_ROWS = 2_000
"""Of one table that wait for COPY."""
_ROW_TRIGGERS: LiteralString = """
SELECT class.relname, trigger.tgname,
    function.pronamespace::pg_catalog.regnamespace::pg_catalog.text
        || '.' || pg_catalog.quote_ident(function.proname)
FROM {tables} JOIN pg_catalog.pg_trigger AS trigger ON trigger.tgrelid = class.oid
JOIN pg_catalog.pg_proc AS function ON function.oid = trigger.tgfoid
WHERE NOT trigger.tgisinternal
    AND trigger.tgenabled <> 'D' AND trigger.tgtype & 7 = 7 AND trigger.tgnargs = 0
ORDER BY trigger.tgname
"""
"""Those before the insert of a row (1: for each row, 2: before, 4: insert)."""
_NOT_NULL: LiteralString = """
SELECT class.relname, attname FROM {tables} JOIN pg_catalog.pg_attribute ON attrelid = class.oid
WHERE attnum > 0 AND attnotnull AND NOT attisdropped
"""
_UPDATE: LiteralString = """
UPDATE {table} AS here SET {assignments} FROM {staged} AS new
WHERE {same} AND ROW ({old}) IS DISTINCT FROM ROW ({new}) {unverified}
"""
"""As text, which types have that know no equality, such as json."""
_INSERT: LiteralString = """
INSERT INTO {table} ({columns}) SELECT {columns} FROM {staged} AS new
WHERE NOT EXISTS (SELECT FROM {table} AS here WHERE {same}) ORDER BY {key}
"""
"""And not ON CONFLICT, which counts a sequence on for rows that are there."""

_COLUMNS = """
SELECT class.relname, attribute.attname,
    CASE base.typtype WHEN 'e' THEN 'enum' ELSE base.typname END,
    attribute.attnotnull OR type.typnotnull,
    attribute.atthasdef OR attribute.attidentity <> '',
    CASE WHEN base.typname IN ('varchar', 'bpchar') AND modifier.typmod > 4
        THEN modifier.typmod - 4 END,
    ARRAY(SELECT enumlabel::pg_catalog.text FROM pg_catalog.pg_enum
        WHERE enumtypid = base.oid)
FROM pg_catalog.pg_attribute AS attribute
JOIN pg_catalog.pg_class AS class ON class.oid = attribute.attrelid
JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = class.relnamespace
JOIN pg_catalog.pg_type AS type ON type.oid = attribute.atttypid
JOIN pg_catalog.pg_type AS base ON base.oid = CASE type.typtype
    WHEN 'd' THEN type.typbasetype ELSE type.oid END
CROSS JOIN LATERAL (SELECT CASE type.typtype
    WHEN 'd' THEN type.typtypmod ELSE attribute.atttypmod END) AS modifier (typmod)
WHERE namespace.nspname = 'public' AND class.relkind IN ('r', 'p') AND class.relname = ANY (%s)
    AND attribute.attnum > 0 AND NOT attribute.attisdropped AND attribute.attgenerated = ''
ORDER BY class.relname, attribute.attnum
"""


@dataclass
class Staging:
    """For the rows of one session. ``columns``: by table, in the order in which they refer to
    each other, those that the rows have; ``verified``: tables with a column ``verified_by``, whose
    rows stay as they are where a human has looked at them. ``refused``: how many rows a constraint
    did not take, by ``table: constraint`` and what became of them."""

    connection: Connection
    columns: Mapping[str, Sequence[str]]
    verified: Collection[str] = ()
    refused: Counter[str] = field(default_factory=Counter)
    _waiting: dict[str, list[Sequence[str | None]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._filled_later: set[str] = set()
        self._constraints = Constraints(self.connection, self.columns, self.refused)
        self._run = self._constraints.run
        not_null, triggers = map(self._constraints.of_tables, (_NOT_NULL, _ROW_TRIGGERS))
        for table in self.columns:
            self._make(table, [name for (name,) in not_null[table]], triggers[table])
        self._waiting = {table: [] for table in self.columns}

    def _make(self, table: str, not_null: Sequence[str], triggers: Sequence[Sequence[str]]) -> None:
        """Like the table and free of what it must have; with its triggers only where they make what
        rows are known by, since they run once more when the rows go on."""
        self._run("CREATE TEMPORARY TABLE {staged} (LIKE {table})", table)
        if not_null:
            free = (sql.SQL("ALTER {} DROP NOT NULL").format(sql.Identifier(n)) for n in not_null)
            self._run("ALTER TABLE {staged} {free}", table, free=sql.SQL(", ").join(free))
        if triggers and not self._made_by_triggers(table):
            self._filled_later.add(table)
            return
        for name, function in triggers:
            self.connection.execute(
                sql.SQL(
                    "CREATE TRIGGER {} BEFORE INSERT ON {} FOR EACH ROW EXECUTE FUNCTION {}()"
                ).format(
                    sql.Identifier(name),
                    sql.Identifier("pg_temp", staged(table)),
                    sql.SQL(function),
                )
            )

    def _made_by_triggers(self, table: str) -> bool:
        """Whether the table holds one row for each value of a column that rows do not bring."""
        brought = {*self.columns[table]}
        return any({*key.columns} - brought for key in self._constraints.keys(table))

    def add(self, table: str, row: Sequence[str | None]) -> None:
        waiting = self._waiting[table]
        waiting.append(row)
        if len(waiting) >= _ROWS:
            self._copy(table)

    def _copy(self, table: str) -> None:
        rows = self._waiting[table]
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
            sql.Identifier("pg_temp", staged(table)), listed(self.columns[table])
        )
        with self.connection.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
        rows.clear()

    def finish(
        self, each: Callable[[], AbstractContextManager[object]] = nullcontext
    ) -> Mapping[str, int]:
        """Bring the tables up to date, ``each`` in a context of its own; how many rows were
        inserted or changed, by table."""
        for table in self.columns:
            self._copy(table)
        changed = {}
        for table in self.columns:
            with each():
                changed[table] = self._upsert(table)
        for table in self.columns:
            self._run("DROP TABLE {staged}", table)
        return changed

    def _upsert(self, table: str) -> int:
        self._run("ANALYZE {staged}", table)
        self._constraints.hold(table, whole=table not in self._filled_later)
        columns = self.columns[table]
        keys = [key.columns for key in self._constraints.keys(table) if key.plain]
        whole = [key for key in keys if {*key} <= {*columns}]
        known_by = ["id"] if "id" in columns else whole[0] if whole else columns
        others = [name for name in columns if name not in known_by]
        parts = {
            "table": sql.Identifier("public", table),
            "staged": sql.Identifier("pg_temp", staged(table)),
            "columns": listed(columns),
            "key": listed(known_by),
            "same": sql.SQL("ROW ({}) = ROW ({})").format(
                listed(known_by, "here"), listed(known_by, "new")
            ),
            "assignments": sql.SQL(", ").join(
                sql.SQL("{0} = new.{0}").format(sql.Identifier(name)) for name in others
            ),
            "old": _texts(others, "here"),
            "new": _texts(others, "new"),
            "unverified": sql.SQL("AND here.verified_by IS NULL" if table in self.verified else ""),
        }
        return sum(
            self.connection.execute(sql.SQL(statement).format(**parts)).rowcount
            for statement in ([_UPDATE] if others else []) + [_INSERT]
        )


def _texts(names: Sequence[str], relation: str) -> sql.Composed:
    text = sql.SQL("{}::pg_catalog.text")
    return sql.SQL(", ").join(text.format(sql.Identifier(relation, name)) for name in names)


def read_columns(
    connection: Connection, tables: Collection[str]
) -> Mapping[str, Mapping[str, FittedColumn]]:
    """By table and column, of those of ``tables`` that there are."""
    found: defaultdict[str, dict[str, FittedColumn]] = defaultdict(dict)
    for table, name, kind, required, defaulted, length, labels in connection.execute(
        _COLUMNS, [list(tables)]
    ):
        found[table][name] = FittedColumn(
            name, kind, required, defaulted, length, frozenset(labels)
        )
    return found
