"""One session that works on whole databases, and lets nobody else restore the same one.

It is connected to the database ``postgres``, or ``template1`` where that is not to be had, and
holds an advisory lock whose number follows from the target's name; both end with the session,
however it ends.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import psycopg
from psycopg import sql

from ppr_assets.errors import Busy, DatabaseUnreachable, RestoreFailed
from ppr_assets.postgres.connection import connect
from ppr_assets.postgres.databases import making
from ppr_assets.postgres.databases.names import Leftover, parse
from ppr_assets.postgres.databases.sessions import Connection, LiveSession, sessions, terminate
from ppr_assets.postgres.databases.swap import swap
from ppr_assets.postgres.load.session import WITHOUT_LIMITS, prepare
from ppr_assets.settings import DatabaseSettings

_DROP_ATTEMPTS = 5


@dataclass(frozen=True)
class Maintenance:
    """Valid until its context ends. ``settings`` name the target."""

    settings: DatabaseSettings
    connection: Connection

    def may_create(self) -> bool:
        """Whether the role may make databases."""
        return may_create(self.connection)

    def is_beside(self) -> bool:
        """Whether the session is in another database than the target, which it may then replace."""
        return is_beside(self.connection, self.settings.dbname)

    @property
    def server_version(self) -> str:
        """As the server tells it: ``18.6``, ``15.14 (Debian 15.14-0+deb12u1)``."""
        return self.connection.info.parameter_status("server_version") or "unknown"

    def exists(self, name: str) -> bool:
        query = "SELECT 1 FROM pg_catalog.pg_database WHERE datname = %s"
        return self.connection.execute(query, [name]).fetchone() is not None

    def foreign_owner(self, name: str) -> str | None:
        """Whose the database is, if that is neither this role nor one whose rights it has."""
        row = self.connection.execute(
            "SELECT pg_get_userbyid(datdba)::text FROM pg_catalog.pg_database "
            "WHERE datname = %s AND NOT pg_has_role(datdba, 'USAGE')",
            [name],
        ).fetchone()
        return row[0] if row else None

    def unused(self, name_at: Callable[[str, datetime], str]) -> str:
        """The name that ``name_at`` gives the target now, or in the first second from now on for
        which no database has it: two restores may end in the same one."""
        moment = datetime.now(UTC)
        while self.exists(name := name_at(self.settings.dbname, moment)):
            moment += timedelta(seconds=1)
        return name

    def sessions(self, name: str) -> Sequence[LiveSession]:
        """Who is in the database, prepared transactions among them."""
        return sessions(self.connection, name)

    def replication_slots(self, name: str) -> Sequence[str]:
        """Slots through which others follow what is written in the database."""
        query = "SELECT slot_name::text FROM pg_catalog.pg_replication_slots WHERE database = %s"
        return [slot for (slot,) in self.connection.execute(query + " ORDER BY 1", [name])]

    def create(
        self,
        name: str,
        *,
        like: str | None = None,
        encoding: str | None = None,
        collation: str | None = None,
    ) -> None:
        """Make an empty database: ``like`` an existing one, or with this encoding and collation
        (the server's own where not given). Raises :class:`RestoreFailed`."""
        options: list[sql.Composable] = [sql.SQL("TEMPLATE template0")]
        if like is not None:
            options += making.options_like(self.connection, like)
        elif encoding is not None:
            options += making.options_for(self.connection, encoding, collation)
        self._execute(
            sql.SQL("CREATE DATABASE {} {}").format(
                sql.Identifier(name), sql.SQL(" ").join(options)
            ),
            f"could not make database {name}",
        )

    def copy_settings(self, source: str, to: str) -> Sequence[str]:
        """Give ``to`` the grants, settings and comment of ``source``.

        Returns what the role may not copy, in words, for a human who may.
        """
        return making.copied(self.connection, source, to)

    def copy_limit(self, source: str, to: str) -> None:
        """Allow as many sessions in ``to`` as in ``source``: apart from the settings, since
        filling a database may take more sessions than it is to serve."""
        try:
            making.copy_limit(self.connection, source, to)
        except psycopg.Error as error:
            raise self._failed(f"could not limit the sessions of database {to}", error) from error

    def drop_unused(self, name: str) -> None:
        """Drop it unless somebody is in it. Raises :class:`Busy` naming who."""
        try:
            self._execute(
                sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)),
                f"could not drop database {name}",
            )
        except RestoreFailed as error:
            refused = error.__cause__
            if not isinstance(refused, psycopg.errors.ObjectInUse):
                raise
            # no session may be it: a subscription or a replication slot, say
            said = (refused.diag.message_primary, refused.diag.message_detail)
            who = "; ".join(map(str, self.sessions(name) or filter(None, said)))
            raise Busy(
                f"busy: database {name} is in use: {who}", hint="run again when they have left."
            ) from error

    def drop(self, name: str) -> None:
        """Drop it with the sessions in it; no matter if it is not there, whatever else is wrong.

        Not by ``WITH (FORCE)``: that wants the right to end the server's own workers too, which
        only superusers have, while a plain DROP sends autovacuum away by itself.
        """
        query = sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name))
        if not self.exists(name):
            return
        for remaining in reversed(range(_DROP_ATTEMPTS)):
            try:
                terminate(self.connection, name)
                self.connection.execute(query)
            except psycopg.errors.ObjectInUse as error:  # somebody came in between the two
                if not remaining:
                    raise self._failed(f"could not drop database {name}", error) from error
            except psycopg.Error as error:
                raise self._failed(f"could not drop database {name}", error) from error
            else:
                return

    def swap(self, target: str, new: str, former: str, *, disconnect: bool) -> float:
        """Put ``new`` in the place of ``target``, which is ``former`` then, if it was there.

        Returns the seconds for which nobody could connect. Raises :class:`Busy` naming the
        sessions on the target that ``disconnect`` would have ended.
        """
        names = {"target": target, "new": new, "former": former}
        if not disconnect:
            return swap(self.connection, None, **names)
        with connect(replace(self.settings, dbname=self.connection.info.dbname)) as helper:
            helper.autocommit = True
            return swap(self.connection, helper, **names)

    def leftovers(self, target: str) -> Sequence[Leftover]:
        """Databases that restores of ``target`` have made and not removed, oldest first.

        Half-made ones are nobody's while this session holds the lock of the same target.
        """
        found = []
        for name, size in self.connection.execute(
            "SELECT datname, CASE WHEN has_database_privilege(oid, 'CONNECT') "
            "THEN pg_database_size(oid) END FROM pg_catalog.pg_database"
        ):
            parsed = parse(target, name)
            if parsed is not None:
                found.append(Leftover(name, *parsed, size))
        return sorted(found, key=lambda leftover: leftover.made_at)

    def _execute(self, statement: sql.Composed, failure: str) -> None:
        try:
            self.connection.execute(statement)
        except psycopg.Error as error:
            raise self._failed(failure, error) from error

    def _failed(self, failure: str, error: psycopg.Error) -> Exception:
        """The restore's failure; a lost session stays what it is, see :func:`maintenance`."""
        if self.connection.closed:
            return error
        return RestoreFailed(
            f"{failure}: {error.diag.message_primary}",
            hint=error.diag.message_hint or "the database serves as before.",
        )


def may_create(connection: Connection) -> bool:
    """Whether the role of this session may make databases; on a standby nobody may."""
    row = connection.execute(
        "SELECT (rolcreatedb OR rolsuper) AND NOT pg_is_in_recovery() "
        "FROM pg_catalog.pg_roles WHERE rolname = current_user"
    ).fetchone()
    return bool(row and row[0])


@contextmanager
def maintenance(settings: DatabaseSettings, *, home: str = "") -> Iterator[Maintenance]:
    """Open the session for restores of ``settings.dbname``, at ``home`` where a role may enter no
    database of the server's own.

    Raises :class:`DatabaseUnreachable`, also when it is lost on the way, and :class:`Busy` naming
    the session that restores the same database.
    """
    try:
        with connect_beside(settings, home=home) as connection:
            prepare(connection, WITHOUT_LIMITS, local=False)
            _take_lock(connection, settings.dbname)
            yield Maintenance(settings, connection)
    except psycopg.OperationalError as error:
        raise DatabaseUnreachable(
            f"lost the session with {settings.describe()}: {' '.join(str(error).split())}",
            hint="look at the server's log, and run again when it is up.",
        ) from error


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


def lock_number(target: str) -> int:
    """The advisory lock of all restores of ``target``: eight bytes of a hash of its name."""
    digest = hashlib.sha256(b"ppr_assets restore " + target.encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def _take_lock(connection: Connection, target: str) -> None:
    number = lock_number(target)
    taken = connection.execute("SELECT pg_try_advisory_lock(%s)", [number]).fetchone()
    if taken and taken[0]:
        return
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
