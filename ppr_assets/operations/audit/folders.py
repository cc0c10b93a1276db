"""The dump folder as it was at a commit: its files, the mark, and what latest.sql names."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from ppr_assets.data_repo.git.object_reader import ObjectMissing, ObjectReader
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.git.tree_objects import Entry, read_tree
from ppr_assets.errors import RatchetFileError
from ppr_assets.operations.audit.recount import StoredDump
from ppr_assets.rules.mark import Mark, parse_mark
from ppr_assets.rules.naming import (
    DELTA_BASE,
    DELTA_BASE_FILE,
    DELTA_BASE_PARTS,
    LATEST,
    LATEST_PACKED,
    RATCHET,
    dump_moment,
    is_dump_name,
    manifest_name,
    parts_folder,
)

_KEPT = 64
"""Folders that are kept: a commit is looked at soon after its parents."""


@dataclass(frozen=True)
class Folder:
    """``entries`` by name; ``reader`` has what they name."""

    reader: ObjectReader = field(repr=False)
    entries: Mapping[str, Entry] = field(default_factory=dict)

    @cached_property
    def dumps(self) -> frozenset[str]:
        return frozenset(name for name in self.entries if is_dump_name(name))

    @cached_property
    def newest(self) -> str | None:
        return max(self.dumps, key=lambda name: (dump_moment(name), name), default=None)

    def sha(self, name: str) -> str | None:
        entry = self.entries.get(name)
        return entry.sha if entry else None

    def text(self, name: str) -> str:
        """The content of a small file that is there."""
        return self.reader.read(self.entries[name].sha).data.decode("utf-8", "replace")

    def manifest_sha(self, dump: str) -> str | None:
        return self.sha(manifest_name(dump))

    @cached_property
    def mark(self) -> Mark | None:
        """None where there is no ratchet file. Raises :class:`RatchetFileError` for nonsense."""
        entry = self.entries.get(RATCHET)
        if entry is None:
            return None
        if not stat.S_ISREG(int(entry.mode, 8)):
            raise RatchetFileError("the ratchet file is not a regular file")
        try:
            return parse_mark(self.reader.read(entry.sha).data)
        except ObjectMissing:
            raise RatchetFileError("the ratchet file is lost, nobody can tell the mark") from None

    @cached_property
    def readable_mark(self) -> Mark | None:
        """The same for where somebody else is told of nonsense."""
        try:
            return self.mark
        except RatchetFileError:
            return None

    @property
    def link(self) -> str:
        """What leads to the latest dump: upstream's latest.sql.gz where nothing else does."""
        packed_alone = LATEST not in self.entries and LATEST_PACKED in self.entries
        return LATEST_PACKED if packed_alone else LATEST

    @cached_property
    def latest(self) -> str | None:
        """What the link leads to, wherever that is; None without it, or if it is not a symlink."""
        entry = self.entries.get(self.link)
        if entry is None or not stat.S_ISLNK(int(entry.mode, 8)):
            return None
        try:
            return self.text(self.link).removeprefix("./")
        except ObjectMissing:
            return "an object that is lost"

    def wrong_latest(self) -> str | None:
        """What is wrong with latest.sql, where there are dumps."""
        if not self.dumps or self.latest == self.newest:
            return None
        if self.link not in self.entries:
            return f"{self.link} is missing"
        if self.latest is None:
            return f"{self.link} is not a symlink"
        if self.latest not in self.dumps:
            return f"{self.link} leads to `{self.latest}`, which is not there"
        return f"{self.link} leads to {self.latest}, and {self.newest} is newer"

    def stored(self, dump: str) -> StoredDump:
        """The objects of a dump that is there."""
        parts = self.sha(parts_folder(dump))
        return StoredDump(self.entries[dump].sha, parts, dump if parts else "")

    @cached_property
    def delta_base(self) -> StoredDump | None:
        """The objects of the copy under the stable name; None where there is none."""
        if DELTA_BASE not in self.entries:
            return None
        below = read_tree(self.reader, self.entries[DELTA_BASE].sha)
        entry, parts = (
            below.get(path.removeprefix(f"{DELTA_BASE}/"))
            for path in (DELTA_BASE_FILE, DELTA_BASE_PARTS)
        )
        return StoredDump(entry.sha, parts.sha if parts else None) if entry else None


class Folders:
    """Gives the folder at a commit; commits that did not change it share one."""

    def __init__(self, repo: DataRepo, reader: ObjectReader) -> None:
        self._dump_dir = repo.dump_dir
        self._reader = reader
        self._nothing = Folder(reader)
        self._tree = lru_cache(_KEPT)(self._read)

    def at(self, commit: str) -> Folder:
        tree = self._reader.name_of(f"{commit}:{self._dump_dir}")
        return self._tree(tree) if tree else self._nothing

    def _read(self, tree: str) -> Folder:
        return Folder(self._reader, read_tree(self._reader, tree))
