"""End pg_dump as soon as somebody waits for a lock that it holds.

Who waits for a table makes everybody wait who comes after, readers too: an ALTER TABLE that
arrives while pg_dump reads would stop the application for as long as that takes. So a second
session looks at the server's locks ten times a second, and ends pg_dump's where it is in the way.
The dump is then tried again.

It asks the functions below the views of pg_catalog, since the views need locks on other catalogs,
which a VACUUM FULL of the whole database may hold.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from time import monotonic
from typing import LiteralString

import psycopg

from ppr_assets.errors import Busy, PreconditionFailed
from ppr_assets.postgres.sessions.connection import Session, connect
from ppr_assets.postgres.sessions.pinned_environment import environment_beside
from ppr_assets.rules.naming import table_key
from ppr_assets.settings import DatabaseSettings

_LOOK_SECONDS = 0.1

_LATELY_SECONDS = 1.0
"""How long before its end pg_dump must have been seen waiting, to have failed because of that."""

_OURS: LiteralString = (
    "SELECT pid FROM pg_catalog.pg_stat_get_activity(NULL) WHERE application_name = %(name)s "
    "OR pg_catalog.starts_with(application_name, %(with_more)s)"  # a pooler adds where it is from
)

# Of the locks on tables, those that pg_dump waits for, and those that wait for pg_dump's.
_WAITING: LiteralString = f"""
WITH ours AS MATERIALIZED ({_OURS}), locks AS MATERIALIZED (
  SELECT pid, database, relation, mode, granted, pid IN (SELECT pid FROM ours) AS own
  FROM pg_catalog.pg_lock_status() WHERE locktype = 'relation'
)
SELECT own, pid, relation::pg_catalog.int8 FROM locks waiting
WHERE NOT granted AND (own OR mode = 'AccessExclusiveLock' AND EXISTS (
  SELECT FROM locks held WHERE held.own AND held.granted
    AND held.database = waiting.database AND held.relation = waiting.relation))
"""  # noqa: S608 - put together from constants

_END: LiteralString = f"""
SELECT pg_catalog.pg_terminate_backend(pid) FROM ({_OURS}) ours
"""  # noqa: S608 - put together from constants

_WHO: LiteralString = """
SELECT 'session ' || pid || coalesce(' of ' || pg_catalog.pg_get_userbyid(usesysid), '')
  || coalesce(' (' || nullif(application_name, '') || ')', '')
FROM pg_catalog.pg_stat_get_activity(%s)
"""

_TABLE: LiteralString = """
SELECT n.nspname, c.relname
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = %s
"""


_HINT = "nothing was changed. Run again when no migration, TRUNCATE or REFRESH is at work there."


class Disturbed(Busy):
    """Somebody's work on a table came in between; on a new snapshot it may not."""

    def __init__(self, what: str, *, hint: str = _HINT) -> None:
        super().__init__(f"busy: {what}", hint=hint)


class Watch(threading.Thread):
    """Looks out for those who wait. ``name`` is pg_dump's application name, ``environment`` what it
    is started with to work as the session does that looks."""

    def __init__(self, connection: Session, name: str, environment: dict[str, str]) -> None:
        super().__init__(name="giving way")
        self.environment = environment | {"PGAPPNAME": name}
        self._connection = connection
        self._ours = {"name": name, "with_more": f"{name} "}
        self._over = threading.Event()
        self._waited: tuple[float, str] = -_LATELY_SECONDS, ""
        self._gave_way = ""
        self._lost: psycopg.Error | None = None

    def require_eyes(self) -> None:
        """Raise :class:`Disturbed` when the session that looks was lost, and
        :class:`PreconditionFailed` when it may not look: pg_dump would go on, and nobody would see
        who waits for it."""
        if self._lost is not None:
            said = " ".join(str(self._lost).split())
            if isinstance(self._lost, psycopg.errors.InsufficientPrivilege):
                raise PreconditionFailed(
                    f"pg_dump cannot be made to give way to those who wait for it: {said}",
                    hint="GRANT EXECUTE ON FUNCTION pg_catalog.pg_stat_get_activity(integer), "
                    "pg_catalog.pg_lock_status() to the role that dumps, and let it end its own "
                    "sessions (pg_terminate_backend). Nothing was changed.",
                )
            raise Disturbed(
                f"the session that sees who waits for pg_dump was lost: {said}",
                hint="nothing was changed. Run again; did somebody end the session, or restart "
                "the server?",
            )

    def disturbance(self) -> Disturbed | None:
        """Why pg_dump has failed, if that was because somebody else works on a table. It has ended:
        nobody is looked out for any more."""
        self.stop()
        seen, what = self._waited
        if self._gave_way:
            return Disturbed(self._gave_way)
        return Disturbed(what) if what and monotonic() - seen < _LATELY_SECONDS else None

    def run(self) -> None:
        before: set[int] = set()
        try:
            while not self._over.wait(_LOOK_SECONDS):
                before = self._look(before)
        except psycopg.Error as error:
            self._lost = error

    def stop(self) -> None:
        self._over.set()
        self.join()

    def end_pg_dump(self) -> None:
        """A session does not notice at once that its client was killed."""
        self._connection.execute(_END, self._ours)

    def _look(self, before: set[int]) -> set[int]:
        """Look once. Who is met a second time is in earnest: most locks are had at once."""
        found = self._connection.execute(_WAITING, self._ours).fetchall()
        for own, pid, table in found:
            if own:
                who = self._first("SELECT (pg_catalog.pg_blocking_pids(%s))[1]", pid)
                self._waited = monotonic(), f"{self._table(table)} is locked by {self._who(who)}"
            elif pid in before:
                self.end_pg_dump()
                self._gave_way = f"{self._who(pid)} waited for {self._table(table)}, so the dump "
                self._gave_way += "that was reading it was given up"
        return {pid for own, pid, _ in found if not own}

    def _who(self, pid: object) -> object:
        return self._first(_WHO, pid) or "another session"

    def _table(self, oid: int) -> str:
        row = self._connection.execute(_TABLE, [oid]).fetchone()
        return f"table {table_key(*row)}" if row else "a table"

    def _first(self, query: LiteralString, value: object) -> object:
        row = self._connection.execute(query, [value]).fetchone()
        return row[0] if row else None


@contextmanager
def giving_way(settings: DatabaseSettings, name: str) -> Iterator[Watch]:
    """Watch over the pg_dump whose application name is ``name`` while the block runs.

    Where the block fails, the session that its pg_dump had is ended. Raises what
    :func:`~ppr_assets.postgres.sessions.pinned_environment.pinned_environment` raises.
    """
    with connect(settings, autocommit=True) as connection:
        environment = environment_beside(connection, settings)
        connection.execute("SET ROLE NONE")  # only the role that connected may end its sessions
        watch = Watch(connection, name, environment)
        watch.start()
        try:
            yield watch
        except BaseException:
            watch.stop()
            with suppress(psycopg.Error):
                watch.end_pg_dump()
            raise
        watch.stop()
