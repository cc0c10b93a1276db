"""What stands in the data repository now: is latest the dump we mean, and do others have it?

Asked after publishing, of the repository itself and not of what publishing believes it did.
"""

from __future__ import annotations

from dataclasses import dataclass

from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.git.tree import tip
from ppr_assets.data_repo.history.dump_folder import dump_folder
from ppr_assets.data_repo.remote.remote import remote_has
from ppr_assets.errors import DataRepoError
from ppr_assets.operations.published.committed import committed_sha256
from ppr_assets.rules.manifest import Manifest


@dataclass(frozen=True)
class Standing:
    """``latest``: the dump that latest.sql names at the branch's tip, ``sha256`` that of its bytes.

    ``on_remote`` is None where pushing is disabled or there is no remote; ``unknown`` then holds
    the reason, as it does when the remote did not answer.
    """

    commit: str | None
    latest: str | None
    sha256: str | None
    on_remote: bool | None
    unknown: str = ""

    def is_latest(self, manifest: Manifest) -> bool:
        return self.latest == manifest.dump and self.sha256 == manifest.sha256


def standing(repo: DataRepo, commit: str) -> Standing:
    """Look at the branch's tip, and ask the remote for ``commit``."""
    now = tip(repo)
    folder = dump_folder(repo, now)
    latest = folder.latest
    digest = committed_sha256(folder, latest) if latest else None
    if repo.remote is None:
        return Standing(now, latest, digest, None, "the clone has no remote")
    if not repo.settings.push_enabled:
        return Standing(now, latest, digest, None, "PUBLISHER_PUSH_ENABLED is false")
    try:
        return Standing(now, latest, digest, remote_has(repo, commit))
    except DataRepoError as error:
        return Standing(now, latest, digest, None, error.message)
