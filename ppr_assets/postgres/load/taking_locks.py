"""Take the locks that replacing tables in place needs, without making others queue behind us.

Who waits for a table makes everybody wait who comes after, readers too. So all locks are asked for
at once and for a moment only; where somebody stays on a table, all are given back, and after a
pause it is tried again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from time import sleep
from typing import LiteralString

import psycopg

from ppr_assets.deadline import Deadline
from ppr_assets.postgres.sessions.session import Connection
from ppr_assets.rules.naming import table_key

_WAIT = b"800ms"
"""Less than the second after which a server looks for deadlocks, and may end others' work."""

_PAUSE_SECONDS = 0.5

_OWN: LiteralString = """
SELECT n.nspname, c.relname, pg_catalog.format('%I.%I', n.nspname, c.relname)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND pg_catalog.pg_has_role(c.relowner, 'USAGE')
ORDER BY 1, 2
"""


def with_tables_locked(
    connection: Connection, tables: Collection[str], work: Callable[[], None], deadline: Deadline
) -> None:
    """Do ``work``, which waits for no lock for long, while the ``tables`` (keys) are ours alone.

    They stay so until the open transaction ends. Raises :class:`RestoreFailed` when ``deadline``
    passes before they are.
    """
    while True:
        try:
            with connection.transaction():  # a savepoint, so that all are given back together
                connection.execute(b"SET LOCAL statement_timeout TO '" + _WAIT + b"'")
                _lock(connection, tables)
                connection.execute(b"SET LOCAL statement_timeout TO 0")
                connection.execute(b"SET LOCAL lock_timeout TO '" + _WAIT + b"'")
                work()
                connection.execute(b"SET LOCAL lock_timeout TO 0")
        except (psycopg.errors.LockNotAvailable, psycopg.errors.QueryCanceled):
            deadline.require("waiting for tables that others have locked")
            sleep(_PAUSE_SECONDS)
        else:
            return


def _lock(connection: Connection, tables: Collection[str]) -> None:
    names = [
        name.encode("utf-8", "surrogateescape")
        for schema, table, name in connection.execute(_OWN).fetchall()
        if table_key(schema, table) in tables
    ]
    if names:
        connection.execute(b"LOCK TABLE " + b", ".join(names) + b" IN ACCESS EXCLUSIVE MODE")
