"""Read the branch at a commit, without a checkout and without looking at the work tree."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from msgspec import Struct

from ppr_assets.data_repo.git.object_reader import (
    NOT_OURS,
    SMALL_BYTES,
    ObjectMissing,
    ObjectReader,
)
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.errors import DataRepoError

FILE = "100644"
SYMLINK = "120000"
TREE = "040000"
"""Modes of what stands in a tree, in octal as git writes them."""


class TreeEntry(Struct, frozen=True):
    """One line of a tree; ``kind`` is the type of the object ``sha``."""

    mode: str
    kind: str
    sha: str


class TreeFile(Struct, frozen=True):
    """A small file at a commit; a symlink's ``data`` is its target."""

    mode: str
    sha: str
    data: bytes


def tip(repo: DataRepo) -> str | None:
    """The commit of the branch in the clone; None while it has none."""
    return commit_at(repo, repo.ref)


def commit_at(repo: DataRepo, ref: str) -> str | None:
    """The commit that ``ref`` (``refs/…``) names at this moment; None where there is no such ref.

    The open reader looks refs up each time. Of one whose commit is lost it knows nothing.
    """
    found = repo.objects.name_of(ref)
    return found or repo.word("rev-parse", "--verify", "--quiet", ref, ok=(0, 1)) or None


def commit_named(repo: DataRepo, name: str) -> str:
    """The hash of the commit that ``name`` (a branch, a tag, a hash cut short) stands for.

    Raises :class:`DataRepoError` if there is none.
    """
    peeled = f"{name}^{{commit}}"
    options = ("--verify", "--quiet", "--end-of-options")
    found = repo.word("rev-parse", *options, peeled, ok=(0, 1, 128))
    if not found:
        raise DataRepoError(
            f"there is no commit `{name}` in `{repo.path}`",
            hint="`git fetch` brings newer ones; a shallow clone lacks the older ones.",
        )
    return found


def entry_at(repo: DataRepo, commit: str, path: str) -> TreeEntry | None:
    """What stands at ``path`` (relative to the root) in ``commit``."""
    found = read_entries(repo, commit, path)
    return found.get(path.encode())


def read_entries(repo: DataRepo, tree: str, *paths: str) -> dict[bytes, TreeEntry]:
    """What stands at ``paths`` below a tree or a commit's; of ``folder/``, with its slash, all that
    stands in it; without any, all of the tree itself. By its path."""
    found: dict[bytes, TreeEntry] = {}
    for path in paths or ("",):
        folder, slash, name = path.rpartition("/")
        with why_missing(repo):
            inside = read_folder(repo.objects, root_of(repo.objects, tree), folder)
        kept = {name: inside[name]} if name in inside else {} if name else inside
        found |= {
            f"{folder}{slash}{one}".encode("utf-8", "surrogateescape"): entry
            for one, entry in kept.items()
        }
    return found


def read_file(repo: DataRepo, commit: str, path: str) -> TreeFile | None:
    """The file or symlink at ``path`` in ``commit``; a folder there has no data.

    Raises :class:`DataRepoError` for a file larger than :data:`SMALL_BYTES`.
    """
    entry = entry_at(repo, commit, path)
    if entry is None:
        return None
    if entry.kind != "blob":
        return TreeFile(entry.mode, entry.sha, b"")
    with why_missing(repo):
        size = repo.objects.size_of(entry.sha)
        if size > SMALL_BYTES:
            raise DataRepoError(
                f"`{path}` has {size} bytes in {commit[:10]}, at most {SMALL_BYTES} are read",
                hint=NOT_OURS,
            )
        return TreeFile(entry.mode, entry.sha, repo.objects.read(entry.sha).data)


def sha256_at(repo: DataRepo, commit: str, path: str) -> str | None:
    """SHA-256 of the file at ``path`` in ``commit``, streamed; None if there is no such file."""
    entry = entry_at(repo, commit, path)
    if entry is None or entry.kind != "blob":
        return None
    digest = hashlib.sha256()
    with why_missing(repo):
        for piece in repo.objects.stream(entry.sha):
            digest.update(piece)
    return digest.hexdigest()


def read_tree(reader: ObjectReader, tree: str) -> dict[str, TreeEntry]:
    """What stands in it, by name; nothing where the object is no tree.

    Its lines are mode, name, a zero byte, and the binary hash.
    """
    found = reader.read(tree)
    if found.kind != "tree":
        return {}
    size = len(found.sha) // 2
    entries: dict[str, TreeEntry] = {}
    data, at = found.data, 0
    while at < len(data):
        end = data.index(b"\0", at)
        mode, _, name = data[at:end].partition(b" ")
        sha = data[end + 1 : end + 1 + size].hex()
        kind = "tree" if mode == b"40000" else "commit" if mode == b"160000" else "blob"
        entries[name.decode("utf-8", "surrogateescape")] = TreeEntry(
            mode.decode().zfill(6), kind, sha
        )
        at = end + 1 + size
    return entries


def root_of(reader: ObjectReader, name: str) -> str:
    """The tree of the commit ``name`` by its hash, or ``name`` itself where it is one's."""
    found = reader.read(name)
    if found.kind != "commit":
        return found.sha
    return found.data.partition(b"\n")[0].removeprefix(b"tree ").decode()


def read_folder(reader: ObjectReader, root: str, folder: str) -> dict[str, TreeEntry]:
    """What stands in ``folder`` (``a/b``; empty for the root itself) below the tree ``root``;
    nothing where there is no such folder."""
    tree = root
    for name in filter(None, folder.split("/")):
        entry = read_tree(reader, tree).get(name)
        if entry is None or entry.kind != "tree":
            return {}
        tree = entry.sha
    return read_tree(reader, tree)


@contextmanager
def why_missing(repo: DataRepo) -> Iterator[None]:
    """Where an object is missing, raise what a git that is asked for it alone says: it tells lost
    ones from damaged ones."""
    try:
        yield
    except ObjectMissing as missing:
        repo.git("cat-file", "-s", missing.name)
        raise
