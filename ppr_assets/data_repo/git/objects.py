"""Make blobs, trees and commits beside the work tree; nobody sees them until a branch does.

Only the trees along the changed paths are written, so that a commit costs the same in a
repository of a hundred thousand files, and in a partial clone that lacks most of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ppr_assets.data_repo.git.errors import GitCommandFailed
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.git.tree import read_entries
from ppr_assets.data_repo.git.tree_objects import Entry
from ppr_assets.errors import DataRepoError

FILE = "100644"
SYMLINK = "120000"
TREE = "040000"

# What a branch will point to has to be on the disk before it does.
DURABLE = ("-c", "core.fsync=committed,reference")

# A file as large as a dump is compressed when it is packed, as a difference; doing it before costs
# a second for each 80 MB, and so does undoing it for the push and for reading back.
_LARGE_BYTES = 1024 * 1024
_UNCOMPRESSED = ("-c", "core.looseCompression=0")


@dataclass(frozen=True)
class Blob:
    """What is to stand in a tree: :data:`FILE`, :data:`SYMLINK` or a whole :data:`TREE`."""

    mode: str
    sha: str


@dataclass(frozen=True)
class Identity:
    """Who made a commit."""

    name: str
    email: str


def write_blob(repo: DataRepo, content: bytes | Path) -> str:
    """Store a file's bytes as they are, without git's filters; a symlink's bytes are its target."""
    # From standard input, without a path, nothing is filtered.
    command = (*DURABLE, "hash-object", "-w", "--stdin")
    if isinstance(content, bytes):
        return repo.word(*command, stdin=content)
    how = _UNCOMPRESSED if content.stat().st_size > _LARGE_BYTES else ()
    with content.open("rb") as file:
        return repo.git(*how, *command, stdin=file).decode().strip()


def write_commit(
    repo: DataRepo,
    *,
    parents: Sequence[str],
    base_tree: str | None,
    changes: Mapping[str, Blob | None],
    message: str,
    author: Identity,
    date: datetime,
    sign: bool = True,
) -> str:
    """A commit of ``base_tree`` (a tree, or a commit to take it from) with ``changes`` made.

    ``changes`` maps a path from the root to what stands there from now on, None removes it.
    Author and committer are the same. It is signed where git's configuration says so
    (``commit.gpgsign``), unless ``sign`` is false: for what nobody will ever see. Raises
    :class:`DataRepoError` when a file is in the way of a folder, or git cannot sign. ``date``
    must have a timezone.
    """
    nested: _Nested = {}
    for path, blob in changes.items():
        *folders, name = path.split("/")
        level = nested
        for folder in folders:
            below = level.setdefault(folder, {})
            if not isinstance(below, dict):
                raise DataRepoError(f"`{path}` is to stand below a file")
            level = below
        level[name] = blob
    tree = _changed_tree(repo, base_tree, nested, above="")
    moment = f"@{int(date.timestamp())} {date:%z}"
    env = {
        f"GIT_{role}_{fact}": value
        for role in ("AUTHOR", "COMMITTER")
        for fact, value in (("NAME", author.name), ("EMAIL", author.email), ("DATE", moment))
    }
    named = [word for parent in parents for word in ("-p", parent)]
    signed = ("-S",) if sign and _signing(repo) else ()
    options = (*DURABLE, "-c", "i18n.commitEncoding=UTF-8")
    arguments = ("commit-tree", tree or write_tree(repo, {}), *named, *signed, "-F", "-")
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


def _signing(repo: DataRepo) -> bool:
    """Whether commits are to be signed; ``commit-tree`` itself does not ask."""
    return repo.word("config", "--type=bool", "--get", "commit.gpgsign", ok=(0, 1)) == "true"


_Nested = dict[str, "Blob | _Nested | None"]


def _changed_tree(repo: DataRepo, tree: str | None, changes: _Nested, *, above: str) -> str | None:
    """The tree with the changes made; None when nothing is left in it."""
    entries = read_entries(repo, tree) if tree else {}
    for name, change in changes.items():
        key = name.encode()
        present = entries.get(key)
        if isinstance(change, dict):
            path = f"{above}{name}/"
            if present is not None and present.kind != "tree":
                raise DataRepoError(
                    f"`{path.rstrip('/')}` is a file in the data repository, it must be a folder",
                    hint="set SQL_DUMP_DIR to another folder, or remove that file.",
                )
            below = _changed_tree(repo, present.sha if present else None, change, above=path)
            new = Entry(TREE, "tree", below) if below else None
        else:
            kind = "tree" if change and change.mode == TREE else "blob"
            new = Entry(change.mode, kind, change.sha) if change else None
        if new is None:
            entries.pop(key, None)
        else:
            entries[key] = new
    return write_tree(repo, entries) if entries else None


def write_tree(repo: DataRepo, entries: Mapping[bytes, Entry]) -> str:
    """A tree of these entries by name."""
    lines = [
        f"{entry.mode} {entry.kind} {entry.sha}\t".encode() + name + b"\0"
        for name, entry in entries.items()
    ]
    # A partial clone lacks most of what the tree names, which is no reason to fetch it.
    return repo.word(*DURABLE, "mktree", "-z", "--missing", stdin=b"".join(lines))
