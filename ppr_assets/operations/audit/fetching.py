"""What an audit lets a partial clone fetch: what it is going to read, at once, and nothing else.

A dump without a manifest is held to the publication policy alone, and only where that was asked
for: otherwise nobody looks at its bytes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.history.commits import FolderCommit
from ppr_assets.data_repo.history.dump_folder import DumpFolders
from ppr_assets.data_repo.remote.missing_objects import bring_what_is_left, lacking
from ppr_assets.operations.audit.dumps import Brought
from ppr_assets.rules.naming import PUBLICATION, RATCHET, manifest_name


class Fetching:
    """Raises :class:`RemoteUnreachable`. A full clone, and one that stays ``offline``, fetch
    nothing."""

    def __init__(self, repo: DataRepo, folders: DumpFolders, *, offline: bool) -> None:
        self._repo = repo
        self._folders = folders
        self._offline = offline

    def small(self, commits: Iterable[str]) -> None:
        """What is read of the folders of ``commits`` beside the dumps."""
        if self._repo.partial:
            self._have(self._small(commits))

    def marks(self, history: Iterable[FolderCommit]) -> None:
        """What the ratchet file ever said."""
        if self._repo.partial:
            shas = (self._folders.at(commit.sha).sha(RATCHET) for commit in history)
            self._have({sha for sha in shas if sha})

    def evidence(
        self,
        commits: Sequence[FolderCommit],
        brought: Mapping[str, Sequence[Brought]],
        *,
        every_dump: bool,
    ) -> frozenset[str]:
        """All that ``commits`` are held against, with ``every_dump`` also those without a
        manifest. Returns what of it is not to be had."""
        if not self._repo.partial:
            return frozenset()
        wanted = self._small({sha for commit in commits for sha in (commit.sha, *commit.parents)})
        for commit in commits:
            for dump in brought[commit.sha]:
                wanted.update(dump.objects if dump.described or every_dump else ())
        return self._have(wanted)

    def _have(self, blobs: Collection[str]) -> frozenset[str]:
        if self._offline:
            return frozenset(lacking(self._repo, blobs))
        return bring_what_is_left(self._repo, blobs)

    def _small(self, commits: Iterable[str]) -> set[str]:
        return {
            folder.entries[name].sha
            for folder in map(self._folders.at, commits)
            for name in (folder.link, RATCHET, PUBLICATION, *map(manifest_name, folder.dumps))
            if name in folder.entries
        }
