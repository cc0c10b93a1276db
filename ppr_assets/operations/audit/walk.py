"""Walk the history of the dump folder, and audit each commit that changed what is published."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from msgspec.structs import replace

from ppr_assets.data_repo.clone.clone import open_data_repo
from ppr_assets.data_repo.git.object_reader import ObjectReader
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.git.tree import read_tree
from ppr_assets.data_repo.history.commits import (
    FolderCommit,
    folder_history,
    signature_of,
)
from ppr_assets.data_repo.history.dump_folder import DumpFolder, DumpFolders, StoredDump
from ppr_assets.data_repo.history.message import reset_told
from ppr_assets.data_repo.history.publications import publications_between
from ppr_assets.errors import DumpMissing
from ppr_assets.operations.audit.changes import (
    AuditedChange,
    changed_files,
    described,
    removed_dumps,
    unexplained_removals,
    wrong_names,
)
from ppr_assets.operations.audit.dump_reader import DumpReader
from ppr_assets.operations.audit.dumps import Brought, CheckedDump, Evidence, check_dump
from ppr_assets.operations.audit.fetching import Fetching
from ppr_assets.operations.audit.marks import (
    Standings,
    lost_marks,
    readable_mark,
    reset_reason,
    wrong_mark,
)
from ppr_assets.operations.audit.policy import PolicyAudit
from ppr_assets.operations.audit.report import Audited, Gap
from ppr_assets.operations.audit.selection import Scope, end_of, selected
from ppr_assets.operations.published.policy_file import named_policy
from ppr_assets.operations.published.view import OnView, unseen
from ppr_assets.progress import stage
from ppr_assets.rules.naming import dump_moment
from ppr_assets.rules.publication.policy import Policy
from ppr_assets.settings import DataRepoSettings


def audit(settings: DataRepoSettings, scope: Scope, on_view: OnView = unseen) -> Iterator[Audited]:
    """Audit what was published, oldest first. A partial clone fetches what is read of the dump
    folder and what it goes without.

    Raises :class:`DataRepoError` for a clone or commit that cannot be looked at,
    :class:`RemoteUnreachable` where something is to be fetched, and :class:`DumpMissing` where no
    dump was published.
    """
    with open_data_repo(settings) as repo:
        end = end_of(repo, scope, on_view)
        yield from _Audit(repo, repo.objects, end, scope).run()


class _Audit:
    def __init__(self, repo: DataRepo, reader: ObjectReader, end: str, scope: Scope) -> None:
        self._repo = repo
        self._reader = reader
        self._end = end
        self._scope = scope
        self._folders = DumpFolders(repo)
        self._history = folder_history(repo, end)
        self._brought = {commit.sha: self._brought_by(commit) for commit in self._history}
        self._policy: PolicyAudit | None = None
        self._bringers: dict[str, list[str]] = {}
        for sha, dumps in self._brought.items():
            for dump in dumps:
                self._bringers.setdefault(dump.name, []).append(sha)

    def run(self) -> Iterator[Audited]:
        if not self._bringers:
            raise DumpMissing(
                f"no dump was published up to commit {self._end[:10]} of `{self._repo.path}`",
                hint="`ppr-assets dump` makes one of a database.",
            )
        fetching = Fetching(self._repo, self._folders, offline=self._scope.offline)
        fetching.small([self._end])
        last = self._folders.at(self._end)
        standing = last.leads_to if last.leads_to in self._bringers else last.newest
        commits = selected(self._history, self._scope, self._bringers.get(standing or "", ()))
        fetching.marks(self._history)
        absent = fetching.evidence(commits, self._brought, every_dump=self._scope.policy)
        standings = Standings(self._folders, self._history, self._bringers)
        brought = (dump for commit in commits for dump in self._brought[commit.sha])
        stored = [
            dump.stored for dump in brought if dump.described and absent.isdisjoint(dump.objects)
        ]
        if self._scope.policy:
            file = self._scope.policy_file
            added = last.additions if file is None else named_policy(file)
            self._policy = PolicyAudit(self._reader, added or Policy())
        with (
            DumpReader(self._repo, self._reader, stored) as dumps,
            stage("auditing", len(commits), "commits") as auditing,
        ):
            evidence = Evidence(dumps, standings, absent, self._scope.offline)
            for commit in commits:
                yield from self._audited(commit, evidence)
                auditing.done += 1

    def _brought_by(self, commit: FolderCommit) -> Sequence[Brought]:
        folder, parents = self._around(commit)
        new = sorted(set(folder.dumps).difference(*(parent.dumps for parent in parents)))
        alone = len(new) == 1 and len(parents) < 2
        return [
            Brought(
                commit,
                name,
                folder.stored(name),
                described=folder.manifest_sha(name) is not None,
                alone=alone,
                objects=self._objects(folder.stored(name)),
            )
            for name in new
        ]

    def _objects(self, stored: StoredDump) -> tuple[str, ...]:
        parts = read_tree(self._reader, stored.parts) if stored.parts else {}
        return (stored.blob, *(entry.sha for entry in parts.values()))

    def _around(self, commit: FolderCommit) -> tuple[DumpFolder, list[DumpFolder]]:
        """The folder at a commit, and at its parents."""
        parents = [self._folders.at(parent) for parent in commit.parents]
        return self._folders.at(commit.sha), parents

    def _audited(self, commit: FolderCommit, evidence: Evidence) -> Iterator[Audited]:
        """What is said of the commit itself is said with its first dump."""
        folder, parents = self._around(commit)
        checks = [
            (dump, self._held(dump, check_dump(evidence, dump, folder, parents), folder))
            for dump in self._brought[commit.sha]
        ]
        about = self._about(evidence.standings, commit, checks)
        if not checks and about is not None:
            yield about
        for dump, checked in checks:
            assert about is not None, "a dump is something to tell"
            yield replace(
                about,
                dump=dump.name,
                manifest=checked.manifest,
                findings=(*checked.findings, *about.findings),
                notes=(*checked.notes, *about.notes),
                gap=self._gap(dump.name, parents),
                reset=None,
                unread=checked.unread,
            )
            about = replace(about, findings=(), notes=())

    def _held(self, dump: Brought, checked: CheckedDump, folder: DumpFolder) -> CheckedDump:
        """With what the publication policy says to it, where that was asked for."""
        if self._policy is None or checked.unread:
            return checked
        findings, notes = self._policy.of(dump.name, dump.stored, folder)
        return replace(
            checked,
            findings=(*checked.findings, *findings),
            notes=(*checked.notes, *notes),
        )

    def _about(
        self,
        standings: Standings,
        commit: FolderCommit,
        checks: Sequence[tuple[Brought, CheckedDump]],
    ) -> Audited | None:
        """The commit without its dumps; None where there is nothing to tell of it."""
        folder, parents = self._around(commit)
        reset = reset_reason(commit, folder, parents)
        changes = [*self._changes(standings, commit, folder, parents, checks)]
        if not (checks or changes or reset):
            return None
        findings = [change.text for change in changes if change.wrong]
        signature = signature_of(self._repo, commit.sha)
        if signature.state == "bad":
            findings.append(f"its signature is bad, by {signature.signer or 'an unknown key'}")
        removed = removed_dumps(folder, parents)
        notes = [f"retired {', '.join(removed)}"] if removed and not changes else []
        notes += [change.text for change in changes if not change.wrong]
        mark = readable_mark(folder)
        return Audited(
            commit=commit,
            dump=None,
            manifest=None,
            mark=mark.organization if mark else None,
            signature=signature,
            findings=tuple(findings),
            notes=tuple(notes),
            reset=reset,
        )

    def _changes(
        self,
        standings: Standings,
        commit: FolderCommit,
        folder: DumpFolder,
        parents: Sequence[DumpFolder],
        checks: Sequence[tuple[Brought, CheckedDump]],
    ) -> Iterator[AuditedChange]:
        """What the commit did to all that is not a new dump of its own. What other scripts did to
        their own mark before a commit of ours came is theirs."""
        judged = any(dump.alone and checked.manifest for dump, checked in checks)
        if not judged:  # where a dump came, its own gate says what the mark must be
            wrong = wrong_mark(self._repo, self._folders, commit, folder, parents)
            if wrong is not None:
                ours = standings.taken_over(commit) or reset_told(commit.message) is not None
                yield AuditedChange(
                    wrong, ours or any(described(dump, folder) for dump in folder.dumps)
                )
            if lost := lost_marks(commit, folder, parents):
                yield AuditedChange(lost, wrong=False)
        yield from changed_files(folder, parents)
        yield from unexplained_removals(self._repo, commit, folder, parents, self._bringers)
        yield from wrong_names(commit, folder, parents)

    def _gap(self, dump: str, parents: Sequence[DumpFolder]) -> Gap | None:
        before = [moment for folder in parents if (moment := _moment(folder.newest))]
        after = _moment(dump)
        if after is None or not before:
            return None
        hours = (after - max(before)).total_seconds() / 3600
        if hours <= self._scope.gap_hours:
            return None
        return Gap(hours, publications_between(self._repo, self._end, max(before), after))


def _moment(dump: str | None) -> datetime | None:
    return dump_moment(dump) if dump else None
