"""One exported snapshot: what is counted in it is what pg_dump writes from it.

The transaction is REPEATABLE READ and stays open while pg_dump runs on its snapshot. It also holds
the advisory lock that makes this the only dump of the database, from any machine, and both end
with the session, however it ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from time import sleep
from typing import LiteralString, NamedTuple, TypeVar

import psycopg
from msgspec.structs import replace

from ppr_assets.errors import DumpDamaged, DumpFailed
from ppr_assets.postgres.sessions.advisory_lock import take_lock
from ppr_assets.postgres.sessions.connection import connect, milliseconds, pinned, require_named
from ppr_assets.postgres.sessions.failures import is_lost, server_failures
from ppr_assets.postgres.sessions.live_sessions import Connection
from ppr_assets.postgres.sessions.session import WITHOUT_LIMITS, prepare
from ppr_assets.postgres.snapshot.checks import broken_checks
from ppr_assets.postgres.snapshot.giving_way import Disturbed
from ppr_assets.postgres.snapshot.planned_functions import calling_others
from ppr_assets.postgres.snapshot.relations import read_relations
from ppr_assets.postgres.snapshot.row_count import Table, count_rows
from ppr_assets.postgres.snapshot.schema_state import change, schema_state
from ppr_assets.progress import stage
from ppr_assets.rules.publication.relations import Relation
from ppr_assets.rules.publication.withholding import Plan
from ppr_assets.rules.recorded.parts import DatabaseIdentity
from ppr_assets.settings import DatabaseSettings

T = TypeVar("T")

ADVISORY_LOCK = 0x7070725F_64756D70
"""The lock's number: the bytes of ``ppr_dump``."""

# Every table whose rows pg_dump writes: ordinary tables and partitions, not temporary ones. Of an
# extension's tables only those that it marked as configuration, with the condition that it gave
# (documentation of pg_extension_config_dump).
_TABLES: LiteralString = """
SELECT c.oid::bigint, n.nspname, c.relname, c.relfilenode::bigint, c.relam = 2,
  coalesce(config.condition, ''), c.relpersistence = 'u' AND pg_catalog.pg_is_in_recovery()
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
SELECT pg_catalog.current_database()::pg_catalog.text,
  pg_catalog.current_setting('server_version'),
  pg_catalog.pg_encoding_to_char(encoding)::pg_catalog.text, datcollate::pg_catalog.text,
  pg_catalog.current_setting('server_version_num')::int / 10000, pg_catalog.pg_is_in_recovery(),
  pg_catalog.transaction_timestamp()
FROM pg_catalog.pg_database
WHERE datname = pg_catalog.current_database()
"""


# As information_schema has it: a column may be null unless it, or its domain, says otherwise.
_COLUMNS: LiteralString = """
SELECT a.attrelid::bigint, a.attname::pg_catalog.text,
  pg_catalog.format_type(a.atttypid, a.atttypmod), NOT (a.attnotnull OR t.typnotnull)
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE a.attrelid = ANY(%s::pg_catalog.oid[]) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum
"""

_CLUSTER: LiteralString = "SELECT system_identifier FROM pg_catalog.pg_control_system()"

MOST_ATTEMPTS = 5
PAUSE_SECONDS = 1.0


class SnapshotColumn(NamedTuple):
    """A table's column, with its type as PostgreSQL writes it."""

    name: str
    type: str
    nullable: bool


@dataclass
class Snapshot:
    """An open transaction that holds no lock; valid until its context ends, or :meth:`end`.

    ``tables`` are those whose rows are dumped. ``without_rows`` are keys of tables that have none
    here: a standby does not get the rows of unlogged tables. ``settings`` lead to the very server
    that it is on, where a name stands for several.
    """

    settings: DatabaseSettings
    connection: Connection
    patience_seconds: float
    identity: DatabaseIdentity = field(init=False)
    server_major: int = field(init=False)
    standby: bool = field(init=False)
    taken_at: datetime = field(init=False)
    tables: Sequence[Table] = field(init=False)
    without_rows: Sequence[str] = field(init=False)

    def take(self) -> None:
        """Begin the transaction, in the place of one that is open."""
        self.end()
        self.connection.execute("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        with self.letting_go():
            row = self.connection.execute(_IDENTITY).fetchone()
            tables = self.connection.execute(_TABLES).fetchall()
            others = calling_others(self.connection)
            cluster = self._cluster()
        assert row is not None
        *identity, self.server_major, self.standby, taken_at = row
        self.identity = DatabaseIdentity(cluster, *identity)
        self.taken_at = taken_at.astimezone(UTC)
        self.tables = [
            replace(Table(*facts), calling_others=facts[0] in others)
            for *facts, without_rows in tables
            if not without_rows
        ]
        self.without_rows = [Table(*facts).key for *facts, without_rows in tables if without_rows]

    def _cluster(self) -> str | None:
        """The cluster's own number; None on a host that keeps such functions to itself."""
        try:
            with self.connection.transaction():
                row = self.connection.execute(_CLUSTER).fetchone()
        except psycopg.Error as error:
            if is_lost(error):
                raise
            return None
        return str(row[0]) if row else None

    def end(self) -> None:
        """End the transaction; what keeps other dumps of the database away stays."""
        self.connection.rollback()

    @contextmanager
    def letting_go(self) -> Iterator[None]:
        """Give back what the block locks, the server's catalogs among them; the snapshot stays."""
        with self.connection.transaction(force_rollback=True):
            yield

    def count(self) -> Mapping[str, int]:
        """Count every table's rows exactly, by table key."""
        counts = {}
        with stage("counting", len(self.tables), "tables") as counting:
            for table in self.tables:
                counts[table.key] = count_rows(
                    self.connection,
                    table,
                    seconds=self.patience_seconds,
                    search_path=self.settings.search_path,
                )
                counting.done += 1
        return counts

    def columns(self) -> Mapping[Table, Sequence[SnapshotColumn]]:
        """Every table's columns, in their order."""
        found: dict[int, list[SnapshotColumn]] = {table.oid: [] for table in self.tables}
        with self.letting_go():
            for oid, *facts in self.connection.execute(_COLUMNS, [list(found)]):
                found[oid].append(SnapshotColumn(*facts))
        return {table: found[table.oid] for table in self.tables}

    def relations(self) -> Sequence[Relation]:
        """All that holds rows, with what a publication policy has to know of it."""
        with self.letting_go():
            return read_relations(self.connection)

    def with_checks(self, plan: Plan) -> Plan:
        """``plan`` with what would not load of what it publishes, as impossible."""
        return replace(plan, impossible=(*plan.impossible, *broken_checks(self.connection, plan)))

    def export(self) -> str:
        """The snapshot's name for ``pg_dump --snapshot``."""
        row = self.connection.execute("SELECT pg_catalog.pg_export_snapshot()").fetchone()
        assert row is not None
        return str(row[0])

    def require_open(self) -> None:
        """Ask the server for a sign of life. With the session the lock would be gone, and another
        run might be at work; :func:`open_snapshot` turns that into its error."""
        self.connection.execute("SELECT")

    def undisturbed(self, work: Callable[[], T]) -> T:
        """What ``work`` makes of this snapshot.

        TRUNCATE, and an ALTER that rewrites a table, take rows from a snapshot that saw them, and
        other DDL makes pg_dump fail; whoever waits for a table makes it give way. So where such a
        thing came between, all is done once more on a new snapshot, some times. Raises
        :class:`Busy` after that.
        """
        for attempt in count(1):
            try:
                return work()
            except Disturbed as error:
                if attempt == MOST_ATTEMPTS:
                    error.message += f"; that was attempt {attempt}"
                    raise
            except (DumpFailed, DumpDamaged) as error:
                changed = self._change()
                if attempt == MOST_ATTEMPTS and changed:
                    raise Disturbed(f"{changed}: {error.message}") from error
                # a standby ends who is in the way of what the primary has done
                if attempt == MOST_ATTEMPTS or not (changed or self.standby):
                    raise
            sleep(PAUSE_SECONDS * attempt)
            self.take()
        raise AssertionError

    def require_untouched(self) -> None:
        """Raise :class:`Disturbed` where DDL has come between this snapshot and what was read."""
        if changed := self._change():
            raise Disturbed(changed)

    def _change(self) -> str:
        with self.letting_go():
            then = schema_state(self.connection)
        with connect(self.settings, autocommit=True) as connection:
            return change(then, schema_state(connection))


@contextmanager
def open_snapshot(
    settings: DatabaseSettings, *, exclusive: bool, lock_seconds: float
) -> Iterator[Snapshot]:
    """Open the transaction; ``exclusive`` also takes the advisory lock.

    ``lock_seconds`` is how long a table that somebody else has locked is waited for. Raises
    :class:`DatabaseUnreachable`, also when the session is lost on the way, and :class:`Busy`
    naming the session that holds the advisory lock.
    """
    with (
        server_failures(settings.describe(), "looking at the database"),
        connect(settings, autocommit=True) as connection,
    ):
        require_named(settings, connection)
        limits = WITHOUT_LIMITS | {"lock_timeout": milliseconds(lock_seconds)}
        prepare(connection, limits, local=False)
        if exclusive:
            take_lock(connection, ADVISORY_LOCK, "dumping this database")
        snapshot = Snapshot(pinned(settings, connection), connection, lock_seconds)
        snapshot.take()
        yield snapshot
