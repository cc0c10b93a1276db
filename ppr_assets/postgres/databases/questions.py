"""What may be asked of a server about its databases, by the session that works on them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from ppr_assets.errors import DatabaseUnreachable
from ppr_assets.postgres.databases.beside import is_beside, may_create
from ppr_assets.postgres.databases.making import extensions_for_superusers
from ppr_assets.postgres.databases.names import Leftover, parse
from ppr_assets.postgres.sessions.connection import connect
from ppr_assets.postgres.sessions.live_sessions import (
    Connection,
    LiveSession,
    sessions,
    staying,
)
from ppr_assets.settings import DatabaseSettings


class Questions(Struct, frozen=True):
    """``settings`` name the target, on the very server that the session is with."""

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

    def template_with(self, extensions: Sequence[str]) -> str:
        """What a database that needs ``extensions`` is copied from: ``template1`` where an
        administrator has put one into it that this role may not create, else ``template0``."""
        if self.is_superuser or not extensions:
            return "template0"
        wanted = extensions_for_superusers(self.connection, extensions)
        if not wanted:
            return "template0"
        try:
            with connect(replace(self.settings, dbname="template1"), autocommit=True) as session:
                query = "SELECT FROM pg_catalog.pg_extension WHERE extname = ANY(%s) LIMIT 1"
                found = session.execute(query, [list(wanted)]).rowcount
        except DatabaseUnreachable:  # the role may not look, and so not copy it
            return "template0"
        return "template1" if found else "template0"

    def leftovers(self, target: str) -> Sequence[Leftover]:
        """Databases that restores of ``target`` have made and not removed, oldest first.

        Half-made ones are nobody's while this session holds the lock of the same target.
        """
        names = self.connection.execute("SELECT datname FROM pg_catalog.pg_database")
        parsed = {name: what for (name,) in names if (what := parse(target, name)) is not None}
        if not parsed:
            return []
        sizes = self.connection.execute(
            "SELECT datname, CASE WHEN pg_catalog.has_database_privilege(oid, 'CONNECT') "
            "THEN pg_catalog.pg_database_size(oid) END "
            "FROM pg_catalog.pg_database WHERE datname = ANY(%s)",
            [[*parsed]],
        )
        found = [Leftover(name, *parsed[name], size) for name, size in sizes]
        return sorted(found, key=lambda leftover: leftover.made_at)
