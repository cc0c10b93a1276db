"""What a copy is made of: the dumps that others can see, byte for byte as they were published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from msgspec import Struct

from ppr_assets.copies.packed import Packed, pack, unpacked
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.git.tree import read_tree, tip
from ppr_assets.data_repo.history.commits import FolderCommit, folder_history
from ppr_assets.data_repo.history.dump_folder import DumpFolder, DumpFolders, dump_folder
from ppr_assets.data_repo.history.message import parse_trailers, retired_by
from ppr_assets.data_repo.remote.missing_objects import bring
from ppr_assets.data_repo.remote.remote import fetched_tip
from ppr_assets.errors import DumpDamaged
from ppr_assets.operations.looking.dump_tables import dump_tables
from ppr_assets.operations.looking.export import to_sqlite
from ppr_assets.operations.looking.published_tables import PublishedTables
from ppr_assets.operations.published.committed import dump_bytes
from ppr_assets.operations.publishing.publication import policy_at
from ppr_assets.operations.sources.wanted import FoundDump
from ppr_assets.progress import counted, stage
from ppr_assets.rules.naming import (
    commit_record_name,
    copy_name,
    manifest_name,
    sqlite_copy_name,
    sqlite_metadata_name,
)
from ppr_assets.rules.recorded.commit import SMALL_FILES, CommitRecord
from ppr_assets.rules.recorded.manifest import Manifest
from ppr_assets.settings import DumpSettings

_CHUNK = 1024 * 1024


class PublishedCommit(Struct, frozen=True):
    """A commit with the dump folder as it left it; ``number`` counts those before it, ``dump`` is
    the one that it published."""

    commit: FolderCommit
    folder: DumpFolder
    number: int
    dump: str | None

    @property
    def name(self) -> str:
        """Of its record."""
        return commit_record_name(self.commit.date, self.commit.message)

    @property
    def small(self) -> Mapping[str, str]:
        """The objects of the mark and the policy, by name."""
        names = [name for name in SMALL_FILES if self.folder.is_regular(name)]
        return {name: self.folder.entries[name].sha for name in names}

    def record(self) -> CommitRecord:
        one, files = self.commit, {name: self.folder.data(name) for name in self.small}
        return CommitRecord(
            one.sha, one.date, one.author, one.message, self.number, files, self.dump
        )


@dataclass(frozen=True)
class PublishedDumps:
    """The dump folder at the commit that others can see; ``scratch`` is for the dump that was
    compressed last, and for that as SQLite, which several places get."""

    folder: DumpFolder
    scratch: Path
    _packed: dict[str, Packed] = field(default_factory=dict, repr=False)

    @cached_property
    def manifests(self) -> Mapping[str, Manifest]:
        """Of the dumps that have one which can be read; upstream's own had none."""
        described = self.folder.described()
        return {
            dump: told
            for dump, told in described.items()
            if isinstance(told, Manifest) and told.dump == dump
        }

    def manifest_bytes(self, dump: str) -> bytes:
        return self.folder.data(manifest_name(dump))

    def packed(self, dump: str) -> Packed:
        """The dump compressed, parts joined. Raises :class:`DumpDamaged` where its bytes are not
        what its manifest says: that is no dump to be copied."""
        if dump not in self._packed:
            for other in self._packed.values():
                other.path.unlink()
            self._packed.clear()
            repo, stored = self.folder.repo, self.folder.stored(dump)
            bring(repo, stored.blob)
            if stored.parts is not None:
                bring(repo, *(one.sha for one in read_tree(repo.objects, stored.parts).values()))
            chunks, said = dump_bytes(repo.objects, stored), self.manifests[dump].sha256
            with stage("compressing the dump", self.manifests[dump].bytes):
                packed = pack(counted(chunks), self.scratch / copy_name(dump))
            if packed.sha256 != said:
                packed.path.unlink()
                raise DumpDamaged(
                    f"{dump} was not copied: it has SHA-256 {packed.sha256[:12]}… in the data "
                    f"repository, its manifest says {said[:12]}…",
                    hint="`ppr-assets verify` and `ppr-assets audit` tell more.",
                )
            self._packed[dump] = packed
        return self._packed[dump]

    def sqlite(self, dump: str, settings: DumpSettings) -> tuple[Packed, bytes]:
        """The dump as SQLite, compressed, under the policy of today, and what Datasette reads of
        it. Raises :class:`DumpDamaged`, and :class:`PreconditionFailed` where SQLite cannot take
        it."""
        name = sqlite_copy_name(dump)
        if name not in self._packed:
            repo, plain = self.folder.repo, self.scratch / dump
            with self.packed(dump).path.open("rb") as packed, plain.open("wb") as file:
                file.writelines(unpacked(iter(lambda: packed.read(_CHUNK), b""), dump))
            found = FoundDump(dump, plain, self.manifests[dump], None, self.scratch)
            with dump_tables(found) as tables:
                policy = policy_at(repo, self.folder.commit, settings)
                database, described = to_sqlite(
                    PublishedTables(tables, policy), dump, plain.with_suffix(".db")
                )
            with database.open("rb") as file:
                chunks = iter(lambda: file.read(_CHUNK), b"")
                self._packed[name] = pack(chunks, self.scratch / name)
            described.rename(self.scratch / sqlite_metadata_name(dump))
            for one in (plain, database):
                one.unlink()
        return self._packed[name], (self.scratch / sqlite_metadata_name(dump)).read_bytes()

    @cached_property
    def commits(self) -> Sequence[PublishedCommit]:
        """Those that published dumps, retired them, or changed the mark or the policy, oldest
        first. None in a shallow clone, which cannot tell."""
        repo, commit = self.folder.repo, self.folder.commit
        if commit is None or repo.shallow:
            return ()
        folders = DumpFolders(repo)
        found: list[PublishedCommit] = []
        for one in folder_history(repo, commit):
            folder, dump = folders.at(one.sha), parse_trailers(one.message).get("Dump")
            before = [folders.at(parent) for parent in one.parents]
            if dump in folder.entries or retired_by(one.message) or _decided(folder, before):
                published = dump if dump in folder.entries else None
                found.append(PublishedCommit(one, folder, len(found), published))
        return found

    def records(self, commits: Sequence[PublishedCommit]) -> list[CommitRecord]:
        """What is recorded of them; what a partial clone lacks is fetched in one request."""
        bring(self.folder.repo, *(sha for one in commits for sha in one.small.values()))
        return [one.record() for one in commits]


def published_dumps(repo: DataRepo, scratch: Path) -> PublishedDumps:
    """Where dumps are pushed, what waits for that is not published yet."""
    pushing = repo.settings.push_enabled and repo.remote is not None
    commit = fetched_tip(repo) if pushing else tip(repo)
    return PublishedDumps(dump_folder(repo, commit), scratch)


def _decided(folder: DumpFolder, before: Sequence[DumpFolder]) -> bool:
    """Whether the mark or the policy is another one than at each of the commits before."""
    return any(
        folder.sha(name) is not None and folder.sha(name) not in [one.sha(name) for one in before]
        for name in SMALL_FILES
    )
