"""What a move of the branch changes: the paths that differ between two commits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ppr_assets.data_repo.git.repository import DataRepo

Side = tuple[str, str] | None
"""Mode and object of a path on one side; None where there is nothing."""


@dataclass(frozen=True)
class Change:
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
    before = old or repo.word("hash-object", "-t", "tree", "--stdin", stdin=b"")
    options = ("-r", "-z", "--no-renames", "--no-abbrev", "--ignore-submodules=none")
    words = repo.git("diff-tree", *options, before, new).split(b"\0")
    found = {}
    for facts, path in zip(words[:-1:2], words[1::2], strict=True):
        mode, new_mode, sha, new_sha, _ = facts.decode().lstrip(":").split()
        found[path] = (_side(mode, sha), _side(new_mode, new_sha))
    return found


def _side(mode: str, sha: str) -> Side:
    return None if mode == "000000" else (mode, sha)
