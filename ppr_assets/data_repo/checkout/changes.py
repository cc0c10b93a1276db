"""What a move of the branch changes: the paths that differ between two commits."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.git.tree import TreeEntry, read_entries

Side = tuple[str, str] | None
"""Mode and object of a path; None where there is nothing."""


class Change(Struct, frozen=True):
    """From commit ``old`` (None: from nothing) to ``new``; both sides of each path that differs."""

    old: str | None
    new: str
    paths: Mapping[bytes, tuple[Side, Side]]

    @classmethod
    def between(cls, repo: DataRepo, old: str | None, new: str) -> Change:
        return cls(old, new, _differences(repo, old, new))

    def wanted_at(self, repo: DataRepo, target: str | None) -> dict[bytes, Side]:
        """What stands at each path in the commit ``target``.

        Paths that are neither the old nor the new there are left out: they are no longer ours.
        """
        wanted = {path: new for path, (_, new) in self.paths.items()}
        if target != self.new:
            for path, (side, _) in _differences(repo, target, self.new).items():
                if path in wanted:
                    wanted[path] = side
        return {path: side for path, side in wanted.items() if side in self.paths[path]}


def _differences(repo: DataRepo, old: str | None, new: str) -> dict[bytes, tuple[Side, Side]]:
    """Both sides of each path, files and links and not the folders that they are in."""
    found: dict[bytes, tuple[Side, Side]] = {}
    todo: list[tuple[bytes, str | None, str | None]] = [(b"", old, new)]
    while todo:
        above, *trees = todo.pop()
        before, after = (read_entries(repo, tree) if tree else {} for tree in trees)
        for name in before.keys() | after.keys():
            ours = before.get(name), after.get(name)
            if ours[0] == ours[1]:
                continue
            sides = tuple(None if _is_folder(one) else one for one in ours)
            if sides != (None, None):
                found[above + name] = (_side(sides[0]), _side(sides[1]))
            folders = [one.sha if one and _is_folder(one) else None for one in ours]
            if any(folders):
                todo.append((above + name + b"/", folders[0], folders[1]))
    return found


def _is_folder(entry: TreeEntry | None) -> bool:
    return entry is not None and entry.kind == "tree"


def _side(entry: TreeEntry | None) -> Side:
    return (entry.mode, entry.sha) if entry else None
