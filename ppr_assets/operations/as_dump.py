"""A database, or a replay, as the dump that it would be now, to look at: nothing is published and
nothing is left."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from msgspec.structs import replace

from ppr_assets import __version__
from ppr_assets.data_repo.clone.clone import open_data_repo
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.git.tree import tip
from ppr_assets.deadline import Deadline
from ppr_assets.files import temporary
from ppr_assets.operations.dumping.writing import write_canonical
from ppr_assets.operations.publishing.judged_tip import require_committed_policy
from ppr_assets.operations.publishing.publication import plan_at
from ppr_assets.operations.replaying.gathered import Accounts
from ppr_assets.operations.replaying.input import opened_input
from ppr_assets.operations.replaying.made_tables import with_tables
from ppr_assets.operations.replaying.published_files import Selection
from ppr_assets.operations.replaying.replay import replay
from ppr_assets.operations.restoring.loading import Loading
from ppr_assets.operations.restoring.new_database import new_database, sweep
from ppr_assets.operations.restoring.proof_server import ProofPlace, proof_server
from ppr_assets.operations.restoring.rehearsal import require_makeable
from ppr_assets.operations.sources.scratch import scratch_folder
from ppr_assets.operations.sources.wanted import FoundDump, Wanted
from ppr_assets.postgres.snapshot.preflight import require_dumpable, require_room
from ppr_assets.postgres.snapshot.snapshot import Snapshot, open_snapshot
from ppr_assets.rules.recorded.manifest import Manifest
from ppr_assets.settings import DatabaseSettings, Settings

_FILE = "now.sql"
_SCRATCH = "replay"
"""What the name of a scratch database has after that of the database."""


@contextmanager
def database_as_dump(settings: Settings, database: DatabaseSettings) -> Iterator[FoundDump]:
    """What a dump of ``database`` would publish now, by the publication policy; there until the
    context ends. No gate judges it.

    Raises what dumping raises: of the database, of pg_dump, and where the policy refuses.
    """
    with scratch_folder(temporary()) as folder:
        yield _dumped(settings, database, f"database {database.dbname}", folder)


@contextmanager
def replay_as_dump(
    settings: Settings,
    schema: FoundDump,
    paths: Sequence[Path],
    selection: Selection,
    *,
    offline: bool = False,
) -> Iterator[tuple[FoundDump, Accounts]]:
    """What a replay of the ``selection`` gives, of ``paths`` or else of the published records, in
    the tables of the dump ``schema``; and what became of the files. It is replayed into a scratch
    database where dumps are proven, which is gone by then.

    Raises what a replay and a drill raise, and what :func:`database_as_dump` raises.
    """
    wanted = Wanted(offline=offline)
    with (
        scratch_folder(temporary()) as folder,
        opened_input(settings.data_repo, paths, wanted, selection) as given,
    ):
        loading = Loading.begin(schema, Deadline(None))
        place = ProofPlace.of(settings, scratch=_SCRATCH)
        with proof_server(place, folder / _SCRATCH) as server:
            sweep(server.session)
            without = require_makeable(server, loading, place.rule)
            loading = loading.without(without.keys)
            with new_database(server.session, loading.verified) as (name, _):
                filled = with_tables(server.session, name, loading)
                accounts = replay(filled, given).accounts
                dump = _dumped(settings, filled, f"a replay of {given.origin}", folder)
        yield dump, accounts


def _dumped(settings: Settings, database: DatabaseSettings, name: str, folder: Path) -> FoundDump:
    patience = settings.dump.stall_seconds
    with (
        open_data_repo(settings.data_repo) as repo,
        open_snapshot(database, exclusive=False, lock_seconds=patience) as snapshot,
    ):
        made = snapshot.undisturbed(lambda: _written(settings, repo, snapshot, folder))
    return FoundDump(name, folder / _FILE, replace(made, dump=name), None, folder)


def _written(settings: Settings, repo: DataRepo, snapshot: Snapshot, folder: Path) -> Manifest:
    require_dumpable(snapshot)
    commit = tip(repo)
    require_committed_policy(repo, commit)
    counts = snapshot.count()
    plan = snapshot.with_checks(plan_at(repo, commit, settings.dump, snapshot.relations()))
    plan.require()
    require_room(snapshot, folder, previous_bytes=None)
    same_server = dataclasses.replace(settings, database=snapshot.settings)
    written = write_canonical(same_server, snapshot, counts, plan, folder / _FILE)
    return Manifest(
        dump=_FILE,
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
