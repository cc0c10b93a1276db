"""What a night's sessions meet: how many there may be at a time, and triggers that fire in each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import LiteralString

from ppr_assets.errors import PreconditionFailed
from ppr_assets.postgres.load.work.scheduler import default_connections
from ppr_assets.postgres.sessions.live_sessions import Connection
from ppr_assets.rules.naming import quote_identifier

_DUMPING = 3
"""The snapshot's, pg_dump's, and the one that looks whether somebody waits for these."""

_PROVING = 5
"""Beside those that load: the lock's, that of the scratch databases, and three that compare."""

_LIMITS: LiteralString = """
SELECT 'ROLE', rolname::pg_catalog.text, rolconnlimit FROM pg_catalog.pg_roles
WHERE rolname = current_user AND NOT rolsuper
UNION ALL
SELECT 'DATABASE', d.datname::pg_catalog.text, d.datconnlimit
FROM pg_catalog.pg_database d, pg_catalog.pg_roles r
WHERE d.datname = pg_catalog.current_database() AND r.rolname = current_user AND NOT r.rolsuper
"""

_FIRING: LiteralString = """
SELECT evtname::pg_catalog.text FROM pg_catalog.pg_event_trigger
WHERE evtevent = 'login' AND evtenabled <> 'D'
  AND pg_catalog.current_setting('event_triggers', true) = 'on'
ORDER BY 1
"""


def require_sessions(connection: Connection, *, beside: bool) -> None:
    """Raise :class:`PreconditionFailed` where the role may not have the sessions of a night whose
    dump is proven ``beside`` the database, or the database not those of a dump."""
    proving = default_connections() + _PROVING if beside else _DUMPING
    need = {"ROLE": proving, "DATABASE": _DUMPING}
    for kind, name, limit in connection.execute(_LIMITS).fetchall():
        if 0 <= limit < need[kind]:
            raise PreconditionFailed(
                f"{kind.lower()} {name} may have {limit} sessions at a time, a night needs "
                f"{need[kind]}",
                hint=f"ALTER {kind} {quote_identifier(name)} CONNECTION LIMIT {2 * need[kind]};"
                " and more where an application is in them as well.",
            )


def login_triggers(connection: Connection) -> Sequence[str]:
    """The names of those that have fired for this session. What one writes is in no dump that was
    begun before, and makes each night another."""
    return [name for (name,) in connection.execute(_FIRING)]
