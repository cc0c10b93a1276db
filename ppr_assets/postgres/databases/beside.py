"""A session with a server from beside a database, and the lock of those who work on that one.

It is connected to the database ``postgres``, or ``template1`` where that is not to be had, and
holds an advisory lock whose number follows from the target's name; both end with the session,
however it ends.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace

import psycopg

from ppr_assets.errors import Busy, DatabaseUnreachable
from ppr_assets.postgres.connection import connect
from ppr_assets.postgres.databases.sessions import Connection, LiveSession
from ppr_assets.settings import DatabaseSettings


def connect_beside(settings: DatabaseSettings, *, home: str = "") -> Connection:
    """A session with the target's server, in a database that is there for this, unless it is the
    one to be renamed; the target need not exist.

    A role that may enter none of those gets one at ``home``. That is the target itself if not
    given, which can then be filled in place, and not replaced. Raises
    :class:`DatabaseUnreachable` with the first refusal.
    """
    homes = [name for name in ("postgres", "template1") if name != settings.dbname]
    refused: list[DatabaseUnreachable] = []
    for name in (*homes, home or settings.dbname):
        try:
            return connect(replace(settings, dbname=name), autocommit=True)
        except DatabaseUnreachable as error:
            refused.append(error)
    raise refused[0]


def is_beside(connection: Connection, target: str) -> bool:
    """Whether the session is in another database than ``target``, so that it may be replaced."""
    return connection.info.dbname != target


def may_create(connection: Connection) -> bool:
    """Whether the role of this session may make databases; on a standby nobody may."""
    row = connection.execute(
        "SELECT (rolcreatedb OR rolsuper) AND NOT pg_is_in_recovery() "
        "FROM pg_catalog.pg_roles WHERE rolname = current_user"
    ).fetchone()
    return bool(row and row[0])


def _lock_number(target: str) -> int:
    """The advisory lock of all restores of ``target``: eight bytes of a hash of its name."""
    digest = hashlib.sha256(b"ppr_assets restore " + target.encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def take_lock(connection: Connection, target: str) -> None:
    """Hold it as long as the session lasts. Raises :class:`Busy` naming the session that has it.

    It sets ``lock_timeout``: who has closed a session holds the lock until the server has seen it.
    """
    number = _lock_number(target)
    try:
        connection.execute("SET lock_timeout TO '1s'")
        connection.execute("SELECT pg_advisory_lock(%s)", [number])
        return
    except psycopg.errors.LockNotAvailable:
        pass
    holder = connection.execute(
        """
        SELECT a.pid, a.usename::text, a.application_name, a.client_addr::text, a.backend_start
        FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a USING (pid)
        WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
          AND l.classid::bigint << 32 | l.objid::bigint = %s
        """,
        [number],
    ).fetchone()
    who = LiveSession(*holder) if holder else "another session"
    raise Busy(
        f"busy: {who} is restoring database {target}",
        hint="wait for that run to end; nothing was changed.",
    )
