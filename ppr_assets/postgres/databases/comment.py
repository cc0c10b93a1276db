"""The comment of a whole database: what a human sees who lists databases, and what goes where the
database goes."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from psycopg import Connection, sql

_NOTE = re.compile(r"^[-\d]{10} [:\d]{8} UTC: `[^`\n]*` was restored here, .*\n?", re.MULTILINE)


def comment_of(connection: Connection[Any], name: str | None = None) -> str | None:
    """That of the database ``name``, or of the one that the session is in; None without one."""
    row = connection.execute(
        "SELECT pg_catalog.shobj_description(oid, 'pg_database') FROM pg_catalog.pg_database "
        "WHERE datname = coalesce(%s::pg_catalog.name, pg_catalog.current_database())",
        [name],
    ).fetchone()
    return row[0] if row else None


def comment_on(name: str, text: str | None) -> sql.Composed:
    """The statement that gives the database ``name`` this comment, or takes it away."""
    return sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(name), sql.Literal(text))


def dated(text: str) -> str:
    """A line of it, with the moment."""
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC: {text}"


def without_notes(comment: str) -> str:
    """As another database that takes the place of this one may have it: without what somebody
    accepted here."""
    return _NOTE.sub("", comment).rstrip("\n")
