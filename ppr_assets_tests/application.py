"""The session of an application, which finds its tables by the search path of its database, and
sees of them what policies let it.

Our own sessions have an empty path, and would not find ``organization`` without its schema; a table
that a policy hides rows of they refuse to read.
"""

from __future__ import annotations

from typing import Any

from ppr_assets.postgres.sessions.connection import connect as connect_as_we_do
from ppr_assets.postgres.sessions.patience import PatientConnection
from ppr_assets.settings import DatabaseSettings


def connect(settings: DatabaseSettings, **options: Any) -> PatientConnection:
    """One of ours in everything but that."""
    connection = connect_as_we_do(settings, **options)
    connection.execute("RESET search_path; RESET row_security")
    if not connection.autocommit:
        connection.commit()
    return connection
