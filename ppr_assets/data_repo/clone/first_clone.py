"""Make the clone where there is none, so that a kill at any moment leaves none or a whole one; and
the branch in a clone that does not have it yet.

The files are checked out first, and ``.git`` is moved to its place last, by one rename.

The clone is partial and sparse, where the remote offers that: all commits and folders, but of the
files only those of the work tree, which shows the dump folder and the files beside the folders on
the way to it. The publisher's JSON, tens of gigabytes, stays where it is. Folders without files
(``blob:none``) and not commits alone (``tree:0``): each look at history compares folders, and
would fetch them one commit at a time. The dump folder is shown whole, as in any other clone:
retention bounds it, and its dumps travel as differences to each other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

from ppr_assets.data_repo.checkout.advance import advance_branch
from ppr_assets.data_repo.checkout.lock import data_repo_lock
from ppr_assets.data_repo.checkout.sparse import patterns
from ppr_assets.data_repo.clone.clone_folder import preparing
from ppr_assets.data_repo.git.command import run
from ppr_assets.data_repo.git.errors import GitCommandFailed
from ppr_assets.data_repo.git.progress_lines import progress_option
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.remote.credentials import credentials_for
from ppr_assets.data_repo.remote.errors import unreachable
from ppr_assets.data_repo.remote.remote import fetch, note_fetch, remote_branches
from ppr_assets.errors import DataRepoError, GitTimeout
from ppr_assets.progress import stage
from ppr_assets.settings import DataRepoSettings

# git's own upkeep throws away what it believes the remote to keep (2.39 does): the folders of our
# own commits, once somebody has built on them. Ours does not, see upkeep.py.
_UPKEEP = {"gc.auto": "0", "maintenance.auto": "false"}
_REFUSED = "filter|unadvertised object|not our ref"


def make_clone(settings: DataRepoSettings) -> None:
    """Clone DATA_REPO_URL into DATA_REPO_PATH, with DATA_REPO_BRANCH checked out.

    A remote without any commit is fine, one that has others but not the branch is an error.
    Raises :class:`Busy` while another process makes the clone.
    """
    path, url = settings.path, settings.url
    if url is None:
        raise DataRepoError(
            f"no data repository at `{path}`, and no DATA_REPO_URL to clone it from",
            hint="set DATA_REPO_URL, or DATA_REPO_PATH to a clone that is there; "
            "`ppr-assets open URL` needs neither.",
        )
    try:
        with preparing(path) as folder:
            if not (path / ".git").exists():
                _clone(settings, url, folder)
    except OSError as error:
        raise DataRepoError(
            f"cannot make a clone in `{path}`: {error.strerror}",
            hint="let the user that runs this write there, make room where the disk is full, or "
            "set DATA_REPO_PATH to another folder.",
        ) from error


def make_empty(settings: DataRepoSettings) -> None:
    """A repository at DATA_REPO_PATH without a commit and a remote, on DATA_REPO_BRANCH."""
    settings.path.mkdir(parents=True, exist_ok=True)
    first = f"--initial-branch={settings.branch}"
    run(settings.path, "init", "--quiet", first, timeout=settings.timeout_seconds)


class _NoFilter(Exception):  # an event on the way to a clone, not an error of anybody
    """The remote does not give parts of a repository."""


def _clone(settings: DataRepoSettings, url: str, folder: Path) -> None:
    try:
        git_dir = _filled(settings, url, folder, partial=True)
    except _NoFilter:
        git_dir = _filled(settings, url, folder, partial=False)
    note_fetch(git_dir)
    git_dir.rename(settings.path / ".git")


def _filled(settings: DataRepoSettings, url: str, folder: Path, *, partial: bool) -> Path:
    """A new git folder, whose files are checked out in DATA_REPO_PATH already.

    Raises :class:`_NoFilter` where the remote refuses a partial clone.
    """
    limit = settings.timeout_seconds
    options, secret = credentials_for(settings, url)
    # Under a new name each time: the git of a killed run may still end in the old one.
    fresh = Path(mkdtemp(dir=folder))
    place = (f"--git-dir={fresh / '.git'}", f"--work-tree={settings.path}")
    # Of a path, git would take all by linking files; as a URL it is asked like any other remote.
    local = Path(url).resolve() if Path(url).exists() else None
    source = local.as_uri() if local and partial else url
    alone = (f"--config={name}={value}" for name, value in _UPKEEP.items())
    how = ("--filter=blob:none", *alone) if partial else ()
    plain = (progress_option(), "--no-checkout", "--no-tags", "--origin=origin")
    with _heard(url, partial=partial, always=True):
        clone = (*options, "clone", *plain, *how, "--", source, fresh.name)
        run(folder, *clone, timeout=limit, env=secret)
    if local:
        run(folder, *place, "remote", "set-url", "origin", str(local), timeout=limit)
    shown = patterns(settings.dump_dir).encode()
    sparse = ("sparse-checkout", "set", "--no-cone", "--stdin")
    run(settings.path, *place, *sparse, timeout=limit, stdin=shown)
    branches = _branches(settings, place)
    start = f"refs/remotes/origin/{settings.branch}"
    if settings.branch in branches:
        if partial and not _lacks_something(settings, place, start):
            _make_whole(settings, place, fresh / ".git")
        checkout = ("checkout", "--quiet", "--force", "-B", settings.branch, "--track", start, "--")
        with _heard(url, partial=partial), stage("fetching the files of the dump folder"):
            run(settings.path, *place, *options, *checkout, timeout=limit, env=secret)
    elif branches:
        raise missing_branch(settings.branch, branches)
    else:
        head = ("symbolic-ref", "HEAD", f"refs/heads/{settings.branch}")
        run(folder, *place, *head, timeout=limit)
    return fresh / ".git"


@contextmanager
def _heard(url: str, *, partial: bool, always: bool = False) -> Iterator[None]:
    """Tell a remote that does not answer from one that only answers to a full clone.

    Not ``always`` is the remote what stops a git that mainly works here.
    """
    try:
        yield
    except GitTimeout as failure:
        raise unreachable(url, failure) from failure
    except GitCommandFailed as failure:
        if partial and re.search(_REFUSED, failure.stderr):
            raise _NoFilter from failure
        if always or "promisor remote" in failure.stderr:
            raise unreachable(url, failure) from failure
        raise


def _branches(settings: DataRepoSettings, place: tuple[str, ...]) -> set[str]:
    asked = ("for-each-ref", "--format=%(refname:lstrip=3)", "refs/remotes/origin/")
    listing = run(settings.path, *place, *asked, timeout=settings.timeout_seconds)
    return set(listing.stdout.decode("utf-8", "replace").split()) - {"HEAD"}


def _lacks_something(settings: DataRepoSettings, place: tuple[str, ...], commit: str) -> bool:
    """Whether the remote has left out files; one that knows no filter sends all it has."""
    asked = ("rev-list", "--objects", "--no-walk", "--missing=print", commit)
    listing = run(settings.path, *place, *asked, timeout=settings.timeout_seconds)
    return b"\n?" in listing.stdout


def _make_whole(settings: DataRepoSettings, place: tuple[str, ...], git_dir: Path) -> None:
    """Have the clone know that it lacks nothing, as one that was never to be partial."""
    promised = ("remote.origin.promisor", "remote.origin.partialclonefilter")
    for name in (*promised, *_UPKEEP):
        run(settings.path, *place, "config", "--unset", name, timeout=settings.timeout_seconds)
    for promise in (git_dir / "objects" / "pack").glob("*.promisor"):
        promise.unlink()


def missing_branch(branch: str, branches: set[str]) -> DataRepoError:
    """The error for a repository that has ``branches`` but not ``branch``."""
    have = ", ".join(f"`{name}`" for name in sorted(branches)[:10])
    return DataRepoError(
        f"the data repository has no branch `{branch}`, it has {have}",
        hint="set DATA_REPO_BRANCH to the branch that is published, or create it.",
    )


def take_branch(repo: DataRepo) -> None:
    """Create the branch from the remote's; nothing is needed where no branch is anywhere yet.

    Raises :class:`DataRepoError` naming the branches that there are instead.
    """
    theirs = remote_branches(repo)
    if repo.branch in theirs:
        commit = fetch(repo)
        with data_repo_lock(repo):
            advance_branch(repo, None, commit or theirs[repo.branch])
        return
    listing = repo.word("for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads/")
    branches = set(listing.splitlines()) | theirs.keys()
    if branches:
        raise missing_branch(repo.branch, branches)
