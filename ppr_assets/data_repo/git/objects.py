"""Make blobs, trees and commits beside the work tree; nobody sees them until a branch does.

Only the trees along the changed paths are written, so that a commit costs the same in a
repository of a hundred thousand files, and in a partial clone that lacks most of them. What is
small goes to git in one pack, which it unpacks: one process, however many files and folders.
"""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import ClassVar

from msgspec import Struct

from ppr_assets.data_repo.git.errors import GitCommandFailed
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.git.tree import TREE, TreeEntry, read_entries
from ppr_assets.errors import DataRepoError

# What a branch will point to has to be on the disk before it does.
DURABLE = ("-c", "core.fsync=committed,reference")

# A file as large as a dump is compressed when it is packed, as a difference; doing it before costs
# a second for each 80 MB, and so does undoing it for the push and for reading back.
_LARGE_BYTES = 1024 * 1024
_UNCOMPRESSED = ("-c", "core.looseCompression=0")


class Blob(Struct, frozen=True):
    """What is to stand in a tree: :data:`FILE`, :data:`SYMLINK` or a whole :data:`TREE`."""

    mode: str
    sha: str


class NewFile(Struct, frozen=True):
    """A small file or symlink that the repository does not have yet, with its bytes."""

    mode: str
    data: bytes


class Identity(Struct, frozen=True):
    """Who makes a commit, and when, with a timezone; ``signs``: where git's configuration says so
    (``commit.gpgsign``), which is not needed for what nobody will ever see."""

    name: str
    email: str
    at: datetime
    signs: bool = True


def write_blob(repo: DataRepo, content: bytes | Path) -> str:
    """Store a file's bytes as they are, without git's filters; a symlink's bytes are its target."""
    if isinstance(content, bytes):
        small = _NewObjects(repo)
        sha = small.add("blob", content)
        small.write()
        return sha
    # From standard input, without a path, nothing is filtered.
    how = _UNCOMPRESSED if content.stat().st_size > _LARGE_BYTES else ()
    with content.open("rb") as file:
        command = (*how, *DURABLE, "hash-object", "-w", "--stdin")
        return repo.git(*command, stdin=file).decode().strip()


def write_commit(
    repo: DataRepo,
    tree: str,
    *,
    parents: Sequence[str],
    message: str,
    author: Identity,
) -> str:
    """A commit of ``tree``, which may also be a commit to take it from. Author and committer are
    the same. Raises :class:`DataRepoError` when git cannot sign it."""
    moment = f"@{int(author.at.timestamp())} {author.at:%z}"
    env = {
        f"GIT_{role}_{fact}": value
        for role in ("AUTHOR", "COMMITTER")
        for fact, value in (("NAME", author.name), ("EMAIL", author.email), ("DATE", moment))
    }
    named = [word for parent in parents for word in ("-p", parent)]
    signed = ("-S",) if author.signs and _signing(repo) else ()
    options = (*DURABLE, "-c", "i18n.commitEncoding=UTF-8")
    arguments = ("commit-tree", f"{tree}^{{tree}}", *named, *signed, "-F", "-")
    try:
        return repo.git(*options, *arguments, stdin=message.encode(), env=env).decode().strip()
    except GitCommandFailed as error:
        if not signed:
            raise
        raise DataRepoError(
            f"git could not sign the commit: {error.message}",
            hint="look at gpg.format and user.signingkey in git's configuration (a key with a "
            "passphrase needs an agent), or set commit.gpgsign to false in the clone. The branch "
            "did not move.",
        ) from error


def write_changed_tree(
    repo: DataRepo, base: str | None, changes: Mapping[str, Blob | NewFile | None]
) -> str:
    """The tree ``base`` (or that of a commit) with ``changes`` made.

    ``changes`` maps a path from the root to what stands there from now on, None removes it. Raises
    :class:`DataRepoError` when a file is in the way of a folder.
    """
    new = _NewObjects(repo)
    tree = _changed_tree(new, base, _nested(changes), above="") or new.tree({})
    new.write()
    return tree


def _signing(repo: DataRepo) -> bool:
    """Whether commits are to be signed; ``commit-tree`` itself does not ask."""
    return repo.word("config", "--type=bool", "--get", "commit.gpgsign", ok=(0, 1)) == "true"


_Nested = dict[str, "Blob | NewFile | _Nested | None"]


def _nested(changes: Mapping[str, Blob | NewFile | None]) -> _Nested:
    """The same by folder."""
    nested: _Nested = {}
    for path, change in changes.items():
        *folders, name = path.split("/")
        level = nested
        for folder in folders:
            below = level.setdefault(folder, {})
            if not isinstance(below, dict):
                raise TypeError(f"`{path}` is to stand below a file")
            level = below
        level[name] = change
    return nested


class _NewObjects:
    """Small objects on their way into the repository; nobody can read them before ``write``."""

    _KINDS: ClassVar = {"tree": 2, "blob": 3}

    def __init__(self, repo: DataRepo) -> None:
        self.repo = repo
        self._packed: dict[str, bytes] = {}

    def add(self, kind: str, data: bytes) -> str:
        """Its name."""
        name = _digest(self.repo, f"{kind} {len(data)}\0".encode() + data).hex()
        self._packed[name] = entry_head(self._KINDS[kind], len(data)) + zlib.compress(data)
        return name

    def tree(self, entries: Mapping[bytes, TreeEntry]) -> str:
        """git sorts a folder as if its name ended in a slash."""
        order = sorted(entries, key=lambda name: name + b"/" * (entries[name].kind == "tree"))
        lines = (
            entries[name].mode.lstrip("0").encode()
            + b" %b\0" % name
            + bytes.fromhex(entries[name].sha)
            for name in order
        )
        return self.add("tree", b"".join(lines))

    def write(self) -> None:
        """A partial clone lacks most of what a tree names, which is no reason to fetch it."""
        if self._packed:
            pack = pack_head(len(self._packed)) + b"".join(self._packed.values())
            checked = pack + _digest(self.repo, pack)
            self.repo.git(*DURABLE, "unpack-objects", "-q", stdin=checked)
            self._packed = {}


def pack_head(objects: int) -> bytes:
    """How ``gitformat-pack(5)`` begins a pack of so many."""
    return b"PACK" + (2).to_bytes(4, "big") + objects.to_bytes(4, "big")


def entry_head(kind: int, size: int) -> bytes:
    """How it begins one of them, of so many bytes before they are compressed."""
    first, rest = kind << 4 | size & 15, size >> 4
    return bytes([first | 128]) + number(rest) if rest else bytes([first])


def number(value: int) -> bytes:
    """Seven bits in each byte, the lowest first."""
    out = bytearray()
    while value > 127:
        out.append(128 | value & 127)
        value >>= 7
    return bytes([*out, value])


def _digest(repo: DataRepo, data: bytes) -> bytes:
    return hashlib.new(repo.object_format, data, usedforsecurity=False).digest()


def blob_name(repo: DataRepo, file: bytes | Path) -> str:
    """What git calls the very bytes of ``file``, without making a blob of them, in a fifth of the
    time that git takes, which looks for SHA-1 collisions. Raises :class:`DataRepoError`."""
    if isinstance(file, bytes):
        return _digest(repo, b"blob %d\0" % len(file) + file).hex()
    try:
        with file.open("rb") as opened:
            head = b"blob %d\0" % os.fstat(opened.fileno()).st_size
            name = hashlib.new(repo.object_format, head, usedforsecurity=False)
            return hashlib.file_digest(opened, lambda: name).hexdigest()
    except OSError as error:
        raise DataRepoError(
            f"`{file}` cannot be read: {error.strerror or error}",
            hint="let the user that runs this read the clone's files.",
        ) from error


def _changed_tree(
    new: _NewObjects, tree: str | None, changes: _Nested, *, above: str
) -> str | None:
    """The tree with the changes made; None when nothing is left in it."""
    entries = read_entries(new.repo, tree) if tree else {}
    for name, change in changes.items():
        key = name.encode()
        entry = _entry(new, entries.get(key), change, f"{above}{name}")
        if entry is None:
            entries.pop(key, None)
        else:
            entries[key] = entry
    return new.tree(entries) if entries else None


def _entry(
    new: _NewObjects, present: TreeEntry | None, change: Blob | NewFile | _Nested | None, path: str
) -> TreeEntry | None:
    """What stands at ``path`` after the change."""
    if isinstance(change, dict):
        if present is not None and present.kind != "tree":
            raise DataRepoError(
                f"`{path}` is a file in the data repository, it must be a folder",
                hint="set SQL_DUMP_DIR to another folder, or remove that file.",
            )
        below = _changed_tree(new, present.sha if present else None, change, above=f"{path}/")
        return TreeEntry(TREE, "tree", below) if below else None
    if isinstance(change, NewFile):
        return TreeEntry(change.mode, "blob", new.add("blob", change.data))
    if change is None:
        return None
    return TreeEntry(change.mode, "tree" if change.mode == TREE else "blob", change.sha)


def write_tree(repo: DataRepo, entries: Mapping[bytes, TreeEntry]) -> str:
    """A tree of these entries by name."""
    new = _NewObjects(repo)
    tree = new.tree(entries)
    new.write()
    return tree
