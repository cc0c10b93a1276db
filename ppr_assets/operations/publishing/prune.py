"""Apply the keep rules on purpose, say after they were changed; every night applies them itself.

What retires leaves the folder and stays in the history, where it can be listed and restored from.
"""

from __future__ import annotations

from msgspec import Struct

from ppr_assets.data_repo.checkout.advance import working_alone
from ppr_assets.data_repo.clone.clone import open_data_repo
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.git.tree import tip
from ppr_assets.data_repo.history.dump_folder import dump_folder
from ppr_assets.errors import DataRepoError
from ppr_assets.operations.published.view import look
from ppr_assets.operations.publishing.delivery import NOT_PUSHED, Delivery, Ground
from ppr_assets.operations.publishing.dump_commit import write_prune_commit
from ppr_assets.operations.publishing.landing import land
from ppr_assets.operations.publishing.retention import Retention, retention_at
from ppr_assets.settings import Settings


class PruneOutcome(Struct, frozen=True):
    """``commit`` is the one that retired dumps; None where nothing retires, or nothing was to be
    done yet. ``remarks`` say why a later look may find something else."""

    retention: Retention
    commit: str | None = None
    delivery: Delivery = NOT_PUSHED
    remarks: tuple[str, ...] = ()


def would_prune(settings: Settings) -> PruneOutcome:
    """What :func:`prune` would do, on the newest that is known, and changing nothing."""
    with open_data_repo(settings.data_repo) as repo:
        if not settings.data_repo.push_enabled:  # what others have is not merged then
            return PruneOutcome(retention_at(repo, tip(repo), settings.dump))
        view = look(repo)
        retention = retention_at(repo, view.commit, settings.dump)
        return PruneOutcome(retention, remarks=view.remarks)


def prune(settings: Settings) -> PruneOutcome:
    """Commit the folder without the dumps that no rule keeps, and push it where that is enabled.

    Raises :class:`DataRepoError` and its kin, and :class:`Busy`. A push that fails is part of the
    outcome: the commit is kept.
    """
    with open_data_repo(settings.data_repo) as repo:

        def build(ground: Ground) -> tuple[PruneOutcome, str | None]:
            retention = retention_at(repo, ground.base, settings.dump)
            if ground.base is None or not retention.paths:
                return PruneOutcome(retention), None
            _require_delivered(repo, ground.base, ground.remote)
            commit = write_prune_commit(repo, ground.base, retention)
            return PruneOutcome(retention, commit), commit

        with working_alone(repo):
            outcome, delivery = land(repo, build)
        return PruneOutcome(outcome.retention, outcome.commit, delivery)


def _require_delivered(repo: DataRepo, base: str, remote: str | None) -> None:
    """A push takes along what it stands on, and a dump has to pass the gate before it is pushed."""
    latest = dump_folder(repo, base).latest
    if remote is None or latest is None:
        return
    if latest not in dump_folder(repo, remote).entries:
        raise DataRepoError(
            f"{latest} is not on the remote yet, and pruning would push it as it is",
            hint="`ppr-assets dump` delivers it, and applies the keep rules as well.",
        )
