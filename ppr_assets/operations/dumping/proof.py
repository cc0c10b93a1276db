"""Prove a new dump: restore it into a scratch database, and hold it to what it says."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.deadline import Deadline
from ppr_assets.operations.restoring.drill import drill
from ppr_assets.operations.restoring.loading import proof_seconds
from ppr_assets.operations.restoring.proof_server import ProofPlace
from ppr_assets.operations.sources.scratch import scratch_folder
from ppr_assets.operations.sources.wanted import FoundDump
from ppr_assets.postgres.databases.names import PROOF_SCRATCH
from ppr_assets.rules.profile.schema import NOTHING, reworded
from ppr_assets.rules.recorded.manifest import Manifest
from ppr_assets.settings import Settings


def proven(settings: Settings, repo: DataRepo, dump: Path, manifest: Manifest) -> Manifest:
    """Restore the finished file into a scratch database: only that proves a dump. The manifest
    notes it, with what PostgreSQL words anew there, so that the night after a restore is usual.

    Raises what :func:`~ppr_assets.operations.restoring.drill.drill` raises.
    """
    place = ProofPlace.of(settings, scratch=PROOF_SCRATCH)
    with scratch_folder(repo.state_dir / "proving") as folder:
        found = FoundDump(manifest.dump, dump, manifest, None, folder)
        done = drill(place, found, deadline=Deadline(proof_seconds(found)))
    other = reworded(manifest.schema, done.schema) if manifest.schema and done.schema else NOTHING
    return replace(manifest, proof=done.proof, reworded=other if other != NOTHING else None)
