"""A database as the dump that it would be now, to look at: nothing is published or left."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from ppr_assets import __version__
from ppr_assets.data_repo.clone.clone import open_data_repo
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.git.tree import tip
from ppr_assets.operations.canonical_dump import write_canonical
from ppr_assets.operations.publishing.judged_tip import require_committed_policy
from ppr_assets.operations.publishing.publication import plan_at
from ppr_assets.operations.sources.scratch import scratch_folder, temporary
from ppr_assets.operations.sources.wanted import FoundDump
from ppr_assets.postgres.snapshot.preflight import require_dumpable, require_room
from ppr_assets.postgres.snapshot.snapshot import Snapshot, open_snapshot
from ppr_assets.rules.recorded.manifest import Manifest
from ppr_assets.settings import DatabaseSettings, Settings

_FILE = "now.sql"


@contextmanager
def database_as_dump(settings: Settings, database: DatabaseSettings) -> Iterator[FoundDump]:
    """What a dump of ``database`` would publish now, by the publication policy; there until the
    context ends. No gate judges it.

    Raises what dumping raises: of the database, of pg_dump, and where the policy refuses.
    """
    patience = settings.dump.stall_seconds
    with open_data_repo(settings.data_repo) as repo, scratch_folder(temporary()) as folder:
        with open_snapshot(database, exclusive=False, lock_seconds=patience) as snapshot:
            manifest = snapshot.undisturbed(lambda: _written(settings, repo, snapshot, folder))
        yield FoundDump(manifest.dump, folder / _FILE, manifest, None, folder)


def _written(settings: Settings, repo: DataRepo, snapshot: Snapshot, folder: Path) -> Manifest:
    require_dumpable(snapshot)
    commit = tip(repo)
    require_committed_policy(repo, commit)
    counts = snapshot.count()
    plan = snapshot.with_checks(plan_at(repo, commit, settings.dump, snapshot.relations()))
    plan.require()
    require_room(snapshot, folder, previous_bytes=None)
    same_server = replace(settings, database=snapshot.settings)
    written = write_canonical(same_server, snapshot, counts, plan, folder / _FILE)
    return Manifest(
        dump=f"database {snapshot.settings.dbname}",
        bytes=written.file.bytes,
        sha256=written.file.sha256,
        tables=written.file.tables,
        snapshot_at=snapshot.taken_at,
        database=snapshot.identity,
        tools={"pg_dump": written.pg_dump, "ppr_assets": __version__},
        verdict={},
        policy=plan.policy,
        withheld=plan.withheld(counts, written.file.withheld),
    )
