"""The dumps that the data repository's branch holds, and all that it ever held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ppr_assets.data_repo.clone import open_data_repo
from ppr_assets.data_repo.dump_history import PastDump, dump_history
from ppr_assets.data_repo.tree import latest_name, list_files, read_file, tip
from ppr_assets.rules.manifest import Manifest
from ppr_assets.rules.naming import is_dump_name, manifest_name, parts_folder
from ppr_assets.settings import DataRepoSettings


@dataclass(frozen=True)
class ListedDump:
    """A dump at the branch's tip; one of upstream's own scripts has no manifest. ``in_parts``:
    too large for one file, it stands in several."""

    name: str
    latest: bool
    manifest: Manifest | None
    in_parts: bool = False

    def to_json(self) -> dict[str, Any]:
        manifest = self.manifest
        return {
            "dump": self.name,
            "latest": self.latest,
            "bytes": manifest.bytes if manifest else None,
            "in_parts": self.in_parts,
            "sha256": manifest.sha256 if manifest else None,
            "rows": dict(manifest.rows) if manifest else None,
            "snapshot_at": manifest.snapshot_at.isoformat() if manifest else None,
            "run_id": manifest.run_id if manifest else None,
            "override": manifest.override.reason if manifest and manifest.override else None,
            "proof": str(manifest.proof) if manifest and manifest.proof else None,
        }


def list_published(settings: DataRepoSettings) -> list[ListedDump]:
    """Newest first, by name. Raises :class:`DumpDamaged` for a manifest that cannot be read."""
    repo = open_data_repo(settings)
    commit = tip(repo)
    if commit is None:
        return []
    latest = latest_name(repo, commit)
    dumps = []
    files = set(list_files(repo, commit, f"{repo.dump_dir}/"))
    for name in sorted(filter(is_dump_name, files), reverse=True):
        file = read_file(repo, commit, f"{repo.dump_dir}/{manifest_name(name)}")
        manifest = Manifest.from_json(file.data.decode("utf-8", "replace")) if file else None
        dumps.append(ListedDump(name, name == latest, manifest, parts_folder(name) in files))
    return dumps


@dataclass(frozen=True)
class History:
    """All dumps of the history, newest first by name. ``complete``: False for a shallow clone,
    which lacks the older ones."""

    dumps: Sequence[PastDump]
    complete: bool


def list_history(settings: DataRepoSettings) -> History:
    """Every dump that the branch ever had, those that retired included."""
    repo = open_data_repo(settings)
    commit = tip(repo)
    found = dump_history(repo, commit) if commit else {}
    shallow = repo.word("rev-parse", "--is-shallow-repository") == "true"
    return History([found[name] for name in sorted(found, reverse=True)], not shallow)
