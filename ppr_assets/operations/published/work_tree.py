"""Whether the work tree has a dump as its commit has it: psql takes the file that lies there."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct

from ppr_assets.data_repo.git.objects import blob_name
from ppr_assets.data_repo.git.pathspec import literal
from ppr_assets.data_repo.git.repository import DataRepo, checked_out_branch
from ppr_assets.data_repo.git.tree import SYMLINK, TreeEntry, read_entries, read_file
from ppr_assets.errors import DumpDamaged
from ppr_assets.rules.naming import LATEST, manifest_name, parts_folder
from ppr_assets.rules.wording import few


class OtherFiles(Struct, frozen=True):
    """``paths``, from the root of the clone at ``root``, that are not what its HEAD has."""

    root: Path
    paths: tuple[str, ...]

    @property
    def message(self) -> str:
        named = few([f"`{path}`" for path in self.paths], 3)
        verb = "is" if len(self.paths) == 1 else "are"
        return f"in the work tree, {named} {verb} not what the commit has"

    @property
    def command(self) -> str:
        return shlex.join(["git", "-C", str(self.root), "checkout", "HEAD", "--", *self.paths])

    def error(self) -> DumpDamaged:
        return DumpDamaged(
            self.message,
            hint=f"psql would load what lies there; `{self.command}` brings back what was "
            "committed. A restore takes that in any case.",
        )


def other_files(repo: DataRepo, dump: str) -> OtherFiles | None:
    """What of ``dump`` (its file, parts, manifest, latest.sql) was changed or is missing in the
    work tree; None where nothing was, or where it shows another branch, or goes without files."""
    if repo.bare or checked_out_branch(repo) != repo.branch:
        return None
    names = (dump, parts_folder(dump), manifest_name(dump), LATEST)
    paths = [f"{repo.dump_dir}/{name}" for name in names]
    listing = repo.git("ls-files", "-z", "-t", "--", *(literal(path) for path in paths))
    shown = {line[2:] for line in listing.split(b"\0") if line[:2] == b"H "}
    committed = {
        path: entry
        for name in paths
        for path, entry in read_entries(repo, "HEAD", name, f"{name}/").items()
        if path in shown and entry.kind == "blob"
    }
    other = sorted(os.fsdecode(path) for path in _differing(repo, committed, dump))
    return OtherFiles(repo.path, tuple(other)) if other else None


def _differing(repo: DataRepo, committed: dict[bytes, TreeEntry], dump: str) -> Iterable[bytes]:
    """By their very bytes, which git's own look would convert first. A link that leads to another
    dump does not matter here."""
    for path, entry in committed.items():
        place = repo.path / os.fsdecode(path)
        if entry.mode == SYMLINK:
            link = read_file(repo, "HEAD", os.fsdecode(path))
            target = os.fsdecode(link.data) if link else ""
            here = str(place.readlink()) if place.is_symlink() else ""
            if target.removeprefix("./") == dump and here != target:
                yield path
        elif place.is_symlink() or not place.is_file() or blob_name(repo, place) != entry.sha:
            yield path
