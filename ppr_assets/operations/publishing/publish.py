"""Publish the staged dump: one commit, judged against the mark it stands on, and delivered."""

from __future__ import annotations

import hashlib
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from ppr_assets.data_repo.checkout.advance import working_alone
from ppr_assets.data_repo.checkout.staging import StagedDump, discard, staged, sweep_partials
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.history.dump_folder import DumpFolder, dump_folder
from ppr_assets.data_repo.history.refused_days import note_refusal, policy_refusals_noted
from ppr_assets.data_repo.remote.ready_pack import made_ready
from ppr_assets.errors import (
    DataRepoError,
    DumpDamaged,
    DumpFailed,
    DumpUnproven,
    PprError,
)
from ppr_assets.operations.publishing.delivery import NOT_PUSHED, Delivery, Ground
from ppr_assets.operations.publishing.dump_commit import (
    Following,
    StagedObjects,
    commit_of_dump,
    store,
    versions_before,
    write_dump_commit,
)
from ppr_assets.operations.publishing.gate import judge_at, override_for, refusal
from ppr_assets.operations.publishing.landing import land
from ppr_assets.operations.publishing.pending import require_fit
from ppr_assets.operations.publishing.profile import judged_profile
from ppr_assets.operations.publishing.publication import policy_at, require_allowed
from ppr_assets.operations.publishing.retention import Retention, retention_at
from ppr_assets.plain_sql.dump_file import open_dump
from ppr_assets.rules.gate.ratchet import Override, Verdict
from ppr_assets.rules.profile.movements import EarlierNight
from ppr_assets.rules.recorded.manifest import Manifest
from ppr_assets.rules.recorded.parts import Proof
from ppr_assets.settings import DumpSettings

_DUMP_AGAIN = (
    "dump again, which is done by the policy as it is now: `ppr-assets dump`. Nothing was "
    "published."
)


class PublishOutcome(Struct, frozen=True):
    """What became of the dump of ``manifest``.

    ``published``: ``commit`` holds it, and ``retention`` says what it retired (None where an
    earlier attempt made it). ``unchanged``: ``commit`` held it before. ``refused``: the
    gate said no against the newest mark, and nothing has moved. ``web_url`` is the repository's
    page where the remote is a forge.
    """

    status: Literal["published", "unchanged", "refused"]
    manifest: Manifest
    commit: str | None
    verdict: Verdict | None = None
    retention: Retention | None = None
    delivery: Delivery = NOT_PUSHED
    web_url: str | None = None

    def error(self) -> PprError | None:
        """The expected failure that this outcome amounts to, if any."""
        if self.status == "refused" and self.verdict is not None:
            return refusal(self.verdict)
        return self.delivery.failure


class _Candidate(Struct, frozen=True):
    """The staged dump that is to be published, found to be what its manifest says, and being
    stored in the repository, where nothing names it yet."""

    dump: StagedDump
    manifest: Manifest
    storing: Future[StagedObjects]


def publish(
    settings: DumpSettings,
    repo: DataRepo,
    *,
    run_id: str | None = None,
    given: Override | None = None,
) -> PublishOutcome:
    """Publish the newest staged dump, and whatever earlier runs could not deliver.

    An override that the dump was made with counts in its own run only (``run_id``); a later run
    that publishes it needs one of its own. Raises :class:`Busy`, :class:`DataRepoError` and its
    kin, :class:`RatchetFileError`, :class:`DumpDamaged` when the staged dump is not what its
    manifest says, :class:`DumpUnproven` when it was never restored, and :class:`ContentRefused`
    when the remote refuses it for what it holds. A refusal by the gate and any other push that
    fails is part of the outcome and not an exception.
    """
    with working_alone(repo), made_ready(repo), ThreadPoolExecutor(1) as beside:
        sweep_partials(repo)
        candidate = _candidate(settings, repo, beside)
        override = override_for(settings, given)
        if candidate and candidate.manifest.run_id == run_id:
            override = candidate.manifest.override or override
        with policy_refusals_noted(repo):
            outcome, delivery = land(
                repo,
                _Publishing(settings, repo, candidate, override).build,
                staged=candidate.dump if candidate else None,
            )
        if candidate is not None and outcome.status != "refused":
            discard(candidate.dump)
    return replace(outcome, delivery=delivery, web_url=repo.web_url)


class _Publishing(Struct, frozen=True):
    """What is published, on whichever ground: the ``candidate``, or what earlier runs could not
    deliver."""

    settings: DumpSettings
    repo: DataRepo
    candidate: _Candidate | None
    override: Override | None

    def build(self, ground: Ground) -> tuple[PublishOutcome, str | None]:
        """The outcome on ``ground``, and the commit to land: for unchanged data, its base."""
        folder, candidate = dump_folder(self.repo, ground.base), self.candidate
        standing = folder.latest_manifest
        if candidate and (standing is None or standing.sha256 != candidate.manifest.sha256):
            return self._following(ground, folder, standing, candidate)
        if ground.base is None or standing is None:
            raise DataRepoError(
                "there is no dump to publish: none is staged, and none was published before",
                hint="materialize `sql_dump` first, or run `ppr-assets dump`.",
            )
        return self._standing(ground, ground.base, standing)

    def _standing(
        self, ground: Ground, base: str, standing: Manifest
    ) -> tuple[PublishOutcome, str | None]:
        settings, repo = self.settings, self.repo
        commit = commit_of_dump(repo, base, standing)
        if _undelivered(repo, ground, standing):
            override = standing.override or self.override
            verdict = judge_at(repo, base, standing.counts, settings, override)
            if not verdict.passed:
                return PublishOutcome("refused", standing, None, verdict), None
        require_fit(repo, ground, settings)
        # Its very name: an earlier attempt has pushed it, and was outrun on the way back.
        ours = self.candidate is not None and self.candidate.manifest.dump == standing.dump
        return PublishOutcome("published" if ours else "unchanged", standing, commit), base

    def _following(
        self, ground: Ground, folder: DumpFolder, standing: Manifest | None, candidate: _Candidate
    ) -> tuple[PublishOutcome, str | None]:
        settings, repo, base = self.settings, self.repo, ground.base
        made = candidate.manifest
        _require_next(folder, standing, candidate)
        read = partial(open_dump, candidate.dump.path, name=candidate.dump.name)
        require_allowed(made, policy_at(repo, base, settings), read, hint=_DUMP_AGAIN)
        verdict = judge_at(repo, base, made.counts, settings, self.override)
        night = EarlierNight(made.profile, schema=made.schema)
        profiled = judged_profile(repo, base, night, made.withheld, settings)
        verdict = verdict.joined(profiled.findings, self.override)
        manifest = replace(
            made,
            verdict=verdict.to_json(),
            movements=profiled.largest,
            override=verdict.override,
            previous=standing.dump if standing else None,
        )
        if not verdict.passed:
            note_refusal(repo, datetime.now(UTC))
            return PublishOutcome("refused", manifest, None, verdict), None
        require_fit(repo, ground, settings)
        retention = retention_at(repo, base, settings, new=manifest)
        following = Following(manifest, candidate.storing.result(), verdict, retention)
        commit = write_dump_commit(repo, base, following)
        return PublishOutcome("published", manifest, commit, verdict, retention), commit


def _require_next(folder: DumpFolder, standing: Manifest | None, candidate: _Candidate) -> None:
    """latest.sql goes forward only, and no dump takes the place of another one."""
    if candidate.dump.name in folder.entries:
        raise DataRepoError(
            f"another dump was published as {candidate.dump.name} in the same second",
            hint="run again: the next dump has another name, and no published one is replaced.",
        )
    if standing and standing.snapshot_at > candidate.manifest.snapshot_at:
        raise _older_than(standing, candidate.manifest)
    if standing and standing.dump > candidate.dump.name:
        # Theirs was to have the name of a second that was taken already, and got that of the next.
        raise DataRepoError(
            f"{standing.dump} was published, and {candidate.dump.name} would stand before it",
            hint="run again: the next dump has a later name, and latest.sql leads to the last one.",
        )


def _undelivered(repo: DataRepo, ground: Ground, standing: Manifest) -> bool:
    """Whether the remote lacks the dump that stands here. Others may have raised the mark since
    the dump was committed, so it is judged once more before it is pushed."""
    remote = ground.remote
    return remote is not None and standing.dump not in dump_folder(repo, remote).entries


def _older_than(standing: Manifest, waiting: Manifest) -> DataRepoError:
    """latest.sql never goes back in time, say when two machines publish one database."""
    return DataRepoError(
        f"{standing.dump} was published and is newer than this dump: its snapshot is of "
        f"{standing.snapshot_at:%Y-%m-%d %H:%M:%S} UTC, this one's of "
        f"{waiting.snapshot_at:%Y-%m-%d %H:%M:%S} UTC",
        hint="run again, which dumps anew. If nobody else publishes this database, look at the "
        "clock of its server.",
    )


def _require_proven(settings: DumpSettings, dump: StagedDump, proof: Proof | None) -> None:
    """Whoever staged it, and whatever the settings were then: what is published has restored."""
    if settings.proof != "off" and (proof is None or not proof.proven):
        raise DumpUnproven(
            f"staged dump {dump.name} was never restored, so nothing proves it",
            hint="dump again: `ppr-assets dump` restores what it makes. SQL_DUMP_PROOF=off "
            "publishes unproven dumps, and records that.",
        )


def _require_small(settings: DumpSettings, dump: StagedDump) -> None:
    """A dump that was staged while the limit was another one is not committed."""
    limit = settings.max_file_bytes
    if limit is None:
        return
    for path in (dump.path, *dump.parts.values()):
        if (size := path.stat().st_size) > limit:
            raise DumpFailed(
                f"`{path.name}` of staged dump {dump.name} has {size} bytes, at most "
                f"{limit} are committed (SQL_DUMP_MAX_FILE_MB)",
                hint="dump again, which cuts it into smaller parts: `ppr-assets dump`.",
            )


def _candidate(
    settings: DumpSettings, repo: DataRepo, beside: ThreadPoolExecutor
) -> _Candidate | None:
    """The newest staged dump, read once more in full: what is published is what was proven.

    It is stored ``beside`` this and what comes before its commit: git takes longer than all of it.
    """
    waiting = staged(repo)
    if not waiting:
        return None
    dump = waiting[-1]
    manifest = Manifest.from_json(dump.manifest_path.read_text(encoding="utf-8"))
    _require_proven(settings, dump, manifest.proof)
    _require_small(settings, dump)
    storing = beside.submit(store, repo, dump, versions_before(repo))
    _require_as_described(dump, manifest)
    return _Candidate(dump, manifest, storing)


def _require_as_described(dump: StagedDump, manifest: Manifest) -> None:
    again = f"somebody changed `{dump.path}`; remove it and dump again."
    digest = hashlib.sha256()
    try:
        for chunk in open_dump(dump.path, name=dump.name):
            digest.update(chunk)
    except DumpDamaged as error:
        raise DumpDamaged(f"staged dump {dump.name}: {error.message}", hint=again) from error
    found = digest.hexdigest()
    if found != manifest.sha256 or manifest.dump != dump.name:
        raise DumpDamaged(
            f"staged dump {dump.name} has SHA-256 {found[:12]}…, its manifest says "
            f"{manifest.sha256[:12]}…",
            hint=again,
        )
