"""The session of an application, which finds its tables by the search path of its database.

Our own sessions have an empty one, and would not find ``organization`` without its schema.
"""

from __future__ import annotations

from typing import Any

from ppr_assets.postgres.connection import connect as connect_as_we_do
from ppr_assets.postgres.patience import PatientConnection
from ppr_assets.settings import DatabaseSettings


def connect(settings: DatabaseSettings, **options: Any) -> PatientConnection:
    """One of ours in everything but that."""
    connection = connect_as_we_do(settings, **options)
    connection.execute("RESET search_path")
    if not connection.autocommit:
        connection.commit()
    return connection
