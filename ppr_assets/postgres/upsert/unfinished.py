"""A database that is filled in several transactions says so in its comment, until it is full."""

from __future__ import annotations

from psycopg import Connection, errors

from ppr_assets.errors import PreconditionFailed
from ppr_assets.postgres.databases.comment import comment_of, comment_on, dated
from ppr_assets.rules.naming import quote_identifier

_SAID = "a replay is unfinished; `ppr-assets replay --batch` goes on"


def is_unfinished(connection: Connection) -> bool:
    return any(_SAID in line for line in _lines(connection))


def begin(connection: Connection) -> None:
    """Raise :class:`PreconditionFailed` where the role may not say so."""
    try:
        _say(connection, [*_lines(connection), dated(_SAID)])
    except errors.InsufficientPrivilege as error:
        name = connection.info.dbname
        raise PreconditionFailed(
            f"role {connection.info.user} may not comment on database {name}, and a replay in "
            "several transactions says there that it is unfinished",
            hint=f"ALTER DATABASE {quote_identifier(name)} OWNER TO …; or leave out --batch.",
        ) from error


def finish(connection: Connection) -> None:
    _say(connection, [line for line in _lines(connection) if _SAID not in line])


def _lines(connection: Connection) -> list[str]:
    return (comment_of(connection) or "").splitlines()


def _say(connection: Connection, lines: list[str]) -> None:
    connection.execute(comment_on(connection.info.dbname, "\n".join(lines) or None))
