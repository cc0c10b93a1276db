"""Trees as the objects that they are, by their own names."""

from __future__ import annotations

from ppr_assets.data_repo.git.object_reader import ObjectReader
from ppr_assets.data_repo.git.tree import Entry


def read_tree(reader: ObjectReader, tree: str) -> dict[str, Entry]:
    """What stands in it, by name; nothing where the object is no tree.

    Its lines are mode, name, a zero byte, and the binary hash.
    """
    found = reader.read(tree)
    if found.kind != "tree":
        return {}
    size = len(found.sha) // 2
    entries: dict[str, Entry] = {}
    data, at = found.data, 0
    while at < len(data):
        end = data.index(b"\0", at)
        mode, _, name = data[at:end].partition(b" ")
        sha = data[end + 1 : end + 1 + size].hex()
        kind = "tree" if mode == b"40000" else "commit" if mode == b"160000" else "blob"
        entries[name.decode("utf-8", "surrogateescape")] = Entry(mode.decode().zfill(6), kind, sha)
        at = end + 1 + size
    return entries
