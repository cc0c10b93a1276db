"""Trees as the objects that they are, by their own names, and as git's listings tell of them."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from ppr_assets.data_repo.git.object_reader import ObjectReader


class TreeEntry(Struct, frozen=True):
    """One line of a tree: ``mode`` in octal as git writes it (``100644``, ``120000`` a symlink)."""

    mode: str
    kind: str
    sha: str


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


def listed(listing: bytes) -> Iterator[tuple[bytes, TreeEntry]]:
    """Path and entry of each line of ``ls-tree -z``."""
    for line in filter(None, listing.split(b"\0")):
        facts, _, path = line.partition(b"\t")
        yield path, TreeEntry(*facts.decode().split())


def changed(line: str) -> tuple[str, str, str]:
    """Path, mode and blob that a line of ``log --raw --no-abbrev`` ends with; git quotes a path
    whose folder has an unusual name."""
    facts, _, path = line.partition("\t")
    _, mode, _, sha, _ = facts.split()
    return path.removesuffix('"'), mode, sha
