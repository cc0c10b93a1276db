"""Which published dump a file is, by its bytes: for one that somebody has downloaded or renamed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from ppr_assets.data_repo.clone.clone import open_data_repo
from ppr_assets.data_repo.clone.clone_folder import wants_clone
from ppr_assets.data_repo.history.dump_history import newest_manifests
from ppr_assets.data_repo.history.manifests import manifests_here
from ppr_assets.errors import DataRepoError
from ppr_assets.operations.published.view import look
from ppr_assets.rules.recorded.manifest import Manifest
from ppr_assets.settings import DataRepoSettings

_COMMITS = 10_000
"""Some thirty years of nights."""


@dataclass(frozen=True)
class PublishedBytes:
    """What the clone knows of all that was published, retired dumps too; the remote is not asked,
    and nothing is cloned for it."""

    settings: DataRepoSettings

    def manifest(self, sha256: str) -> Manifest | None:
        """Of the dump that has these bytes."""
        return self._found[0].get(sha256)

    @property
    def without(self) -> str:
        """Why there is no manifest for bytes that none was found for; empty without a clone."""
        return self._found[1]

    @cached_property
    def _found(self) -> tuple[Mapping[str, Manifest], str]:
        if wants_clone(self.settings.path):
            return {}, ""
        try:
            with open_data_repo(self.settings) as repo:
                commit = look(repo, offline=True).commit
                blobs = newest_manifests(repo, commit, _COMMITS) if commit else {}
                told = manifests_here(repo, blobs).values()
        except DataRepoError as error:  # what is verified lies elsewhere, and needs no clone
            return {}, f"the data repository cannot tell whose it is: {error.message}"
        by_hash = {one.sha256: one for one in told if isinstance(one, Manifest)}
        return by_hash, "no published dump has its bytes"
