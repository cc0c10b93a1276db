"""The manifests of the dumps at a commit, and of the one that stands: ``latest.sql``."""

from __future__ import annotations

from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.git.tree import latest_name, read_file
from ppr_assets.rules.manifest import Manifest
from ppr_assets.rules.naming import manifest_name


def latest_manifest(repo: DataRepo, commit: str | None) -> Manifest | None:
    """The manifest of the latest dump at ``commit``.

    None where nothing was published yet, or where the latest dump has no manifest (upstream's
    own scripts wrote none). Raises :class:`DumpDamaged` for a manifest that cannot be read.
    """
    name = latest_name(repo, commit) if commit else None
    return manifest_of(repo, commit, name) if commit and name else None


def manifest_of(repo: DataRepo, commit: str, dump: str) -> Manifest | None:
    """The manifest of a dump at ``commit``; None where it has none, as a copy in gzip beside the
    dump that was described. Raises :class:`DumpDamaged` for a manifest that cannot be read."""
    file = read_file(repo, commit, f"{repo.dump_dir}/{manifest_name(dump)}")
    if file is None:
        return None
    manifest = Manifest.from_json(file.data.decode("utf-8", "replace"))
    return None if dump == f"{manifest.dump}.gz" else manifest
