"""The publication policy as the data repository has it at a commit, and what it means there."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.history.dump_folder import dump_folder
from ppr_assets.rules.publication_policy import Policy, parse_policy, shipped_policy, unreadable
from ppr_assets.rules.withholding import Plan, Relation, plan
from ppr_assets.settings import DumpSettings


def plan_at(
    repo: DataRepo, commit: str | None, settings: DumpSettings, relations: Collection[Relation]
) -> Plan:
    """What the policy at ``commit`` means for a database's ``relations``. Raises what
    :func:`policy_at` raises."""
    return plan(policy_at(repo, commit, settings), relations)


def policy_at(repo: DataRepo, commit: str | None, settings: DumpSettings) -> Policy:
    """What ppr_assets decides, with what the data repository adds at ``commit``, or the file that
    the settings name in its place. Raises :class:`PolicyUnreadable`."""
    if settings.policy_file is not None:
        added: Policy | None = _named(settings.policy_file)
    else:
        added = dump_folder(repo, commit).additions
    return shipped_policy().with_additions(added) if added else shipped_policy()


def _named(path: Path) -> Policy:
    try:
        return parse_policy(path.read_bytes(), source=str(path))
    except OSError as error:
        raise unreadable(str(path), error.strerror or str(error)) from error
