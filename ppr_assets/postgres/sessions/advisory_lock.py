"""Advisory locks of the server: one run at a time, from whatever machine."""

from __future__ import annotations

import hashlib

import psycopg

from ppr_assets.errors import Busy
from ppr_assets.postgres.sessions.live_sessions import Connection, LiveSession


def lock_number(work: str, database: str) -> int:
    """The lock of all who do this ``work`` on the database: eight bytes of a hash of both names."""
    digest = hashlib.sha256(f"ppr_assets {work} {database}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def take_lock(connection: Connection, number: int, work: str) -> None:
    """Hold the lock ``number`` until the session ends, however it ends.

    Who has closed a session holds it until the server has seen that, so it is waited for a second.
    Raises :class:`Busy` naming the session that has it; ``work`` is what that does, in words.
    """
    try:
        with connection.transaction():
            connection.execute("SET LOCAL lock_timeout TO '1s'")
            connection.execute("SELECT pg_catalog.pg_advisory_lock(%s)", [number])
    except psycopg.errors.LockNotAvailable:
        raise Busy(
            f"busy: {_holder(connection, number)} is {work}",
            hint="wait for that run to end; nothing was changed.",
        ) from None


def _holder(connection: Connection, number: int) -> str:
    row = connection.execute(
        """
        SELECT a.pid, a.usename::pg_catalog.text, coalesce(a.application_name, ''),
          a.client_addr::pg_catalog.text, a.backend_start
        FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a USING (pid)
        WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
          AND l.classid::bigint << 32 | l.objid::bigint = %s
        """,
        [number],
    ).fetchone()
    return str(LiveSession(*row)) if row else "another session"
