"""The remote: what it has, asked and fetched, and what it had when something was delivered to it.

Fetching leaves no trace that somebody else's git could stumble on: the commits arrive under a ref
of our own, FETCH_HEAD stays what it was, and no upkeep is started in the clone.

What was delivered last is remembered, so that a rewritten remote is noticed. Somebody who takes a
dump out of the remote's history by force has a reason (private data, say). A clone that still has
it would push it back the next night; so it asks first.
"""

from __future__ import annotations

from datetime import UTC, datetime
from math import inf
from pathlib import Path
from time import sleep

from ppr_assets.data_repo.git.errors import GitCommandFailed
from ppr_assets.data_repo.git.listings import heads
from ppr_assets.data_repo.git.progress_lines import progress_option
from ppr_assets.data_repo.git.repository import DataRepo, is_ancestor
from ppr_assets.data_repo.git.tree import commit_at
from ppr_assets.data_repo.remote.credentials import asking, over_network
from ppr_assets.data_repo.remote.errors import RemoteUnreachable, unreachable
from ppr_assets.data_repo.remote.missing_objects import bring_beside_dumps, bring_published
from ppr_assets.errors import DataRepoError, GitTimeout

_LOCK_ATTEMPTS = 5
_FETCHED = "ppr_assets/fetched"  # its time, below git's own folder; git keeps no note of it


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
        repo.git("update-ref", "-d", fetched_ref(repo))
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
    branch = ("--no-recurse-submodules", remote, f"+{repo.ref}:{fetched_ref(repo)}")
    for remaining in reversed(range(_LOCK_ATTEMPTS)):
        try:
            over_network(repo, "fetch", *options, *branch)
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
    return commit_at(repo, fetched_ref(repo))


def fetched_at(repo: DataRepo) -> datetime | None:
    """When the remote was last fetched from, in UTC, by us or by somebody's git; None if never."""
    stamps = (repo.git_dir / _FETCHED, repo.git_dir / "FETCH_HEAD")
    times = [stamp.stat().st_mtime for stamp in stamps if stamp.is_file()]
    return datetime.fromtimestamp(max(times), UTC) if times else None


def note_fetch(git_dir: Path) -> None:
    """Note that the remote has just answered."""
    path = git_dir / _FETCHED
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def fetched_ref(repo: DataRepo) -> str:
    """Where the remote's commit is noted here; a ref of our own."""
    return f"refs/ppr_assets/remote/{repo.branch}"


def remember_delivered(repo: DataRepo, commit: str) -> None:
    """Note that the remote's branch had ``commit``."""
    if commit_at(repo, delivered_ref(repo)) != commit:
        repo.git("update-ref", delivered_ref(repo), commit)


def require_not_rewritten(repo: DataRepo, local: str | None, remote: str | None) -> None:
    """Raise :class:`DataRepoError` if the remote no longer has what was delivered to it, while
    the local branch would bring it back. ``remote`` None: nothing is known, nothing is asked."""
    delivered = commit_at(repo, delivered_ref(repo))
    if delivered is None or local is None or remote is None:
        return
    if is_ancestor(repo, delivered, remote) or not is_ancestor(repo, delivered, local):
        return
    raise DataRepoError(
        f"the remote's branch `{repo.branch}` was rewritten: it no longer holds {delivered[:10]}, "
        "which was delivered, and pushing would bring that back",
        hint=f"if that was on purpose, follow it: `git fetch origin && git reset --keep "
        f"origin/{repo.branch}` in `{repo.path}`. If not, push by hand once.",
    )


def delivered_ref(repo: DataRepo) -> str:
    return f"refs/ppr_assets/delivered/{repo.branch}"


def _heads(repo: DataRepo, pattern: str, seconds: float = inf) -> dict[str, str]:
    if repo.remote is None:
        return {}
    return heads(asking(repo, "ls-remote", "--quiet", repo.remote, pattern, seconds=seconds))
