"""One exported snapshot: what is counted in it is what pg_dump writes from it.

The transaction is REPEATABLE READ and stays open while pg_dump runs on its snapshot. It also holds
the advisory lock that makes this the only dump of the database, from any machine, and both end
with the session, however it ends.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from ppr_assets.errors import DatabaseUnreachable, PreconditionFailed
from ppr_assets.postgres.advisory_lock import take_lock
from ppr_assets.postgres.connection import connect
from ppr_assets.rules.manifest import DatabaseIdentity
from ppr_assets.rules.naming import table_key
from ppr_assets.settings import DatabaseSettings

ADVISORY_LOCK = 0x7070725F_64756D70
"""The lock's number: the bytes of ``ppr_dump``."""

# Every table whose rows pg_dump writes: ordinary tables and partitions, not temporary ones. Of an
# extension's tables only those that it marked as configuration, with the condition that it gave
# (documentation of pg_extension_config_dump).
_TABLES: LiteralString = """
SELECT c.oid::bigint, n.nspname, c.relname, config.condition
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_depend d
  ON d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e'
LEFT JOIN LATERAL (
  SELECT t.condition FROM pg_catalog.pg_extension e,
    ROWS FROM (pg_catalog.unnest(e.extconfig), pg_catalog.unnest(e.extcondition))
      AS t(relation, condition)
  WHERE e.oid = d.refobjid AND t.relation = c.oid
) config ON true
WHERE c.relkind = 'r' AND c.relpersistence <> 't'
  AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
  AND (d.objid IS NULL OR config.condition IS NOT NULL)
ORDER BY n.nspname, c.relname
"""

_IDENTITY: LiteralString = """
SELECT system_identifier::pg_catalog.text, pg_catalog.current_database()::pg_catalog.text,
  pg_catalog.current_setting('server_version'),
  pg_catalog.pg_encoding_to_char(encoding)::pg_catalog.text, datcollate::pg_catalog.text,
  pg_catalog.current_setting('server_version_num')::int / 10000,
  pg_catalog.transaction_timestamp()
FROM pg_catalog.pg_control_system(), pg_catalog.pg_database
WHERE datname = pg_catalog.current_database()
"""


@dataclass(frozen=True)
class Table:
    oid: int
    schema: str
    name: str
    condition: str = ""

    @property
    def key(self) -> str:
        return table_key(self.schema, self.name)


@dataclass(frozen=True)
class Snapshot:
    """An open transaction; valid until its context ends."""

    connection: psycopg.Connection[tuple[Any, ...]]
    identity: DatabaseIdentity
    server_major: int
    taken_at: datetime
    tables: Sequence[Table]

    def count(self) -> Mapping[str, int]:
        """Count every table's rows exactly, by table key. The tables stay locked against DDL."""
        return {table.key: self._count(table) for table in self.tables}

    def export(self) -> str:
        """The snapshot's name for ``pg_dump --snapshot``."""
        row = self.connection.execute("SELECT pg_catalog.pg_export_snapshot()").fetchone()
        assert row is not None
        return str(row[0])

    def require_open(self) -> None:
        """Ask the server for a sign of life. With the session the lock would be gone, and another
        run might be at work; :func:`open_snapshot` turns that into its error."""
        self.connection.execute("SELECT")

    def _count(self, table: Table) -> int:
        # ONLY: the rows of inheriting tables are theirs, in the dump as well
        query = sql.SQL("SELECT pg_catalog.count(*) FROM ONLY {} {}").format(
            sql.Identifier(table.schema, table.name),
            sql.SQL(table.condition),  # the extension's own SQL
        )
        try:
            row = self.connection.execute(query).fetchone()
        except psycopg.errors.LockNotAvailable:
            raise PreconditionFailed(
                f"table {table.key} is locked by another session, and stayed so",
                hint="is a migration running? Run again when it is done; nothing was changed.",
            ) from None
        except psycopg.errors.InsufficientPrivilege as error:
            raise PreconditionFailed(
                f"table {table.key} cannot be read: {error.diag.message_primary}",
                hint=f"GRANT SELECT ON {table.key} to the dumping role.",
            ) from None
        assert row is not None
        return int(row[0])


@contextmanager
def open_snapshot(
    settings: DatabaseSettings, *, exclusive: bool, lock_seconds: float
) -> Iterator[Snapshot]:
    """Open the transaction; ``exclusive`` also takes the advisory lock.

    ``lock_seconds`` is how long a table that somebody else has locked is waited for. Raises
    :class:`DatabaseUnreachable`, also when the session is lost on the way, and :class:`Busy`
    naming the session that holds the advisory lock.
    """
    try:
        with connect(settings, autocommit=True) as connection:
            _prepare(connection, lock_seconds)
            if exclusive:
                take_lock(connection, ADVISORY_LOCK, "dumping this database")
            yield _begin(connection)
    except psycopg.OperationalError as error:
        raise DatabaseUnreachable(
            f"lost the session with {settings.describe()}: {' '.join(str(error).split())}",
            hint="look at the server's log; nothing was changed, so run again when it is up.",
        ) from error


def _prepare(connection: psycopg.Connection[tuple[Any, ...]], lock_seconds: float) -> None:
    """Let no time limit of the server end the session while pg_dump works, and let no session
    outlive a killed process for long: the server notices that nobody listens, within seconds or,
    where the whole machine is gone, two minutes."""
    wanted = {
        "statement_timeout": "0",
        "idle_in_transaction_session_timeout": "0",
        "transaction_timeout": "0",
        "lock_timeout": f"{round(lock_seconds * 1000)}ms",
        "DateStyle": "ISO",  # the only one that the driver reads
        "client_connection_check_interval": "5s",
        "tcp_keepalives_idle": "60",
        "tcp_keepalives_interval": "10",
        "tcp_keepalives_count": "6",
    }
    connection.execute(
        "SELECT pg_catalog.set_config(name, %s::pg_catalog.jsonb ->> name, false) "
        "FROM pg_catalog.pg_settings "
        "WHERE name = ANY(%s)",  # servers before 17 and 14 lack some of them
        [json.dumps(wanted), list(wanted)],
    )


def _begin(connection: psycopg.Connection[tuple[Any, ...]]) -> Snapshot:
    connection.execute("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    row = connection.execute(_IDENTITY).fetchone()
    assert row is not None
    *identity, major, taken_at = row
    return Snapshot(
        connection=connection,
        identity=DatabaseIdentity(*identity),
        server_major=major,
        taken_at=taken_at.astimezone(UTC),
        tables=[
            Table(oid, schema, table, condition or "")
            for oid, schema, table, condition in connection.execute(_TABLES)
        ],
    )
