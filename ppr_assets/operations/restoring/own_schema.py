"""The schema of a database that is there, without rows, as a dump of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ppr_assets.operations.sources.scratch import scratch_folder, temporary
from ppr_assets.operations.sources.wanted import FoundDump
from ppr_assets.postgres.client_tools import find_tool
from ppr_assets.postgres.snapshot.pg_dump import PgDump
from ppr_assets.postgres.snapshot.snapshot import Snapshot, open_snapshot
from ppr_assets.settings import DatabaseSettings, DumpSettings

_NAME = "schema.sql"
_LOCK_SECONDS = 15.0


@contextmanager
def own_schema(settings: DumpSettings, database: DatabaseSettings) -> Iterator[FoundDump]:
    """What ``pg_dump --schema-only`` says of ``database``, in a file until the context ends; no
    session stays there."""
    with scratch_folder(temporary()) as folder:
        with open_snapshot(database, exclusive=False, lock_seconds=_LOCK_SECONDS) as snapshot:
            found = written_schema(settings, snapshot, folder)
        yield found


def written_schema(settings: DumpSettings, snapshot: Snapshot, folder: Path) -> FoundDump:
    """The same of an open ``snapshot``, in ``folder``."""
    path = folder / _NAME
    tool = find_tool("pg_dump", snapshot.server_major, sslmode=snapshot.settings.sslmode)
    pg_dump = PgDump(
        tool,
        snapshot.settings,
        stall_seconds=settings.stall_seconds,
        search_path=settings.search_path,
        rows=False,
    )
    snapshot.undisturbed(lambda: pg_dump.write(snapshot.export(), path))
    return FoundDump(_NAME, path, None, None, folder)
