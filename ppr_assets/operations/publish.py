"""Publish the staged dump: one commit, judged against the mark it stands on, and delivered.

The commit is built without the work tree and stays invisible until it is accepted. With pushing
enabled the remote takes it first and the local branch moves after, so a dump that the gate
refuses against somebody else's newer mark never appears anywhere. Killed in between, the next
run finds the remote ahead and goes on from there.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Literal

from ppr_assets.data_repo.clone import DataRepo, open_data_repo
from ppr_assets.data_repo.integrate import base_for_publishing
from ppr_assets.data_repo.lock import data_repo_lock
from ppr_assets.data_repo.remote import Outrun, fetch, push
from ppr_assets.data_repo.staging import StagedDump, discard, staged, sweep_partials
from ppr_assets.data_repo.tree import tip
from ppr_assets.data_repo.worktree import BranchMoved, advance_branch, recover
from ppr_assets.errors import DataRepoError, DumpDamaged, PprError, PushFailed
from ppr_assets.operations.dump_commit import commit_of_dump, merge_ratchet, write_dump_commit
from ppr_assets.operations.gate import judge_at, override_for, refusal
from ppr_assets.operations.latest import latest_manifest
from ppr_assets.rules.manifest import Manifest
from ppr_assets.rules.ratchet import Verdict
from ppr_assets.settings import Settings

ATTEMPTS = 5
"""How often a commit that somebody outran is built anew on theirs."""


@dataclass(frozen=True)
class Delivery:
    """Whether the remote has the commit; bytes and seconds of the push.

    ``failure`` says why it has not, where pushing was wished; the commit is then kept.
    """

    pushed: bool
    bytes: int = 0
    seconds: float = 0.0
    failure: PushFailed | None = None


@dataclass(frozen=True)
class PublishOutcome:
    """What became of the dump of ``manifest``.

    ``published``: ``commit`` holds it. ``unchanged``: ``commit`` held it before. ``refused``: the
    gate said no against the newest mark, and nothing has moved. ``web_url`` is the repository's
    page where the remote is a forge.
    """

    status: Literal["published", "unchanged", "refused"]
    manifest: Manifest
    commit: str | None
    verdict: Verdict | None = None
    delivery: Delivery = Delivery(pushed=False)
    web_url: str | None = None

    def error(self) -> PprError | None:
        """The expected failure that this outcome amounts to, if any."""
        if self.status == "refused" and self.verdict is not None:
            return refusal(self.verdict)
        return self.delivery.failure


@dataclass(frozen=True)
class _Candidate:
    """The staged dump that is to be published, found to be what its manifest says."""

    dump: StagedDump
    manifest: Manifest


def publish(settings: Settings, *, override_reason: str | None = None) -> PublishOutcome:
    """Publish the newest staged dump, and whatever earlier runs could not deliver.

    Raises :class:`Busy`, :class:`DataRepoError` and its kin, :class:`RatchetFileError`, and
    :class:`DumpDamaged` when the staged dump is not what its manifest says. A refusal and a push
    that fails are no exceptions but part of the outcome.
    """
    repo = open_data_repo(settings.data_repo)
    with data_repo_lock(repo):
        recover(repo)
        sweep_partials(repo)
        candidate = _candidate(repo)
        for remaining in reversed(range(ATTEMPTS)):
            try:
                return _attempt(settings, repo, candidate, override_reason, last=not remaining)
            except (Outrun, BranchMoved):
                continue
    raise DataRepoError(
        f"branch `{repo.branch}` moved {ATTEMPTS} times while a commit was made for it",
        hint="is another program committing in a loop? The dump is kept; run again.",
    )


def _attempt(
    settings: Settings,
    repo: DataRepo,
    candidate: _Candidate | None,
    override_reason: str | None,
    *,
    last: bool,
) -> PublishOutcome:
    """Build on what is there now, deliver, move the branch.

    Raises :class:`Outrun` or :class:`BranchMoved` when that changed meanwhile.
    """
    local = tip(repo)
    pushing = settings.data_repo.push_enabled and repo.remote is not None
    remote, unreachable = _fetched(repo) if pushing else (None, None)
    base = base_for_publishing(repo, local, remote, merge_ratchet=merge_ratchet)
    outcome, new = _build(settings, repo, base, candidate, override_reason)
    if new is None:
        return outcome
    if unreachable is not None:
        delivery = Delivery(pushed=False, failure=unreachable)
    elif pushing:
        delivery = _deliver(repo, new, remote, last=last)
    else:
        delivery = Delivery(pushed=False)
    if new != local:
        advance_branch(repo, local, new, staged=candidate.dump if candidate else None)
    if candidate is not None:
        discard(repo, candidate.dump)
    return replace(outcome, delivery=delivery, web_url=repo.web_url)


def _build(
    settings: Settings,
    repo: DataRepo,
    base: str | None,
    candidate: _Candidate | None,
    override_reason: str | None,
) -> tuple[PublishOutcome, str | None]:
    """The outcome to come, and the commit that the branch is to point to (None: refused)."""
    standing = latest_manifest(repo, base)
    if candidate is None or (standing and standing.sha256 == candidate.manifest.sha256):
        if base is None or standing is None:
            raise DataRepoError(
                "there is no dump to publish: none is staged, and none was published before",
                hint="materialize `sql_dump` first, or run `ppr-assets dump`.",
            )
        commit = commit_of_dump(repo, base, standing.dump)
        return PublishOutcome("unchanged", standing, commit), base
    manifest = candidate.manifest
    override = manifest.override or override_for(settings.dump, override_reason)
    verdict = judge_at(repo, base, manifest.rows, settings.dump, override)
    manifest = replace(
        manifest,
        verdict=verdict.to_json(),
        override=verdict.override,
        previous=standing.dump if standing else None,
    )
    if not verdict.passed:
        return PublishOutcome("refused", manifest, None, verdict), None
    commit = write_dump_commit(repo, base, candidate.dump.path, manifest, verdict)
    return PublishOutcome("published", manifest, commit, verdict), commit


def _fetched(repo: DataRepo) -> tuple[str | None, PushFailed | None]:
    """The remote's tip, or the failure to learn it: the commit is then made on what is here."""
    try:
        return fetch(repo), None
    except PushFailed as failure:
        return None, failure


def _deliver(repo: DataRepo, commit: str, remote: str | None, *, last: bool) -> Delivery:
    if commit == remote:
        return Delivery(pushed=True)
    try:
        result = push(repo, commit)
    except PushFailed as failure:
        return Delivery(pushed=False, failure=failure)
    except Outrun:
        if not last:
            raise
        failure = PushFailed(
            f"others pushed to `{repo.branch}` faster, {ATTEMPTS} times in a row",
            hint="the commit is kept in the clone, and the next run delivers it.",
        )
        return Delivery(pushed=False, failure=failure)
    return Delivery(pushed=True, bytes=result.bytes, seconds=result.seconds)


def _candidate(repo: DataRepo) -> _Candidate | None:
    """The newest staged dump, read once more in full: what is published is what was proven."""
    waiting = staged(repo)
    if not waiting:
        return None
    dump = waiting[-1]
    manifest = Manifest.from_json(dump.manifest_path.read_text(encoding="utf-8"))
    with dump.path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != manifest.sha256 or manifest.dump != dump.name:
        raise DumpDamaged(
            f"staged dump {dump.name} has SHA-256 {found[:12]}…, its manifest says "
            f"{manifest.sha256[:12]}…",
            hint=f"somebody changed `{dump.path}`; remove it and dump again.",
        )
    return _Candidate(dump, manifest)
