"""The dump that stands: what ``latest.sql`` points to at a commit, with its manifest."""

from __future__ import annotations

from ppr_assets.data_repo.clone import DataRepo
from ppr_assets.data_repo.tree import latest_name, read_file
from ppr_assets.rules.manifest import Manifest
from ppr_assets.rules.naming import manifest_name


def latest_manifest(repo: DataRepo, commit: str | None) -> Manifest | None:
    """The manifest of the latest dump at ``commit``.

    None where nothing was published yet, or where the latest dump has no manifest (upstream's
    own scripts wrote none). Raises :class:`DumpDamaged` for a manifest that cannot be read.
    """
    name = latest_name(repo, commit) if commit else None
    if commit is None or name is None:
        return None
    file = read_file(repo, commit, f"{repo.dump_dir}/{manifest_name(name)}")
    return Manifest.from_json(file.data.decode("utf-8", "replace")) if file else None
