"""The remote: what it has, what it takes, and why it does not.

Fetching leaves no trace that somebody else's git could stumble on: the commits arrive under a ref
of our own, FETCH_HEAD stays what it was, and no upkeep is started in the clone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf
from time import monotonic, sleep
from typing import TypeVar

from ppr_assets.data_repo.git.command import WHOLE, WITHIN_MEMORY, WITHOUT_UPKEEP, Output, run
from ppr_assets.data_repo.git.errors import GitCommandFailed
from ppr_assets.data_repo.git.progress_lines import progress_option
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.git.tree import commit_at
from ppr_assets.data_repo.remote.credentials import credentials_for
from ppr_assets.data_repo.remote.errors import (
    ContentRefused,
    Outrun,
    Refused,
    RemoteUnreachable,
    TooLarge,
    push_failure,
    unreachable,
)
from ppr_assets.data_repo.remote.fetch_note import FETCHED, note_fetch
from ppr_assets.data_repo.remote.missing_objects import bring, bring_beside_dumps, bring_published
from ppr_assets.data_repo.remote.push_size import SentBytes, largest_file
from ppr_assets.data_repo.remote.ready_pack import ready
from ppr_assets.errors import GitTimeout

__all__ = [
    "ContentRefused",
    "Outrun",
    "PushResult",
    "Refused",
    "RemoteUnreachable",
    "TooLarge",
    "bring",
    "fetch",
    "fetched_at",
    "fetched_tip",
    "heads",
    "push",
    "remote_branches",
    "remote_has",
    "remote_tip",
    "require_answer",
]

_LOCK_ATTEMPTS = 5


@dataclass(frozen=True)
class PushResult:
    """``bytes`` of the pack that was sent, 0 when the remote had it all; ``seconds`` it took."""

    bytes: int
    seconds: float


def remote_branches(repo: DataRepo) -> dict[str, str]:
    """Commit by branch name, as the remote says now; empty without a remote."""
    return _heads(repo, "refs/heads/*")


def remote_tip(repo: DataRepo) -> str | None:
    """The remote's commit of the branch, by one ``ls-remote``; None without remote or branch.

    Raises :class:`RemoteUnreachable`.
    """
    return _heads(repo, repo.ref).get(repo.branch)


def require_answer(repo: DataRepo, seconds: float) -> None:
    """Raise :class:`RemoteUnreachable` unless the remote says within ``seconds`` what it has, which
    takes a moment, however much there is to fetch."""
    try:
        _heads(repo, repo.ref, seconds)
    except RemoteUnreachable as failure:
        late = isinstance(failure.__cause__, GitTimeout)
        if not late or repo.settings.timeout_seconds < seconds:
            raise
        hint = "does the remote, a credential helper or ssh hang? `ppr-assets doctor` waits longer."
        raise RemoteUnreachable(failure.message, hint=hint) from failure


def remote_has(repo: DataRepo, commit: str) -> bool:
    """True if the remote's branch contains ``commit``. Raises :class:`RemoteUnreachable`."""
    theirs = remote_tip(repo)
    if theirs is None or theirs == commit:
        return theirs == commit
    if not repo.word("rev-parse", "--quiet", "--verify", f"{theirs}^{{commit}}", ok=(0, 1, 128)):
        theirs = fetch(repo) or theirs
    # Compared by output: the exit code of --is-ancestor says "no" and "no such commit" alike here.
    return repo.word("rev-list", "-1", commit, f"^{theirs}", "--") == ""


def fetch(repo: DataRepo, *, dumps: bool = True) -> str | None:
    """Bring the remote's branch here; its commit, or None without remote or branch there.

    A partial clone gets the files of the dump folder with it, so that nothing is missing when the
    work tree follows; without ``dumps`` only those beside the dumps. Raises
    :class:`RemoteUnreachable`.
    """
    if repo.remote is None:
        return None
    there = _fetch_branch(repo, repo.remote)
    if not there:
        repo.git("update-ref", "-d", _ours(repo))
    note_fetch(repo.git_dir)
    if not there:
        return None
    tip = fetched_tip(repo)
    assert tip is not None
    if dumps:
        bring_published(repo, tip)
    else:
        bring_beside_dumps(repo, tip)
    return tip


def _fetch_branch(repo: DataRepo, remote: str) -> bool:
    """Whether the branch is there. A sensor and a run that fetch at once wait for each other."""
    told = progress_option()
    options = (told, "--no-tags", "--no-write-fetch-head", "--refmap=", "--no-prune")
    branch = ("--no-recurse-submodules", remote, f"+{repo.ref}:{_ours(repo)}")
    for remaining in reversed(range(_LOCK_ATTEMPTS)):
        try:
            _network(repo, "fetch", *options, *branch)
        except GitCommandFailed as failure:
            if "couldn't find remote ref" in failure.stderr:
                return False
            if "cannot lock ref" not in failure.stderr or not remaining:
                raise unreachable(remote, failure) from failure
            sleep(0.2)
        except GitTimeout as failure:
            raise unreachable(remote, failure) from failure
        else:
            break
    return True


def fetched_tip(repo: DataRepo) -> str | None:
    """The remote's commit as it was fetched or pushed last; None before. Asks nobody."""
    return commit_at(repo, _ours(repo))


def fetched_at(repo: DataRepo) -> datetime | None:
    """When the remote was last fetched from, in UTC, by us or by somebody's git; None if never."""
    stamps = (repo.git_dir / FETCHED, repo.git_dir / "FETCH_HEAD")
    times = [stamp.stat().st_mtime for stamp in stamps if stamp.is_file()]
    return datetime.fromtimestamp(max(times), UTC) if times else None


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
            output = _network(
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
        moved = "".join(f"update {ref} {commit}\n" for ref in (_ours(repo), *noted))
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


def _ours(repo: DataRepo) -> str:
    return f"refs/ppr_assets/remote/{repo.branch}"


def heads(listing: bytes) -> dict[str, str]:
    """Commit by branch name, from what ``ls-remote`` printed."""
    pairs = (line.split("\t", 1) for line in listing.decode("utf-8", "replace").splitlines())
    # The pattern also finds refs that merely end in it.
    return {
        name.removeprefix("refs/heads/"): commit
        for commit, name in pairs
        if name.startswith("refs/heads/")
    }


def _heads(repo: DataRepo, pattern: str, seconds: float = inf) -> dict[str, str]:
    if repo.remote is None:
        return {}
    try:
        asked = ("ls-remote", "--quiet", repo.remote, pattern)
        return heads(_network(repo, *asked, seconds=seconds).stdout)
    except (GitCommandFailed, GitTimeout) as failure:
        raise unreachable(repo.remote, failure) from failure


def _network(
    repo: DataRepo,
    *args: str,
    env: dict[str, str] | None = None,
    ok: tuple[int, ...] = (0,),
    seconds: float = inf,
) -> Output:
    """Run git with the token at hand, where the remote is one that asks for it; ``seconds`` is for
    a limit that is shorter than the configured one."""
    options, secret = credentials_for(repo.settings, repo.remote_url or "")
    limit = min(repo.settings.timeout_seconds, seconds)
    environment = {**secret, **(env or {})}
    return run(repo.path, *WITHOUT_UPKEEP, *options, *args, timeout=limit, env=environment, ok=ok)
