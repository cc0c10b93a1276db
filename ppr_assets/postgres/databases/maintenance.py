"""One session that works on whole databases, and lets nobody else restore the same one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import psycopg
from psycopg import sql

from ppr_assets.errors import Busy, DatabaseFailed, DatabaseUnreachable, RestoreFailed
from ppr_assets.postgres.databases import making
from ppr_assets.postgres.databases.beside import (
    connect_beside,
    is_beside,
    may_create,
    take_lock,
)
from ppr_assets.postgres.databases.names import Leftover, parse
from ppr_assets.postgres.databases.swap import swap
from ppr_assets.postgres.sessions.connection import connect, pinned
from ppr_assets.postgres.sessions.failures import hint_for, is_servers_own, server_failures
from ppr_assets.postgres.sessions.live_sessions import (
    Connection,
    LiveSession,
    sessions,
    staying,
    terminate,
)
from ppr_assets.postgres.sessions.session import WITHOUT_LIMITS, prepare
from ppr_assets.settings import DatabaseSettings

_DROP_ATTEMPTS = 5


@dataclass(frozen=True)
class Maintenance:
    """Valid until its context ends. ``settings`` name the target, on the very server that the
    session is with."""

    settings: DatabaseSettings
    connection: Connection

    def may_create(self) -> bool:
        """Whether the role may make databases."""
        return may_create(self.connection)

    def is_beside(self) -> bool:
        """Whether the session is in another database than the target, which it may then replace."""
        return is_beside(self.connection, self.settings.dbname)

    @property
    def is_superuser(self) -> bool:
        """Whether nothing is forbidden to the role."""
        return self.connection.info.parameter_status("is_superuser") == "on"

    @property
    def server_version(self) -> str:
        """As the server tells it: ``18.6``, ``15.14 (Debian 15.14-0+deb12u1)``."""
        return self.connection.info.parameter_status("server_version") or "unknown"

    def exists(self, name: str) -> bool:
        query = "SELECT 1 FROM pg_catalog.pg_database WHERE datname = %s"
        return self.connection.execute(query, [name]).fetchone() is not None

    def holds_anything(self, name: str) -> bool:
        """Whether it is there, and no DROP DATABASE of it has been interrupted."""
        query = "SELECT 1 FROM pg_catalog.pg_database WHERE datname = %s AND datconnlimit <> -2"
        return self.connection.execute(query, [name]).fetchone() is not None

    def foreign_owner(self, name: str) -> str | None:
        """Whose the database is, if that is neither this role nor one whose rights it has."""
        row = self.connection.execute(
            "SELECT pg_catalog.pg_get_userbyid(datdba)::pg_catalog.text "
            "FROM pg_catalog.pg_database "
            "WHERE datname = %s AND NOT pg_catalog.pg_has_role(datdba, 'USAGE')",
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

    def staying(self, name: str) -> Sequence[LiveSession]:
        """The same, but for those who are just leaving."""
        return staying(self.connection, name)

    def replication_slots(self, name: str) -> Sequence[str]:
        """Slots through which others follow what is written in the database."""
        query = (
            "SELECT slot_name::pg_catalog.text FROM pg_catalog.pg_replication_slots "
            "WHERE database = %s ORDER BY 1"
        )
        return [slot for (slot,) in self.connection.execute(query, [name])]

    def subscriptions(self, name: str) -> Sequence[str]:
        """Those through which the database follows another one; they are in no dump of ours."""
        query = (
            "SELECT s.subname::pg_catalog.text FROM pg_catalog.pg_subscription s "
            "JOIN pg_catalog.pg_database d ON d.oid = s.subdbid WHERE d.datname = %s ORDER BY 1"
        )
        return [subscription for (subscription,) in self.connection.execute(query, [name])]

    def create(
        self,
        name: str,
        *,
        like: str | None = None,
        encoding: str | None = None,
        collation: str | None = None,
        template: str = "template0",
    ) -> None:
        """Make an empty database: ``like`` an existing one, or with this encoding and collation
        (the server's own where not given). Raises :class:`RestoreFailed`."""
        options: list[sql.Composable] = [_template(template)]
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

    def create_as(self, name: str, locale: Mapping[str, str], encoding: str, template: str) -> bool:
        """Make an empty database with a locale that was recorded elsewhere; False where this server
        does not have it."""
        options = [_template(template), *making.options_of(locale, encoding)]
        statement = sql.SQL("CREATE DATABASE {} {}").format(
            sql.Identifier(name), sql.SQL(" ").join(options)
        )
        try:
            self._execute(statement, f"could not make database {name}")
        except RestoreFailed:
            return False
        return True

    def set_all(self, name: str, settings: Mapping[str, str]) -> Sequence[str]:
        """Set them for the database. Returns what the server does not take, in words."""
        return making.set_all(self.connection, name, settings)

    def template_with(self, extensions: Sequence[str]) -> str:
        """What a database that needs ``extensions`` is copied from: ``template1`` where an
        administrator has put one into it that this role may not create, else ``template0``."""
        wanted = making.extensions_for_superusers(self.connection, extensions)
        if self.is_superuser or not wanted:
            return "template0"
        try:
            with connect(replace(self.settings, dbname="template1"), autocommit=True) as session:
                query = "SELECT FROM pg_catalog.pg_extension WHERE extname = ANY(%s) LIMIT 1"
                found = session.execute(query, [list(wanted)]).rowcount
        except DatabaseUnreachable:  # the role may not look, and so not copy it
            return "template0"
        return "template1" if found else "template0"

    def copy_settings(self, source: str, to: str) -> Sequence[str]:
        """Give ``to`` the grants, settings and comment of ``source``.

        Returns what the role may not copy, in words, for a human who may.
        """
        return making.copied(self.connection, source, to)

    def note(self, name: str, text: str) -> list[str]:
        """Add a line to the database's comment. Returns what was in the way, in words."""
        row = self.connection.execute(
            "SELECT pg_catalog.shobj_description(oid, 'pg_database') "
            "FROM pg_catalog.pg_database WHERE datname = %s",
            [name],
        ).fetchone()
        comment = "\n".join(filter(None, [row[0] if row else None, text]))
        statement = sql.SQL("COMMENT ON DATABASE {} IS {}")
        try:
            self._execute(
                statement.format(sql.Identifier(name), sql.Literal(comment)), "no comment"
            )
        except RestoreFailed as error:
            return [f"the override could not be noted at database {name}: {error.message}"]
        return []

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
                self._empty(name)
                self.connection.execute(query)
            except psycopg.errors.ObjectInUse as error:  # somebody came in between the two
                if not remaining:
                    raise self._failed(f"could not drop database {name}", error) from error
            except psycopg.Error as error:
                raise self._failed(f"could not drop database {name}", error) from error
            else:
                return

    def _empty(self, name: str) -> None:
        try:
            terminate(self.connection, name)
        except psycopg.errors.InsufficientPrivilege:  # some hosts let nobody, and nobody may be in
            if staying(self.connection, name):
                raise

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
            "SELECT datname, CASE WHEN pg_catalog.has_database_privilege(oid, 'CONNECT') "
            "THEN pg_catalog.pg_database_size(oid) END FROM pg_catalog.pg_database"
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
        message = f"{failure}: {error.diag.message_primary}"
        if is_servers_own(error):
            return DatabaseFailed(message, hint=f"the database serves as before. {hint_for(error)}")
        return RestoreFailed(
            message,
            hint=error.diag.message_hint or "the database serves as before.",
        )


@contextmanager
def maintenance(settings: DatabaseSettings, *, home: str = "") -> Iterator[Maintenance]:
    """Open the session for restores of ``settings.dbname``, at ``home`` where a role may enter no
    database of the server's own.

    Raises :class:`DatabaseUnreachable`, also when it is lost on the way, and :class:`Busy` naming
    the session that restores the same database.
    """
    with (
        server_failures(settings.describe(), "working on its databases"),
        connect_beside(settings, home=home) as connection,
    ):
        prepare(connection, WITHOUT_LIMITS, local=False)
        take_lock(connection, settings.dbname)
        yield Maintenance(pinned(settings, connection), connection)


def _template(name: str) -> sql.Composed:
    return sql.SQL("TEMPLATE {}").format(sql.Identifier(name))
