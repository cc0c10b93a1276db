"""The dumps that the data repository's branch holds, and all that it ever held."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.history.dump_folder import DumpFolder, dump_folder
from ppr_assets.data_repo.history.dump_history import PastDump, dump_history
from ppr_assets.data_repo.remote.missing_objects import bring_beside_dumps
from ppr_assets.errors import DataRepoError, DumpDamaged
from ppr_assets.operations.published.view import OnView, looked_at, unseen
from ppr_assets.rules.naming import LATEST, LATEST_PACKED, parts_folder
from ppr_assets.rules.recorded.manifest import Manifest
from ppr_assets.rules.recorded.trust import Trust
from ppr_assets.settings import DataRepoSettings


class ListedDump(Struct, frozen=True):
    """A dump at the branch's tip; one of upstream's own scripts has no manifest. ``in_parts``:
    too large for one file, it stands in several. ``packed_latest``: latest.sql.gz leads to it.
    ``error``: why nothing is known of one elsewhere."""

    name: str
    latest: bool
    manifest: Manifest | None
    in_parts: bool = False
    packed_latest: bool = False
    error: DumpDamaged | None = None

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
            "withheld": [asdict(one) for one in manifest.lacking] if manifest else None,
            **Trust.of(manifest).to_json(),
            "error": self.error.message if self.error else None,
        }


def list_published(
    settings: DataRepoSettings, *, offline: bool = False, on_view: OnView = unseen
) -> list[ListedDump]:
    """Newest first, by name. Raises :class:`DumpDamaged` for a manifest that cannot be read."""
    with looked_at(settings, offline=offline, on_view=on_view) as (repo, commit):
        return listed_at(repo, commit)


def listed_at(repo: DataRepo, commit: str | None) -> list[ListedDump]:
    """The same at a commit of any repository; what is small there is fetched where it lacks."""
    if commit is not None:
        bring_beside_dumps(repo, commit)
    folder = dump_folder(repo, commit)
    latest, packed = (_linked(folder, name) for name in (LATEST, LATEST_PACKED))
    return [
        ListedDump(
            name,
            latest=name == (latest or packed),
            manifest=folder.manifest(name),
            in_parts=parts_folder(name) in folder.entries,
            packed_latest=name == packed,
        )
        for name in reversed(folder.dumps)
    ]


def _linked(folder: DumpFolder, link: str) -> str | None:
    """Where a link leads; None also where it leads nowhere, which is no reason to list nothing."""
    try:
        return folder.linked(link)
    except DataRepoError:
        return None


class History(Struct, frozen=True):
    """All dumps of the history, newest first by name. ``complete``: False for a shallow clone,
    which lacks the older ones."""

    dumps: Sequence[PastDump]
    complete: bool


def list_history(
    settings: DataRepoSettings, *, offline: bool = False, on_view: OnView = unseen
) -> History:
    """Every dump that the branch ever had, those that retired included."""
    with looked_at(settings, offline=offline, on_view=on_view) as (repo, commit):
        found = dump_history(repo, commit) if commit else {}
        return History([found[name] for name in sorted(found, reverse=True)], not repo.shallow)
