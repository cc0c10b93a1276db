"""The publication policy as the data repository has it at a commit, and what it means there: for a
database that is to be dumped, and for a dump that was made before the policy became what it is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from contextlib import suppress

from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.history.dump_folder import DumpFolder, dump_folder
from ppr_assets.data_repo.history.dump_history import ever_there
from ppr_assets.data_repo.history.integrate import base_for_publishing
from ppr_assets.data_repo.history.merge_dumps import Unmergeable
from ppr_assets.data_repo.remote.remote import fetched_tip
from ppr_assets.errors import PolicyRefused, PolicyUnreadable
from ppr_assets.operations.published.policy_file import named_policy
from ppr_assets.rules.naming import PUBLICATION
from ppr_assets.rules.publication.planning import plan
from ppr_assets.rules.publication.policy import Policy, shipped_policy
from ppr_assets.rules.publication.relations import Relation
from ppr_assets.rules.publication.withholding import Plan
from ppr_assets.rules.recorded.manifest import Manifest
from ppr_assets.rules.wording import few
from ppr_assets.settings import DumpSettings

_SHOWN = 10


def plan_at(
    repo: DataRepo, commit: str | None, settings: DumpSettings, relations: Collection[Relation]
) -> Plan:
    """What the policy means for a database's ``relations``, as a dump that is published on
    ``commit``, the branch's tip, will be judged: by what the remote was last known to have as well.
    Raises what :func:`policy_at` raises."""
    base = commit
    with suppress(Unmergeable):  # which the publishing will tell of
        base = merged_with_remote(repo, commit)
    return plan(policy_at(repo, base, settings), relations)


def merged_with_remote(repo: DataRepo, commit: str | None) -> str | None:
    """What a dump is published on: ``commit``, with what the remote was last known to have. Raises
    :class:`Unmergeable` where a human has to merge them before."""
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


def require_allowed(
    manifest: Manifest, policy: Policy, read: Callable[[], Iterable[bytes]], *, hint: str
) -> None:
    """Raise :class:`PolicyRefused` for a dump that holds what ``policy`` does not allow: rows,
    values, or what looks like a secret. ``read`` gives its bytes from the beginning each time.

    Others decide meanwhile. A dump that was made by the policy as it is now has been held to it row
    by row, and is not read again; any other is judged by what it holds, and by nothing else.
    """
    if manifest.policy == policy.fingerprint:
        return
    # Late: the engine takes its time to load, and most dumps are not read again.
    from ppr_assets.plain_sql.disallowed import disallowed
    from ppr_assets.plain_sql.searched_values import searched

    if found := disallowed(read(), {manifest.dump: policy})[manifest.dump]:
        raise PolicyRefused(
            f"{manifest.dump} holds what the publication policy does not allow any more: "
            f"{few(found, _SHOWN)}",
            hint=hint,
        )
    policy.finds.judge(searched(read())).require()
