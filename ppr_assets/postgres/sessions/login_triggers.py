"""Triggers that fire when somebody logs in: ours too, where the role may not turn them off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import LiteralString

from ppr_assets.postgres.sessions.live_sessions import Connection

_FIRING: LiteralString = """
SELECT evtname::pg_catalog.text FROM pg_catalog.pg_event_trigger
WHERE evtevent = 'login' AND evtenabled <> 'D'
  AND pg_catalog.current_setting('event_triggers', true) = 'on'
ORDER BY 1
"""


def login_triggers(connection: Connection) -> Sequence[str]:
    """The names of those that have fired for this session. What one writes is in no dump that was
    begun before, and makes each night another."""
    return [name for (name,) in connection.execute(_FIRING)]
