"""What a dump names and does not make, since it belongs to the cluster: roles and tablespaces.

A server that is there for a moment, to prove a dump, is given them.
"""

from __future__ import annotations

import re

from psycopg import sql

from ppr_assets.plain_sql.parsing.byte_ranges import DumpFile, PlainDump
from ppr_assets.plain_sql.parsing.layout import Layout
from ppr_assets.plain_sql.parsing.pieces import NAME, unquoted
from ppr_assets.postgres.sessions.live_sessions import Connection

_NAME = NAME.decode()
_TO_ROLES = re.compile(rf" TO ({_NAME}(?:, {_NAME})*)(?: USING | WITH CHECK |;)")
_FOR_ROLE = re.compile(rf"CREATE USER MAPPING FOR ({_NAME}) ")
_NO_ROLES = frozenset({"public", "current_user", "session_user", "current_role"})


def make_what_is_beside(connection: Connection, dump: PlainDump, layout: Layout) -> None:
    """Make the roles and tablespaces that ``dump`` names, as far as they are missing. The session
    is a superuser's, with a server that nobody else uses."""
    there = {name for (name,) in connection.execute("SELECT rolname FROM pg_catalog.pg_roles")}
    for role in sorted(_roles(dump, layout) - there):
        connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(role)))
    query = "SELECT spcname FROM pg_catalog.pg_tablespace"
    there = {name for (name,) in connection.execute(query)}
    wanted = {entry.tablespace for entry in layout.entries} - {""} - there
    for tablespace in sorted(wanted):
        connection.execute("SET allow_in_place_tablespaces = on")
        make = sql.SQL("CREATE TABLESPACE {} LOCATION ''")
        connection.execute(make.format(sql.Identifier(tablespace)))


def _roles(dump: PlainDump, layout: Layout) -> set[str]:
    found: set[str] = set()
    with DumpFile(dump) as file:
        for entry in layout.entries:
            if entry.kind not in ("POLICY", "USER MAPPING"):
                continue
            text = file.read(entry.start, entry.end).decode("utf-8", "replace")
            for names in (*_TO_ROLES.findall(text)[:1], *_FOR_ROLE.findall(text)):
                found.update(unquoted(name.encode()) for name in re.findall(_NAME, names))
    return {name for name in found if name.lower() not in _NO_ROLES}
