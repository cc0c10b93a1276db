"""Whole databases: made, looked at, renamed and dropped from outside, in one maintenance session.

Belongs here: what is done *to* a database. What is done in one (loading, reading) does not.
"""

from ppr_assets.postgres.databases.beside import connect_beside, is_beside, may_create
from ppr_assets.postgres.databases.maintenance import Maintenance, maintenance
from ppr_assets.postgres.databases.names import Leftover, former_name, restoring_name
from ppr_assets.postgres.sessions.live_sessions import LiveSession

__all__ = [
    "Leftover",
    "LiveSession",
    "Maintenance",
    "connect_beside",
    "former_name",
    "is_beside",
    "maintenance",
    "may_create",
    "restoring_name",
]
