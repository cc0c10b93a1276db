"""The schema of a database that is there, without rows, as a dump of its own; and what stands in
the way of a dump of now, tried where dumps are proven, before the night does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from msgspec import Struct

from ppr_assets.deadline import Deadline
from ppr_assets.files import temporary
from ppr_assets.operations.restoring.loading import Loading
from ppr_assets.operations.restoring.new_database import sweep
from ppr_assets.operations.restoring.proof_server import ProofPlace, proof_server
from ppr_assets.operations.restoring.rehearsal import Without, require_makeable
from ppr_assets.operations.sources.scratch import scratch_folder
from ppr_assets.operations.sources.wanted import FoundDump
from ppr_assets.postgres.client_tools import find_tool
from ppr_assets.postgres.snapshot.pg_dump import PgDump
from ppr_assets.postgres.snapshot.snapshot import Snapshot, open_snapshot
from ppr_assets.settings import DatabaseSettings, DumpSettings, Settings

_NAME = "schema.sql"
_LOCK_SECONDS = 15.0

_SCRATCH = "trial"
"""What the name of the scratch database has after that of the database."""

_TRIAL_SECONDS = 300.0


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


class Trial(Struct, frozen=True):
    """``where`` it was tried, and ``instead`` of the database's own server; ``objects`` that can be
    made there, and what a proof goes ``without``."""

    where: str
    instead: bool
    objects: int
    without: Without


def try_schema(settings: Settings, snapshot: Snapshot) -> Trial:
    """Make all objects of the database, without rows, in a scratch database, and drop it.

    Raises :class:`PreconditionFailed` naming what stands in the way of a proof, and what
    :func:`~ppr_assets.operations.restoring.drill.drill` raises of the server.
    """
    settings = replace(settings, database=snapshot.settings)
    with scratch_folder(temporary()) as folder:
        found = written_schema(settings.dump, snapshot, folder)
        place = ProofPlace.of(settings, scratch=_SCRATCH)
        with proof_server(place, folder / "server") as server:
            sweep(server.session)
            loading = Loading.begin(found, Deadline(_TRIAL_SECONDS))
            without = require_makeable(server, loading, place.rule, always=True, unmade=True)
            made = len(loading.verified.layout.entries) - len(without.keys)
            return Trial(server.where, server.instead, made, without)
