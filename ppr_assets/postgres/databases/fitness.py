"""Whether a server, and the database to be replaced, can hold a dump; said before anything."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ppr_assets.errors import PreconditionFailed
from ppr_assets.plain_sql.parsing.layout import Layout
from ppr_assets.postgres.sessions.live_sessions import Connection

_ANY_ENCODING = frozenset({"C", "POSIX"})
"""Locales that sort by bytes."""


def require_server(connection: Connection, layout: Layout) -> None:
    """Raise :class:`PreconditionFailed` for a standby, a server that is older than the dump's, or
    one that lacks one of its extensions."""
    row = connection.execute("SELECT pg_catalog.pg_is_in_recovery()").fetchone()
    if row and row[0]:
        raise PreconditionFailed(
            "this server is a standby: it only follows another one, and nothing is written here",
            hint="set POSTGRES_HOST to the server that it follows, or promote it (pg_promote()) "
            "if that one is gone; nothing was changed.",
        )
    have, need = connection.info.server_version // 10000, _major(layout.server_version)
    if have < need:
        raise PreconditionFailed(
            f"this server is PostgreSQL {have}, the dump is of {layout.server_version} and needs "
            f"{need} or newer",
            hint="restore it to a newer server; nothing was changed.",
        )
    if missing := missing_extensions(connection, layout):
        raise PreconditionFailed(
            f"this server lacks the extension{'s' * (len(missing) > 1)} {', '.join(missing)} "
            "that the dump needs",
            hint="nothing was changed. `--without-extensions` goes without it and what needs it "
            "(`ppr-assets open`, `restore --into`); else install it on the server's machine (for "
            f"PostGIS on Debian: postgresql-{have}-postgis-3; the embedded server takes none), or "
            "restore to a server that has it.",
        )


def missing_extensions(connection: Connection, layout: Layout) -> Sequence[str]:
    """Extensions of the dump that the server does not have."""
    if not layout.extensions:
        return []
    rows = connection.execute("SELECT name FROM pg_catalog.pg_available_extensions")
    available = {str(name) for (name,) in rows}
    return [name for name in layout.extensions if name not in available]


def require_encoding(connection: Connection, database: str, encoding: str) -> None:
    """Raise :class:`PreconditionFailed` if ``database`` is there with another encoding."""
    row = connection.execute(
        "SELECT pg_catalog.pg_encoding_to_char(encoding) FROM pg_catalog.pg_database "
        "WHERE datname = %s",
        [database],
    ).fetchone()
    if row and row[0] != encoding:
        raise PreconditionFailed(
            f"database {database} has the encoding {row[0]}, the dump needs {encoding}",
            hint="restore it into a database of another name (--into); nothing was changed.",
        )


def collation_of(connection: Connection, database: str) -> str | None:
    """How texts are sorted in ``database``; None if it is not there."""
    row = connection.execute(
        "SELECT datcollate FROM pg_catalog.pg_database WHERE datname = %s", [database]
    ).fetchone()
    return str(row[0]) if row else None


def collation_for(connection: Connection, encoding: str, wanted: str) -> str | None:
    """What a new database in ``encoding`` is to sort by: as ``wanted`` where the server's system
    has that locale, else as the server does by itself (None), else as C, which takes all encodings.
    """
    if wanted and _knows(connection, wanted):
        return wanted
    row = connection.execute(
        "SELECT pg_catalog.pg_encoding_to_char(encoding), datcollate, datctype "
        "FROM pg_catalog.pg_database WHERE datname = 'template0'"
    ).fetchone()
    takes_it = row is None or row[0] == encoding or _ANY_ENCODING.issuperset(row[1:])
    return None if takes_it else "C"


def _knows(connection: Connection, name: str) -> bool:
    if name in _ANY_ENCODING:
        return True
    row = connection.execute(
        "SELECT FROM pg_catalog.pg_collation WHERE collprovider = 'c' AND collcollate = %s LIMIT 1",
        [name],
    ).fetchone()
    return row is not None


def _major(version: str) -> int:
    """0 where the dump does not say: whoever took that line away may still have a whole dump."""
    found = re.match(r"[0-9]+", version)
    return int(found.group()) if found else 0
