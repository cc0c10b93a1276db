"""The publication policy as the data repository has it at a commit, and what it means there."""

from __future__ import annotations

from collections.abc import Collection

from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.history.dump_folder import DumpFolder, dump_folder
from ppr_assets.data_repo.history.dump_history import ever_there
from ppr_assets.data_repo.history.integrate import base_for_publishing
from ppr_assets.data_repo.history.merge_dumps import Unmergeable
from ppr_assets.data_repo.remote.remote import fetched_tip
from ppr_assets.errors import PolicyUnreadable
from ppr_assets.operations.published.policy_file import named_policy
from ppr_assets.rules.naming import PUBLICATION
from ppr_assets.rules.publication.planning import plan
from ppr_assets.rules.publication.policy import Policy, shipped_policy
from ppr_assets.rules.publication.relations import Relation
from ppr_assets.rules.publication.withholding import Plan
from ppr_assets.settings import DumpSettings


def plan_at(
    repo: DataRepo, commit: str | None, settings: DumpSettings, relations: Collection[Relation]
) -> Plan:
    """What the policy means for a database's ``relations``, as a dump that is published on
    ``commit``, the branch's tip, will be judged: by what the remote was last known to have as well.
    Raises what :func:`policy_at` raises."""
    return plan(policy_at(repo, with_remote(repo, commit), settings), relations)


def with_remote(repo: DataRepo, commit: str | None) -> str | None:
    """What a dump is published on: ``commit``, with what the remote was last known to have."""
    try:
        return merged_with_remote(repo, commit)
    except Unmergeable:  # which the publishing will tell of
        return commit


def merged_with_remote(repo: DataRepo, commit: str | None) -> str | None:
    """As :func:`with_remote`; raises :class:`Unmergeable` where a human has to merge them before a
    dump is published."""
    remote = fetched_tip(repo)
    if not repo.settings.push_enabled or remote is None or remote == commit:
        return commit
    try:
        return base_for_publishing(repo, commit, remote)
    except Unmergeable as conflict:
        if conflict.ours:  # two dumps of one name, of which publishing sets one aside
            return commit
        raise


def policy_at(repo: DataRepo, commit: str | None, settings: DumpSettings) -> Policy:
    """What ppr_assets decides, with what is added to it. Raises :class:`PolicyUnreadable`."""
    return shipped_policy().with_additions(additions_at(repo, commit, settings))


def additions_at(repo: DataRepo, commit: str | None, settings: DumpSettings) -> Policy:
    """What the data repository adds at ``commit``, or the file that the settings name in its place.
    Raises :class:`PolicyUnreadable`."""
    if settings.policy_file is not None:
        return named_policy(settings.policy_file)
    return committed_additions(repo, dump_folder(repo, commit)) or Policy()


def committed_additions(repo: DataRepo, folder: DumpFolder) -> Policy | None:
    """What the data repository adds itself; None where it never has. Raises
    :class:`PolicyUnreadable`, also for a file that is gone: nobody knows what it withheld."""
    commit = folder.commit
    if folder.additions is not None or commit is None:
        return folder.additions
    if ever_there(repo, commit, PUBLICATION):
        raise PolicyUnreadable(
            f"`{folder.path(PUBLICATION)}` is missing in {commit[:10]}, and was there before",
            hint="bring it back: `git log -- FILE` names the commit that removed it, `git checkout "
            "COMMIT^ -- FILE` has it again; commit that. One that decides nothing has a comment "
            "alone.",
        )
    return None
