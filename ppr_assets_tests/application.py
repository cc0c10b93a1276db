"""The session of an application, which finds its tables by the search path of its database, and
sees of them what policies let it; and that of an administrator.

Our own sessions have an empty path, and would not find ``organization`` without its schema; a table
that a policy hides rows of they refuse to read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from ppr_assets.postgres.sessions.libpq import parameters
from ppr_assets.postgres.sessions.patience import PatientConnection
from ppr_assets.settings import DatabaseSettings, forget_libpq

KEPT: dict[tuple[str, int], Callable[[], PatientConnection]] = {}
"""Of a server, by host and port, the superuser's session in ``postgres`` that stays open. Nothing
is to be set or locked in it."""


def connect(settings: DatabaseSettings, **options: Any) -> PatientConnection:
    """One with nothing set in it but what the database and the role are set to."""
    forget_libpq()
    given = {"prepare_threshold": None} | parameters(settings) | options
    return PatientConnection.connect(**given)


@contextmanager
def administered(
    settings: DatabaseSettings, dbname: str = "postgres"
) -> Iterator[PatientConnection]:
    """A session of the superuser of that server, each statement for itself."""
    if dbname == "postgres" and (keeper := KEPT.get((settings.host, settings.port))):
        yield keeper()
        return
    with connect(replace(settings, user="postgres", dbname=dbname), autocommit=True) as session:
        yield session
