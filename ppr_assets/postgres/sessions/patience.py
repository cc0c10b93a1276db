"""A session that waits for the server's answer, and not for ever."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.abc import RV, PQGen

_INTERVAL = 0.1
"""Seconds between two looks whether a wait is over or was interrupted."""

LONG_SECONDS = 3600.0
"""For sessions with statements that take their time, such as building an index."""


class PatientConnection(psycopg.Connection[tuple[Any, ...]]):
    """Raises :class:`psycopg.OperationalError` where an answer does not come.

    A backend that is stopped, and a proxy that swallows what it should pass on, both keep the
    line open: the network says that all is well, so only the clock tells.
    """

    patience_seconds = 300.0
    """How long one answer may take."""

    def wait(self, gen: PQGen[RV], interval: float = _INTERVAL, timeout: float | None = None) -> RV:
        limit = self.patience_seconds if timeout is None else timeout
        try:
            return super().wait(gen, interval, limit)
        except psycopg.errors._WaitTimeout:  # noqa: SLF001 - what psycopg documents that it raises
            if timeout is not None:
                raise
            raise self.give_up() from None

    def give_up(self) -> psycopg.OperationalError:
        """Close the session, whose state nobody knows now; the error that says why."""
        self.pgconn.finish()
        return psycopg.OperationalError(
            f"the server did not answer within {self.patience_seconds:g} s"
        )
