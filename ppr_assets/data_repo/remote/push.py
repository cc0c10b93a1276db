"""Give the remote a commit, and say why it does not take it. Who only looks loads none of this."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic
from typing import TypeVar

from msgspec import Struct

from ppr_assets.data_repo.git.command import WHOLE, WITHIN_MEMORY
from ppr_assets.data_repo.git.errors import GitCommandFailed
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.remote.errors import TooLarge, push_failure, unreachable
from ppr_assets.data_repo.remote.fetch_note import note_fetch
from ppr_assets.data_repo.remote.push_size import SentBytes, largest_file
from ppr_assets.data_repo.remote.ready_pack import ready
from ppr_assets.data_repo.remote.remote import fetched_ref, fetched_tip, over_network
from ppr_assets.errors import GitTimeout


class PushResult(Struct, frozen=True):
    """``bytes`` of the pack that was sent, 0 when the remote had it all; ``seconds`` it took."""

    bytes: int
    seconds: float


def push(
    repo: DataRepo, commit: str, *, whole: bool = False, noted: Sequence[str] = ()
) -> PushResult:
    """Give the remote's branch ``commit``, never by force; its files ``whole``, where looking for
    what they could be differences to would take long and find nothing. That it was taken is kept
    in our ref, and in those of ``noted`` with it: in all of them, or in none while one is locked.

    Raises :class:`Outrun` when the branch has moved there, :class:`ContentRefused` when it is
    refused for what it holds (:class:`TooLarge`: for its size), :class:`Refused` when a hook or a
    rule says no for another reason, and :class:`PushFailed` for the rest: offline, no access, too
    slow. ``repo.remote`` must not be None.
    """
    remote = repo.remote or ""
    started = monotonic()
    with SentBytes() as sent:
        try:
            output = over_network(
                repo,
                *WITHIN_MEMORY,
                *(WHOLE if whole else ()),
                "push",
                "--porcelain",
                "--progress",
                "--no-follow-tags",
                "--recurse-submodules=no",
                remote,
                f"{commit}:{repo.ref}",
                env={**sent.environment, **ready(repo)},
                ok=(0, 1),
            )
        except (GitCommandFailed, GitTimeout) as failure:
            raise _explained(repo, commit, unreachable(remote, failure)) from failure
        if output.status:
            raise _explained(repo, commit, push_failure(remote, repo.ref, output))
        moved = "".join(f"update {ref} {commit}\n" for ref in (fetched_ref(repo), *noted))
        # a fetch of a sensor sets ours too
        repo.git("update-ref", "--stdin", stdin=moved.encode(), ok=(0, 128))
        note_fetch(repo.git_dir)
        return PushResult(bytes=sent.total(), seconds=monotonic() - started)


Failure = TypeVar("Failure", bound=Exception)


def _explained(repo: DataRepo, commit: str, failure: Failure) -> Failure | TooLarge:
    """The same failure; one for the size of a push also names the largest file in it, since many
    remotes do not."""
    found = largest_file(repo, commit, fetched_tip(repo)) if isinstance(failure, TooLarge) else None
    if found is None or not isinstance(failure, TooLarge):
        return failure
    path, size = found
    largest = f"the largest file of the push is `{path}` with {size / 1e6:.1f} MB"
    return TooLarge(f"{failure.message}; {largest}", hint=failure.hint, kind=failure.kind)
