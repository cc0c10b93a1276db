"""Write one dump: count, judge, dump the same snapshot, compare, restore it once, keep.

The finished dump is staged inside the clone's git folder and not in its work tree, where another
program's ``git add -A`` could publish it unproven. Until it is staged nothing else has changed.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Literal

from ppr_assets import __version__
from ppr_assets.data_repo.checkout.advance import recover
from ppr_assets.data_repo.checkout.lock import data_repo_lock
from ppr_assets.data_repo.checkout.staging import discard_others, sweep_partials, writing
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.history.dump_folder import dump_folder
from ppr_assets.data_repo.history.publications import newest_publication
from ppr_assets.data_repo.remote.remote import fetch, fetched_tip
from ppr_assets.deadline import Deadline
from ppr_assets.errors import Busy, DumpFailed, PushFailed
from ppr_assets.files import sync_folder, write_whole
from ppr_assets.operations.canonical_dump import write_canonical
from ppr_assets.operations.publishing.gate import judge_at, override_for
from ppr_assets.operations.publishing.judged_tip import judged_tip
from ppr_assets.operations.publishing.landing import LOCK_WAIT_SECONDS
from ppr_assets.operations.publishing.profile import Profiled, judged_profile
from ppr_assets.operations.publishing.publication import plan_at
from ppr_assets.operations.restoring.drill import drill
from ppr_assets.operations.restoring.proof_server import ProofPlace
from ppr_assets.operations.restoring.serving.target import require_apart
from ppr_assets.operations.restoring.time_limits import proof_seconds
from ppr_assets.operations.sources.scratch import scratch_folder
from ppr_assets.operations.sources.wanted import FoundDump
from ppr_assets.plain_sql.parts.split import split_dump
from ppr_assets.postgres.compare.computed import read_digests
from ppr_assets.postgres.databases.names import PROOF_SCRATCH
from ppr_assets.postgres.sessions.computing import read_locale, read_settings
from ppr_assets.postgres.snapshot.pg_dump import WrittenDump
from ppr_assets.postgres.snapshot.preflight import require_dumpable, require_room
from ppr_assets.postgres.snapshot.snapshot import Snapshot, open_snapshot
from ppr_assets.rules.finds.judgement import Rise
from ppr_assets.rules.gate.ratchet import Override, Verdict
from ppr_assets.rules.naming import dump_name, manifest_name, parts_folder, quote_identifier
from ppr_assets.rules.profile.movements import Night
from ppr_assets.rules.publication.withholding import Plan, Withheld
from ppr_assets.rules.recorded.manifest import Manifest
from ppr_assets.rules.recorded.parts import Computing, Proof
from ppr_assets.settings import Settings


@dataclass(frozen=True)
class DumpOutcome:
    """What became of a dump.

    ``staged``: a new dump waits at ``path`` to be published. ``unchanged``: the data are those of
    ``manifest``'s dump, which still stands. ``refused``: the gate said no, nothing was written.
    ``seconds`` is what all of it took. ``rises``: more of what leads to persons than was reviewed.
    ``unusual``: what is not as it was on the nights before, in words, also of what is refused for
    its values; of data that are unchanged it was said then.
    """

    status: Literal["staged", "unchanged", "refused"]
    verdict: Verdict
    manifest: Manifest | None = None
    path: Path | None = None
    seconds: float = 0.0
    rises: tuple[Rise, ...] = ()
    unusual: tuple[str, ...] = ()
    newly_withheld: tuple[Withheld, ...] = ()


def dump(
    settings: Settings,
    repo: DataRepo,
    *,
    run_id: str | None = None,
    override_reason: str | None = None,
) -> DumpOutcome:
    """Dump the database behind the gate.

    Raises :class:`Busy` when another dump of this database runs, :class:`DumpUnproven` when it
    does not restore to what it says, and every error of the database, the data repository and
    pg_dump; whatever it raises, nothing has changed.
    """
    started = monotonic()
    require_apart(settings.database, settings.dagster_postgres_url)
    _learn_publication(repo)
    with open_snapshot(
        settings.database, exclusive=True, lock_seconds=settings.dump.stall_seconds
    ) as snapshot:
        with data_repo_lock(repo, wait_seconds=LOCK_WAIT_SECONDS):
            recover(repo)
            sweep_partials(repo)
        with writing(repo) as folder:
            override = override_for(settings.dump, override_reason)
            write = partial(_written, settings, repo, snapshot, override, folder)
            made = snapshot.undisturbed(write)
            if isinstance(made, DumpOutcome):
                return made
            snapshot.end()  # while the dump is proven, the database keeps nothing for us
            outcome = _kept(settings, repo, snapshot, made, run_id)
        _discard_older(repo, outcome)
    return replace(outcome, seconds=monotonic() - started)


def _learn_publication(repo: DataRepo) -> None:
    """Fetch, so that the manifest can name the publication that the dump follows. Offline, it
    names the newest that the clone knows; publishing will tell that the remote is away."""
    with suppress(PushFailed):
        fetch(repo)


def _discard_older(repo: DataRepo, outcome: DumpOutcome) -> None:
    """Remove staged dumps that this one replaces, also when nothing changed: the data left them
    behind. A run that is publishing one at this moment removes it itself."""
    with suppress(Busy), data_repo_lock(repo):
        discard_others(repo, keep=outcome.path.name if outcome.path else None)


@dataclass(frozen=True)
class _Written:
    """A dump at ``path`` with the rows that the gate has passed; ``name`` is what it will have."""

    name: str
    path: Path
    file: WrittenDump
    verdict: Verdict
    plan: Plan
    pg_dump: str
    computing: Computing
    previous: Manifest | None
    tips: Sequence[str]
    rises: tuple[Rise, ...]
    profiled: Profiled

    def outcome(self, status: Literal["staged", "unchanged"]) -> DumpOutcome:
        before = self.previous.withheld if self.previous else ()
        known = {(one.name, one.rule) for one in before}
        return DumpOutcome(
            status,
            self.verdict,
            rises=self.rises,
            unusual=self.profiled.unusual,
            newly_withheld=tuple(one for one in self.withheld if (one.name, one.rule) not in known),
        )

    @property
    def withheld(self) -> tuple[Withheld, ...]:
        return self.plan.withheld(self.verdict.counts, self.file.withheld)

    def described(self, snapshot: Snapshot) -> Manifest:
        """As far as the database and pg_dump tell it."""
        return Manifest(
            dump=self.name,
            bytes=self.file.bytes,
            sha256=self.file.sha256,
            tables=self.file.tables,
            snapshot_at=snapshot.taken_at,
            database=snapshot.identity,
            tools={"pg_dump": self.pg_dump, "ppr_assets": __version__},
            verdict=self.verdict.to_json(),
            override=self.verdict.override,
            previous=self.previous.dump if self.previous else None,
            without_rows=tuple(snapshot.without_rows),
            policy=self.plan.policy,
            withheld=self.withheld,
            profile=self.file.profile,
            schema=self.file.schema,
            persons=self.file.finds.persons,
            movements=self.profiled.largest,
            computing=self.computing,
        )


def _written(
    settings: Settings,
    repo: DataRepo,
    snapshot: Snapshot,
    override: Override | None,
    folder: Path,
) -> _Written | DumpOutcome:
    """Count, judge, and dump what was counted; the outcome, where that is none to be kept."""
    require_dumpable(snapshot)
    commit = judged_tip(repo)
    verdict = judge_at(repo, commit, snapshot.count(), settings.dump, override)
    if not verdict.passed:
        return DumpOutcome("refused", verdict)
    plan = plan_at(repo, commit, settings.dump, snapshot.relations())
    plan = snapshot.with_checks(plan)
    plan.require()
    previous = dump_folder(repo, commit).latest_manifest
    require_room(snapshot, folder, previous_bytes=previous.bytes if previous else None)
    # What this follows, and names that others took this second, are often on the remote only.
    tips = [tip for tip in (commit, fetched_tip(repo)) if tip]
    name = _free_name(repo, tips, folder)
    path = folder / f".{name}.partial"
    canonical = write_canonical(settings, snapshot, verdict.counts, plan, path)
    written = canonical.file
    try:
        withheld = plan.withheld(verdict.counts, written.withheld)
        made = Night(written.profile, schema=written.schema)
        profiled = judged_profile(repo, commit, made, withheld, settings.dump)
        verdict = verdict.joined(profiled.findings, override)
        if not verdict.passed:
            path.unlink()
            return DumpOutcome("refused", verdict, unusual=profiled.unusual)
        computing = _computing(snapshot, plan)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return _Written(
        name=name,
        path=path,
        file=written,
        verdict=verdict,
        plan=plan,
        pg_dump=canonical.pg_dump,
        computing=computing,
        previous=previous,
        tips=tips,
        rises=canonical.rises,
        profiled=profiled,
    )


def _computing(snapshot: Snapshot, plan: Plan) -> Computing:
    with snapshot.letting_go():
        settings = read_settings(snapshot.connection)
        locale = read_locale(snapshot.connection)
    digests = read_digests(snapshot.connection, withheld=plan.withholding)
    return Computing(settings, locale, digests.found, tuple(digests.withheld))


def _kept(
    settings: Settings, repo: DataRepo, snapshot: Snapshot, made: _Written, run_id: str | None
) -> DumpOutcome:
    """Prove the dump and stage it, unless it is the one that was published last."""
    name, unfinished, previous = made.name, made.path, made.previous
    folder = unfinished.parent
    try:
        if previous is not None and previous.sha256 == made.file.sha256:
            return replace(made.outcome("unchanged"), manifest=previous, unusual=())
        limit = settings.dump.max_file_bytes
        if limit is not None and made.file.bytes > limit:
            split_dump(unfinished, name=name, most=limit)
        publication = newest_publication(repo, *made.tips)
        manifest = replace(
            made.described(snapshot),
            run_id=run_id,
            publication=publication.sha if publication else None,
            search_path=", ".join(map(quote_identifier, settings.dump.search_path)),
        )
        same_server = replace(settings, database=snapshot.settings)
        manifest = replace(manifest, proof=_proven(same_server, repo, unfinished, manifest))
        snapshot.require_open()
        path = _stage(unfinished, manifest)
    except BaseException:
        (folder / name).unlink(missing_ok=True)  # before its parts: it is complete only with them
        shutil.rmtree(folder / parts_folder(name), ignore_errors=True)
        raise
    finally:
        unfinished.unlink(missing_ok=True)
    return replace(made.outcome("staged"), manifest=manifest, path=path)


def _proven(settings: Settings, repo: DataRepo, dump: Path, manifest: Manifest) -> Proof:
    """Restore the finished file into a scratch database: only that proves a dump."""
    where = settings.dump.proof
    if where == "off":
        return Proof(where, datetime.now(UTC))
    place = ProofPlace.of(settings, scratch=PROOF_SCRATCH)
    with scratch_folder(repo.state_dir / "proving") as folder:
        found = FoundDump(manifest.dump, dump, manifest, None, folder)
        return drill(place, found, deadline=Deadline(proof_seconds(found))).proof


def _free_name(repo: DataRepo, tips: Sequence[str], folder: Path) -> str:
    """The name for now; the next free second when a dump of this second is there already."""
    taken = {name for tip in tips for name in dump_folder(repo, tip).dumps}
    moment = datetime.now(UTC)
    while (name := dump_name(moment)) in taken or any(
        (folder / one).exists() for one in (name, parts_folder(name))
    ):
        moment += timedelta(seconds=1)
    return name


def _stage(unfinished: Path, manifest: Manifest) -> Path:
    """Give dump and manifest their names, manifest first: a dump is complete only with it."""
    folder = unfinished.parent
    described = folder / manifest_name(manifest.dump)
    beside = folder / f".{described.name}.partial"
    try:
        write_whole(described, manifest.to_json(), beside=beside)
    except OSError as error:
        raise DumpFailed(
            f"could not write the manifest to `{folder}`: {error.strerror}",
            hint="is the disk full? Nothing was published.",
        ) from error
    path = unfinished.rename(folder / manifest.dump)
    sync_folder(folder)
    return path
