"""What becomes of dumps that a remote refuses, so that none blocks the nights after it."""

from __future__ import annotations

from msgspec.structs import replace

from ppr_assets.data_repo.checkout.set_aside import made_anew, set_aside, waiting_at
from ppr_assets.data_repo.checkout.staging import StagedDump
from ppr_assets.data_repo.git.repository import DataRepo, is_ancestor
from ppr_assets.data_repo.git.tree import tip
from ppr_assets.data_repo.history.integrate import base_for_publishing
from ppr_assets.data_repo.history.kept_dumps import keep
from ppr_assets.data_repo.history.merge_dumps import Unmergeable
from ppr_assets.data_repo.remote.errors import ContentRefused, Outrun, Refused
from ppr_assets.data_repo.remote.push import push
from ppr_assets.data_repo.remote.refusals import AfterRefusal
from ppr_assets.data_repo.remote.remote import remember_delivered
from ppr_assets.errors import PushFailed
from ppr_assets.operations.publishing.delivery import (
    Build,
    Delivery,
    Ground,
    T,
    Unfit,
    deliver,
    follow,
)
from ppr_assets.rules.recorded.manifest import Manifest


def delivered_in_part(repo: DataRepo, event: Unfit) -> bool:
    """Whether the remote takes something of what waits, commit by commit, where it has refused all
    of it together: only what it does not take has to be set aside."""
    local = tip(repo)
    if event.refused is None or local is None:
        return False
    known = [f"^{event.remote}"] if event.remote else []
    line = repo.word("rev-list", "--first-parent", "--reverse", local, *known, "--").splitlines()
    if line in ([], [event.refused]) or not _holds(repo, event.remote, line[0]):
        return False
    taken = False
    for commit in line:
        try:
            push(repo, commit)
        except (PushFailed, Outrun):
            break
        remember_delivered(repo, commit)
        taken = True
    return taken


def _holds(repo: DataRepo, remote: str | None, commit: str) -> bool:
    """Whether ``commit`` stands on the remote's tip, so that it can be pushed as it is."""
    return remote is None or is_ancestor(repo, remote, commit)


def set_aside_what_waits(repo: DataRepo, event: Unfit, staged: StagedDump | None) -> str:
    """What was set aside and why. Raises the event's own error where nothing of ours is at the
    tip of the branch; a new dump is then kept by a ref."""
    local, error = tip(repo), event.error
    aside = set_aside(repo, local, event.remote, error.message) if local else None
    if aside is not None:
        dumps = ", ".join(aside.dumps)
        return (
            f"{dumps} was pending in the clone and was set aside (`{aside.ref}`): {error.message}"
        )
    if event.refused is not None and isinstance(error, ContentRefused):
        raise _refused_for_good(repo, error, local, event, staged) from error
    raise error


def _refused_for_good(
    repo: DataRepo,
    error: ContentRefused,
    local: str | None,
    event: Unfit,
    staged: StagedDump | None,
) -> ContentRefused:
    """The same refusal, with what is done about the dump, or who has to do something about it."""
    hint = error.hint
    known = [f"^{event.remote}"] if event.remote else []
    if local and repo.word("rev-list", "-1", local, *known, "--"):
        hint += (
            f" Commits of others are pending as well, and none of theirs is taken off: `git log "
            f"{event.remote or local}..{repo.branch}` in `{repo.path}` names them, `git rebase -i "
            f"{event.remote or '--root'}` takes out the one that is refused."
        )
    if staged is not None and event.refused is not None:
        name = Manifest.from_json(staged.manifest_path.read_text(encoding="utf-8")).sha256
        kept = keep(repo, event.refused, error.message, [staged.name], name=name)
        hint += f" The dump is kept as `{kept.ref}`; the next run publishes without it."
    return type(error)(error.message, hint=hint, kind=error.kind)


def another_way(
    repo: DataRepo,
    build: Build[T],
    staged: StagedDump | None,
    ground: Ground,
    refusal: Refused,
) -> tuple[T, Delivery] | None:
    """What waits at ``ground.base``, the branch's tip, made anew where it was refused for how it
    was made, or else left out; None where the remote does not take that either.

    So a refusal that nobody here understands stops one dump, and none after it.
    """
    local, remote = ground.base, ground.remote
    answer = refusal.kind.answer
    waiting = waiting_at(repo, local, remote) if local else None
    if local is None or waiting is None or answer is AfterRefusal.ASK:
        return None
    anew = made_anew(repo, waiting) if answer is AfterRefusal.MAKE_ANEW else None
    if anew is None and staged is None:
        return None
    try:
        start = anew or waiting.below
        base = base_for_publishing(repo, start, remote)
        outcome, commit = build(Ground(base, remote))
        if commit is None or commit == remote:
            return None
        delivery = deliver(repo, commit, remote, last=True)
    except (Unmergeable, Unfit):
        return None
    if not delivery.pushed:
        return None
    kept = keep(repo, local, refusal.message, waiting.dumps)
    done = "made anew" if anew else "set aside"
    told = f"{', '.join(waiting.dumps)} was pending in the clone and was {done} (`{kept.ref}`): "
    delivery = follow(repo, local, commit, staged, delivery)
    return outcome, replace(delivery, set_aside=told + refusal.message)
