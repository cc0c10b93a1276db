"""Write one dump: count, judge, dump the same snapshot, compare, restore it once, keep.

The finished dump is staged inside the clone's git folder and not in its work tree, where another
program's ``git add -A`` could publish it unproven. Until it is staged nothing else has changed.
"""

from __future__ import annotations

import dataclasses
import shutil
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from ppr_assets.data_repo.checkout.advance import working_alone
from ppr_assets.data_repo.checkout.lock import data_repo_lock
from ppr_assets.data_repo.checkout.staging import discard_others, sweep_partials, writing
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.history.publications import newest_publication
from ppr_assets.data_repo.history.refused_days import note_refusal, policy_refusals_noted
from ppr_assets.data_repo.remote.remote import fetch
from ppr_assets.errors import Busy, DumpFailed, PushFailed
from ppr_assets.files import sync_file, sync_folder, write_whole
from ppr_assets.operations.dumping.writing import RefusedDump, Written, write_judged
from ppr_assets.operations.publishing.gate import override_for
from ppr_assets.operations.restoring.serving.ordinary import require_apart
from ppr_assets.plain_sql.parts.split import split_dump
from ppr_assets.postgres.snapshot.snapshot import Snapshot, open_snapshot
from ppr_assets.rules.finds.judgement import Rise
from ppr_assets.rules.gate.ratchet import Override, Verdict
from ppr_assets.rules.naming import manifest_name, parts_folder, quote_identifier
from ppr_assets.rules.publication.withholding import Withheld
from ppr_assets.rules.recorded.manifest import Manifest
from ppr_assets.rules.recorded.parts import Proof
from ppr_assets.settings import Settings


class DumpOutcome(Struct, frozen=True):
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
    given: Override | None = None,
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
        with working_alone(repo):
            sweep_partials(repo)
        with writing(repo) as folder, policy_refusals_noted(repo):
            override = override_for(settings.dump, given)
            write = partial(write_judged, settings, repo, snapshot, override, folder)
            made = snapshot.undisturbed(write)
            if isinstance(made, RefusedDump):
                note_refusal(repo, snapshot.taken_at)
                return DumpOutcome("refused", made.verdict, unusual=made.unusual)
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


def _kept(
    settings: Settings, repo: DataRepo, snapshot: Snapshot, made: Written, run_id: str | None
) -> DumpOutcome:
    """Prove the dump and stage it, unless it is the one that was published last."""
    name, unfinished = made.name, made.path
    folder = unfinished.parent
    try:
        if made.unchanged:
            return replace(_outcome("unchanged", made), manifest=made.unchanged, unusual=())
        limit = settings.dump.max_file_bytes
        if limit is not None and made.canonical.file.bytes > limit:
            split_dump(unfinished, name=name, most=limit)
        publication = newest_publication(repo, *made.tips)
        manifest = replace(
            made.described(snapshot),
            run_id=run_id,
            publication=publication.sha if publication else None,
            search_path=", ".join(map(quote_identifier, settings.dump.search_path)),
        )
        same_server = dataclasses.replace(settings, database=snapshot.settings)
        manifest = _proven(same_server, repo, unfinished, manifest)
        snapshot.require_open()
        path = _stage(unfinished, manifest)
    except BaseException:
        (folder / name).unlink(missing_ok=True)  # before its parts: it is complete only with them
        shutil.rmtree(folder / parts_folder(name), ignore_errors=True)
        raise
    finally:
        unfinished.unlink(missing_ok=True)
    return replace(_outcome("staged", made), manifest=manifest, path=path)


def _outcome(status: Literal["staged", "unchanged"], made: Written) -> DumpOutcome:
    return DumpOutcome(
        status,
        made.verdict,
        rises=made.canonical.rises,
        unusual=made.profiled.unusual,
        newly_withheld=made.newly_withheld,
    )


def _proven(settings: Settings, repo: DataRepo, dump: Path, manifest: Manifest) -> Manifest:
    """The manifest with its proof; what restores is loaded for a new dump that is to be proven, and
    on no other night."""
    if settings.dump.proof == "off":
        return replace(manifest, proof=Proof("off", datetime.now(UTC)))
    from ppr_assets.operations.dumping.proof import proven

    return proven(settings, repo, dump, manifest)


def _stage(unfinished: Path, manifest: Manifest) -> Path:
    """Give dump and manifest, on the disk, their names, manifest first: a dump is complete only
    with it."""
    folder = unfinished.parent
    described = folder / manifest_name(manifest.dump)
    beside = folder / f".{described.name}.partial"
    try:
        sync_file(unfinished)
        write_whole(described, manifest.to_json(), beside=beside)
    except OSError as error:
        raise DumpFailed(
            f"could not write the dump and its manifest to `{folder}`: {error.strerror}",
            hint="is the disk full? Nothing was published.",
        ) from error
    path = unfinished.rename(folder / manifest.dump)
    sync_folder(folder)
    return path
