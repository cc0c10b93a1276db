"""The dump folder at a commit, read once: its dumps, their manifests, the mark, and what is latest.

What stands in it is known by its tree alone; a file is read when it is asked for.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from msgspec import Struct

from ppr_assets.data_repo.git.object_reader import ObjectMissing
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.git.tree import TreeEntry, TreeFile, read_entries, read_file, read_tree
from ppr_assets.data_repo.history.manifests import Described, of_dump, read_manifests
from ppr_assets.errors import DataRepoError, RatchetFileError
from ppr_assets.rules.mark import Mark, parse_mark
from ppr_assets.rules.naming import (
    DELTA_BASE,
    DELTA_BASE_FILE,
    DELTA_BASE_PARTS,
    LATEST,
    LATEST_PACKED,
    PUBLICATION,
    RATCHET,
    dump_moment,
    is_dump_name,
    manifest_name,
    parts_folder,
)
from ppr_assets.rules.publication.policy import Policy, parse_policy, unreadable
from ppr_assets.rules.recorded.manifest import Manifest

MARK_WAY_OUT = (
    "look at the file's history; to set the mark on purpose, "
    '`ppr-assets ratchet reset --to N --reason "…"`.'
)


_KEPT = 64
"""Folders that are kept: a commit is looked at soon after its parents."""


class StoredDump(Struct, frozen=True):
    """The objects of a dump: its file, and the tree of the folder of its parts if there is one;
    its parts then tell its ``name``."""

    blob: str
    parts: str | None = None
    name: str = ""


@dataclass(frozen=True)
class DumpFolder:
    """``entries`` by name; none where ``commit`` is None, or has no such folder."""

    repo: DataRepo = field(repr=False)
    commit: str | None
    entries: Mapping[str, TreeEntry] = field(default_factory=dict)

    @cached_property
    def dumps(self) -> tuple[str, ...]:
        """Their names, oldest first."""
        return tuple(sorted(filter(is_dump_name, self.entries)))

    @cached_property
    def newest(self) -> str | None:
        """By the moment in its name."""
        return max(self.dumps, key=lambda name: (dump_moment(name), name), default=None)

    @cached_property
    def newest_described(self) -> str | None:
        """The newest that has a manifest."""
        described = (name for name in self.dumps if manifest_name(name) in self.entries)
        return max(described, default=None)

    def path(self, name: str) -> str:
        """From the root of the repository."""
        return f"{self.repo.dump_dir}/{name}"

    def sha(self, name: str) -> str | None:
        entry = self.entries.get(name)
        return entry.sha if entry else None

    def data(self, name: str) -> bytes:
        """The content of a small file that is there. Raises :class:`ObjectMissing`."""
        return self.repo.objects.read(self.entries[name].sha).data

    def manifest_sha(self, dump: str) -> str | None:
        return self.sha(manifest_name(dump))

    def text(self, name: str) -> str:
        return self.data(name).decode("utf-8", "replace")

    def file(self, name: str) -> TreeFile | None:
        """Raises what :func:`read_file` raises."""
        return read_file(self.repo, self.commit, self.path(name)) if self.commit else None

    def is_regular(self, name: str) -> bool:
        """Whether it is there as a file, and no folder or symlink."""
        entry = self.entries.get(name)
        return entry is not None and stat.S_ISREG(int(entry.mode, 8))

    def manifest(self, dump: str) -> Manifest | None:
        """None for a dump that has none, as a copy in gzip beside the dump that was described.
        Raises :class:`DumpDamaged` for a manifest that cannot be read."""
        file = self.file(manifest_name(dump))
        if file is None:
            return None
        manifest = Manifest.from_json(file.data.decode("utf-8", "replace"))
        return None if dump == f"{manifest.dump}.gz" else manifest

    def described(self) -> Mapping[str, Described]:
        """The dumps that are regular files, each with what is told about it; manifests that a
        partial clone lacks are fetched in one request."""
        dumps = [name for name in self.dumps if self.is_regular(name)]
        names = {manifest_name(name) for name in dumps if self.is_regular(manifest_name(name))}
        told = read_manifests(self.repo, {name: self.entries[name].sha for name in names})
        return {dump: of_dump(dump, told.get(manifest_name(dump))) for dump in dumps}

    @cached_property
    def mark(self) -> Mark | None:
        """What the ratchet file says; None where it is not there. Raises
        :class:`RatchetFileError` for a symlink, a folder, and what cannot be read as a mark."""
        file = self.file(RATCHET)
        if file is None or self.commit is None:
            return None
        if not self.is_regular(RATCHET):
            path, commit = self.path(RATCHET), self.commit[:10]
            raise RatchetFileError(f"`{path}` is not a regular file in {commit}", hint=MARK_WAY_OUT)
        return parse_mark(file.data)

    @cached_property
    def additions(self) -> Policy | None:
        """What the data repository decides itself of what is published; None where it has no such
        file. Raises :class:`PolicyUnreadable` for anything but a policy."""
        if PUBLICATION not in self.entries or self.commit is None:
            return None
        try:
            file = self.file(PUBLICATION)
        except DataRepoError as error:
            raise unreadable(self.path(PUBLICATION), error.message) from error
        assert file is not None
        source = f"{self.path(PUBLICATION)} in {self.commit[:10]}"
        if not self.is_regular(PUBLICATION):
            raise unreadable(source, "it is not a regular file")
        return parse_policy(file.data, source=source)

    @cached_property
    def latest(self) -> str | None:
        """The dump that latest.sql points to, or where there is none, upstream's latest.sql.gz;
        None without either. Raises what :meth:`linked` raises of the former; the latter is not
        ours to complain of."""
        if (found := self.linked(LATEST)) is not None:
            return found
        try:
            return self.linked(LATEST_PACKED)
        except DataRepoError:
            return None

    @cached_property
    def latest_manifest(self) -> Manifest | None:
        """None where nothing was published yet, or where the latest dump has no manifest
        (upstream's own scripts wrote none). Raises :class:`DumpDamaged` for one that cannot be
        read."""
        return self.manifest(self.latest) if self.latest else None

    def linked(self, link: str) -> str | None:
        """The dump that ``link`` points to; None where it does not exist.

        Raises :class:`DataRepoError` when it is not a symlink, or leads to anything but a dump
        beside it.
        """
        file = self.file(link)
        if file is None or self.commit is None:
            return None
        target = file.data.decode("utf-8", "replace").removeprefix("./")
        if not stat.S_ISLNK(int(file.mode, 8)):
            problem = "is not a symlink"
        elif not is_dump_name(target):
            problem = f"leads to `{target}`, which is not a dump beside it"
        elif target not in self.entries:
            problem = f"leads to `{target}`, which is not there"
        else:
            return target
        raise DataRepoError(
            f"`{self.path(link)}` in {self.commit[:10]} {problem}",
            hint="point it to a dump in its folder (`ln -sf`) and commit that.",
        )

    @property
    def link(self) -> str:
        """What leads to the latest dump: upstream's latest.sql.gz where nothing else does."""
        packed_alone = LATEST not in self.entries and LATEST_PACKED in self.entries
        return LATEST_PACKED if packed_alone else LATEST

    @cached_property
    def leads_to(self) -> str | None:
        """What the link says, wherever that is; None without it, or if it is not a symlink."""
        entry = self.entries.get(self.link)
        if entry is None or not stat.S_ISLNK(int(entry.mode, 8)):
            return None
        try:
            return self.text(self.link).removeprefix("./")
        except ObjectMissing:
            return "an object that is lost"

    def stored(self, dump: str) -> StoredDump:
        """The objects of a dump that is there."""
        parts = self.sha(parts_folder(dump))
        return StoredDump(self.entries[dump].sha, parts, dump if parts else "")

    @cached_property
    def delta_base(self) -> StoredDump | None:
        """The objects of the copy under the stable name; None where there is none."""
        if DELTA_BASE not in self.entries:
            return None
        below = read_tree(self.repo.objects, self.entries[DELTA_BASE].sha)
        entry, parts = (
            below.get(path.removeprefix(f"{DELTA_BASE}/"))
            for path in (DELTA_BASE_FILE, DELTA_BASE_PARTS)
        )
        return StoredDump(entry.sha, parts.sha if parts else None) if entry else None


def dump_folder(repo: DataRepo, commit: str | None) -> DumpFolder:
    """Raises :class:`ObjectLost` where the clone lacks what leads to the folder."""
    prefix = f"{repo.dump_dir}/"
    found = read_entries(repo, commit, prefix) if commit else {}
    entries = {os.fsdecode(path).removeprefix(prefix): entry for path, entry in found.items()}
    return DumpFolder(repo, commit, entries)


class DumpFolders:
    """The folder at one commit after the other; those that did not change it share one. A commit
    that the clone lacks has an empty one."""

    def __init__(self, repo: DataRepo) -> None:
        self._repo = repo
        self._nothing = DumpFolder(repo, None)
        self._known: dict[str, DumpFolder] = {}

    def at(self, commit: str) -> DumpFolder:
        tree = self._repo.objects.name_of(f"{commit}:{self._repo.dump_dir}")
        if tree is None:
            return self._nothing
        if tree not in self._known:
            if len(self._known) == _KEPT:
                del self._known[next(iter(self._known))]
            entries = read_tree(self._repo.objects, tree)
            self._known[tree] = DumpFolder(self._repo, commit, entries)
        return self._known[tree]
