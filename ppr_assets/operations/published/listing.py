"""The dumps that the data repository's branch holds, and all that it ever held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ppr_assets.data_repo.clone.clone import open_data_repo
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.git.tree import linked_dump, list_files
from ppr_assets.data_repo.history.dump_history import PastDump, dump_history
from ppr_assets.errors import DataRepoError
from ppr_assets.operations.published.latest import manifest_of
from ppr_assets.operations.published.view import OnView, look, unseen
from ppr_assets.rules.manifest import Manifest
from ppr_assets.rules.naming import LATEST, LATEST_PACKED, is_dump_name, manifest_name, parts_folder
from ppr_assets.rules.trust import Trust
from ppr_assets.settings import DataRepoSettings


@dataclass(frozen=True)
class ListedDump:
    """A dump at the branch's tip; one of upstream's own scripts has no manifest. ``in_parts``:
    too large for one file, it stands in several. ``packed_latest``: latest.sql.gz leads to it."""

    name: str
    latest: bool
    manifest: Manifest | None
    in_parts: bool = False
    packed_latest: bool = False

    def to_json(self) -> dict[str, Any]:
        manifest = self.manifest
        return {
            "dump": self.name,
            "latest": self.latest,
            "packed_latest": self.packed_latest,
            "bytes": manifest.bytes if manifest else None,
            "in_parts": self.in_parts,
            "sha256": manifest.sha256 if manifest else None,
            "rows": dict(manifest.rows) if manifest else None,
            "snapshot_at": manifest.snapshot_at.isoformat() if manifest else None,
            "run_id": manifest.run_id if manifest else None,
            **Trust.of(manifest).to_json(),
        }


def list_published(
    settings: DataRepoSettings, *, offline: bool = False, on_view: OnView = unseen
) -> list[ListedDump]:
    """Newest first, by name. Raises :class:`DumpDamaged` for a manifest that cannot be read."""
    with open_data_repo(settings) as repo:
        view = look(repo, offline=offline)
        on_view(view)
        commit = view.commit
        if commit is None:
            return []
        latest, packed = (_link(repo, commit, name) for name in (LATEST, LATEST_PACKED))
        files = set(list_files(repo, commit, f"{repo.dump_dir}/"))
        return [
            ListedDump(
                name,
                latest=name == (latest or packed),
                manifest=manifest_of(repo, commit, name) if manifest_name(name) in files else None,
                in_parts=parts_folder(name) in files,
                packed_latest=name == packed,
            )
            for name in sorted(filter(is_dump_name, files), reverse=True)
        ]


def _link(repo: DataRepo, commit: str, name: str) -> str | None:
    """Where a link leads; None also where it leads nowhere: the rest is listed all the same."""
    try:
        return linked_dump(repo, commit, name)
    except DataRepoError:
        return None


@dataclass(frozen=True)
class History:
    """All dumps of the history, newest first by name. ``complete``: False for a shallow clone,
    which lacks the older ones."""

    dumps: Sequence[PastDump]
    complete: bool


def list_history(
    settings: DataRepoSettings, *, offline: bool = False, on_view: OnView = unseen
) -> History:
    """Every dump that the branch ever had, those that retired included."""
    with open_data_repo(settings) as repo:
        view = look(repo, offline=offline)
        on_view(view)
        found = dump_history(repo, view.commit) if view.commit else {}
        return History([found[name] for name in sorted(found, reverse=True)], not repo.shallow)
