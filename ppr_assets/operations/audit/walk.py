"""Walk the history of the dump folder, and audit each commit that changed what is published."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from ppr_assets.data_repo.clone import DataRepo, open_data_repo
from ppr_assets.data_repo.history import (
    FolderCommit,
    folder_history,
    publications_between,
    signature_of,
)
from ppr_assets.data_repo.object_reader import ObjectReader
from ppr_assets.data_repo.promised import bring, bring_history
from ppr_assets.errors import DumpMissing
from ppr_assets.operations.audit.changes import (
    changed_files,
    removed_dumps,
    unexplained_removals,
    wrong_names,
)
from ppr_assets.operations.audit.dump_reader import DumpReader
from ppr_assets.operations.audit.dumps import Brought, CheckedDump, check_dump
from ppr_assets.operations.audit.folders import Folder, Folders
from ppr_assets.operations.audit.marks import reset_reason, wrong_mark
from ppr_assets.operations.audit.report import Audited, Gap
from ppr_assets.operations.audit.selection import Scope, end_of, selected
from ppr_assets.operations.view import OnView, unseen
from ppr_assets.rules.naming import dump_moment, is_dump_name
from ppr_assets.settings import DataRepoSettings


def audit(settings: DataRepoSettings, scope: Scope, on_view: OnView = unseen) -> Iterator[Audited]:
    """Audit what was published, oldest first. A partial clone fetches what is read of the dump
    folder and what it goes without.

    Raises :class:`DataRepoError` for a clone or commit that cannot be looked at,
    :class:`RemoteUnreachable` where something is to be fetched, and :class:`DumpMissing` where no
    dump was published.
    """
    repo = open_data_repo(settings)
    end = end_of(repo, scope, on_view)
    with ObjectReader(repo.path, repo.settings.timeout_seconds) as reader:
        yield from _Audit(repo, reader, end, scope).run()


class _Audit:
    def __init__(self, repo: DataRepo, reader: ObjectReader, end: str, scope: Scope) -> None:
        self._repo = repo
        self._reader = reader
        self._end = end
        self._scope = scope
        self._folders = Folders(repo, reader)
        self._history = folder_history(repo, end)
        self._brought = {commit.sha: self._brought_by(commit) for commit in self._history}
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
        self._bring_small([self._end])
        last = self._folders.at(self._end)
        standing = last.latest if last.latest in self._bringers else last.newest
        commits = selected(self._history, self._scope, self._bringers.get(standing or "", ()))
        self._bring(commits)
        brought = (dump for commit in commits for dump in self._brought[commit.sha])
        stored = [dump.stored for dump in brought if dump.described]
        with DumpReader(self._repo, self._reader, stored) as dumps:
            for commit in commits:
                yield from self._audited(commit, dumps)

    def _bring(self, commits: Sequence[FolderCommit]) -> None:
        """Let a partial clone fetch at once what is going to be read."""
        parents = [parent for commit in commits for parent in commit.parents]
        bring_history(self._repo, [commit.sha for commit in commits], parents)
        self._bring_small(parents)

    def _bring_small(self, commits: Iterable[str]) -> None:
        """The same for all that is no dump in the folders of ``commits``."""
        if self._repo.partial:
            folders = (self._folders.at(commit).entries.items() for commit in commits)
            files = (file for entries in folders for file in entries)
            blobs = (
                entry.sha
                for name, entry in files
                if entry.kind == "blob" and not is_dump_name(name)
            )
            bring(self._repo, *blobs)

    def _brought_by(self, commit: FolderCommit) -> Sequence[Brought]:
        folder, parents = self._around(commit)
        new = sorted(folder.dumps.difference(*(parent.dumps for parent in parents)))
        alone = len(new) == 1 and len(parents) < 2
        return [
            Brought(
                commit,
                name,
                folder.stored(name),
                described=folder.manifest_sha(name) is not None,
                alone=alone,
            )
            for name in new
        ]

    def _around(self, commit: FolderCommit) -> tuple[Folder, list[Folder]]:
        """The folder at a commit, and at its parents."""
        parents = [self._folders.at(parent) for parent in commit.parents]
        return self._folders.at(commit.sha), parents

    def _audited(self, commit: FolderCommit, dumps: DumpReader) -> Iterator[Audited]:
        folder, parents = self._around(commit)
        checks = [
            (dump, check_dump(dumps, dump, folder, parents)) for dump in self._brought[commit.sha]
        ]
        reset = reset_reason(commit, folder, parents)
        about_commit = [*self._wrong_commit(commit, folder, parents, checks)]
        if not (checks or about_commit or reset):
            return
        signature = signature_of(self._repo, self._reader, commit.sha)
        if signature.state == "bad":
            about_commit.append(f"its signature is bad, by {signature.signer or 'an unknown key'}")
        removed = removed_dumps(folder, parents)
        notes = (f"retired {', '.join(removed)}",) if removed and not about_commit else ()
        mark = folder.readable_mark
        about = Audited(
            commit=commit,
            dump=None,
            manifest=None,
            mark=mark.organization if mark else None,
            signature=signature,
            findings=tuple(about_commit),
            notes=notes,
            reset=reset,
        )
        if not checks:
            yield about
        for dump, checked in checks:  # what is said of the commit is said with its first dump
            yield Audited(
                commit=commit,
                dump=dump.name,
                manifest=checked.manifest,
                mark=about.mark,
                signature=signature,
                findings=(*checked.findings, *about.findings),
                notes=(*checked.notes, *about.notes),
                gap=self._gap(dump.name, parents),
            )
            about = Audited(commit, None, None, about.mark, signature)

    def _wrong_commit(
        self,
        commit: FolderCommit,
        folder: Folder,
        parents: Sequence[Folder],
        checks: Sequence[tuple[Brought, CheckedDump]],
    ) -> Iterator[str]:
        """What the commit did to all that is not a new dump of its own."""
        judged = any(dump.alone and checked.manifest for dump, checked in checks)
        if not judged:  # where a dump came, its own gate says what the mark must be
            wrong = wrong_mark(self._repo, self._folders, commit, folder, parents)
            if wrong is not None:
                yield wrong
        yield from changed_files(folder, parents)
        yield from unexplained_removals(self._repo, commit, folder, parents, self._bringers)
        yield from wrong_names(folder, parents)

    def _gap(self, dump: str, parents: Sequence[Folder]) -> Gap | None:
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
