"""Try on the server that proves dumps what a dump of now would make, before the night does."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ppr_assets.deadline import Deadline
from ppr_assets.operations.restoring.going_without import Without
from ppr_assets.operations.restoring.loading import Loading
from ppr_assets.operations.restoring.new_database import sweep
from ppr_assets.operations.restoring.own_schema import written_schema
from ppr_assets.operations.restoring.proof_server import ProofPlace, proof_server
from ppr_assets.operations.restoring.rehearsal import require_makeable
from ppr_assets.operations.sources.scratch import scratch_folder, temporary
from ppr_assets.postgres.snapshot.snapshot import Snapshot
from ppr_assets.settings import Settings

SCRATCH = "trial"
"""What the name of the scratch database has after that of the database."""

_SECONDS = 300.0


@dataclass(frozen=True)
class Trial:
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
        place = ProofPlace.of(settings, scratch=SCRATCH)
        with proof_server(place, folder / "server") as server:
            sweep(server.session)
            loading = Loading.begin(found, Deadline(_SECONDS))
            without = require_makeable(server, loading, place.rule, always=True, unmade=True)
            made = len(loading.verified.layout.entries) - len(without.keys)
            return Trial(server.where, server.instead, made, without)
