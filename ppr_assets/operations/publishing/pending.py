"""Judge the dumps that wait in the clone once more, when others have published meanwhile.

Each has passed the gate against the mark of its time and place. Before it goes to the remote on a
merge with theirs it has to pass against the mark that they have set since, and it must not be a
second copy of what they have published.
"""

from __future__ import annotations

from functools import partial

from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.history.dump_folder import DumpFolder, dump_folder
from ppr_assets.errors import DataRepoError, DumpDamaged, PolicyRefused
from ppr_assets.operations.published.committed import dump_bytes
from ppr_assets.operations.publishing.delivery import Ground, Unfit
from ppr_assets.operations.publishing.dump_commit import commit_of_dump
from ppr_assets.operations.publishing.gate import judge_at
from ppr_assets.operations.publishing.publication import policy_at, require_allowed
from ppr_assets.rules.naming import RATCHET
from ppr_assets.rules.publication.policy import Policy
from ppr_assets.rules.recorded.manifest import Manifest
from ppr_assets.settings import DumpSettings


def require_fit(repo: DataRepo, ground: Ground, settings: DumpSettings) -> None:
    """Raise :class:`Unfit` for the first dump at ``ground.base`` that the remote lacks, and that
    its mark refuses, that repeats the published dump before or after it, or that holds what the
    publication policy at ``ground.base`` does not allow.

    Where the remote has not moved its mark has nothing to judge: each dump that waits was then
    judged against the one before it.
    """
    base, remote = ground.base, ground.remote
    if base is None or remote is None or base == remote:
        return
    _require_allowed(repo, base, remote, settings)
    if not _merged(repo, base, remote):
        return
    published, folder = set(dump_folder(repo, remote).dumps), dump_folder(repo, base)
    names = folder.dumps
    for place, name in enumerate(names):
        waiting = None if name in published else _manifest(folder, name)
        if waiting is None:
            continue
        refusal = _refusal(repo, base, remote, waiting, settings)
        if refusal is not None:
            raise Unfit(refusal, remote)
        for other in {*names[max(0, place - 1) : place + 2]} & published:
            told = _manifest(folder, other)
            if told is not None and told.sha256 == waiting.sha256:
                raise Unfit(DataRepoError(f"{name} has the same bytes as {other}"), remote)


def _require_allowed(repo: DataRepo, base: str, remote: str, settings: DumpSettings) -> None:
    published, folder = set(dump_folder(repo, remote).dumps), dump_folder(repo, base)
    waiting = [name for name in folder.dumps if name not in published]
    policy = policy_at(repo, base, settings) if waiting else Policy()
    hint = (
        f"it was not pushed. Where it stays at the branch's tip, `git rebase -i {remote[:10]}` in "
        f"`{repo.path}` takes out the commit that brought it."
    )
    for name in waiting:
        manifest = _manifest(folder, name)
        if manifest is None:
            continue
        read = partial(dump_bytes, repo.objects, folder.stored(name))
        try:
            require_allowed(manifest, policy, read, hint=hint)
        except PolicyRefused as refused:
            raise Unfit(refused, remote) from refused


def _merged(repo: DataRepo, base: str, remote: str) -> bool:
    """Whether ``base`` is more than a line of commits on the remote's tip."""
    asked = ("rev-list", "-1", "--merges", base, f"^{remote}", "--")
    return base != remote and repo.word(*asked) != ""


def _refusal(
    repo: DataRepo, base: str, remote: str, waiting: Manifest, settings: DumpSettings
) -> DataRepoError | None:
    """Why their mark refuses the dump, if it does.

    A mark that has stood since before the dump was made does not count again: whoever made it may
    have lowered theirs on purpose.
    """
    bringer = commit_of_dump(repo, base, waiting)
    fork = repo.word("merge-base", bringer, remote, ok=(0, 1))
    then, now = (dump_folder(repo, one or None).entries.get(RATCHET) for one in (fork, remote))
    if fork and then == now:
        return None
    verdict = judge_at(repo, remote, waiting.counts, settings, waiting.override)
    return None if verdict.passed else DataRepoError(verdict.message, hint=verdict.hint)


def _manifest(folder: DumpFolder, dump: str) -> Manifest | None:
    """None for a dump of other scripts, and for one whose manifest nobody can read: an audit
    tells of it."""
    try:
        return folder.manifest(dump)
    except DumpDamaged:
        return None
