"""After a publish: keep the clone small, and look how large it has become."""

from __future__ import annotations

from msgspec import Struct

from ppr_assets.data_repo.checkout.lock import data_repo_lock
from ppr_assets.data_repo.clone.upkeep import RepoSize, repo_size, tend
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.errors import Busy, DataRepoError


class CloneState(Struct, frozen=True):
    """``size`` of the clone's objects now; ``packed_seconds`` of the upkeep, 0 when none was due.
    ``remark`` says why an upkeep that was due did not happen: what was published stands."""

    size: RepoSize
    packed_seconds: float = 0.0
    remark: str = ""


def keep_small(repo: DataRepo) -> CloneState:
    """Pack the clone when its loose objects call for it. Raises :class:`DataRepoError` only where
    the clone cannot be looked at."""
    repo.objects.rest()  # what it keeps of a dump is memory that packing needs
    try:
        with data_repo_lock(repo):
            upkeep = tend(repo)
    except (Busy, DataRepoError) as error:
        return CloneState(repo_size(repo), remark=f"the clone was not packed: {error.message}")
    remark = f"the clone was not packed: {upkeep.why_not}" if upkeep.why_not else ""
    return CloneState(upkeep.after, upkeep.seconds, remark)
