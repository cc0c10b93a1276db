"""Make the clone where there is none, so that a kill at any moment leaves none or a whole one.

Everything is prepared in a folder of our own inside DATA_REPO_PATH (which may be an empty mounted
volume, so that nothing beside it can be renamed onto it). The files are checked out first, and
``.git`` is moved to its place last, by one rename. Whoever comes next and finds that folder but
no ``.git`` starts over.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from time import monotonic, sleep

from ppr_assets.data_repo.credentials import credentials_for
from ppr_assets.data_repo.git import run
from ppr_assets.data_repo.git_errors import GitCommandFailed
from ppr_assets.data_repo.remote_errors import unreachable
from ppr_assets.errors import Busy, DataRepoError, GitTimeout
from ppr_assets.settings import DataRepoSettings

_PREPARING = ".ppr_assets-clone"
_ENDING_SECONDS = 5.0
# The root of a freshly made file system is not quite empty.
_NOTHING = {_PREPARING, "lost+found"}


def wants_clone(path: Path) -> bool:
    """True for a path that is missing, empty, or holds a clone that was never finished."""
    try:
        names = {entry.name for entry in path.iterdir()}
    except FileNotFoundError:
        return True
    except NotADirectoryError:
        return False
    except OSError as error:
        raise DataRepoError(f"cannot look into `{path}`: {error.strerror}") from error
    return names <= _NOTHING or (_PREPARING in names and ".git" not in names)


def make_clone(settings: DataRepoSettings) -> None:
    """Clone DATA_REPO_URL into DATA_REPO_PATH, with DATA_REPO_BRANCH checked out.

    A remote without any commit is fine, one that has others but not the branch is an error.
    Raises :class:`Busy` while another process makes the clone.
    """
    path, url = settings.path, settings.url
    if url is None:
        raise DataRepoError(
            f"no data repository at `{path}`, and no DATA_REPO_URL to clone it from",
            hint="set DATA_REPO_URL, or DATA_REPO_PATH to a clone that is there.",
        )
    try:
        with _preparing(path) as folder:
            if not (path / ".git").exists():
                _clone(settings, url, folder)
    except OSError as error:
        raise DataRepoError(f"cannot make a clone in `{path}`: {error.strerror}") from error


def _clone(settings: DataRepoSettings, url: str, folder: Path) -> None:
    limit = settings.timeout_seconds
    # Under a new name each time: the git of a killed run may still end in the old one.
    fresh = Path(mkdtemp(dir=folder))
    options, secret = credentials_for(settings, url)
    quiet = ("--quiet", "--no-checkout", "--no-tags", "--origin=origin")
    try:
        run(folder, *options, "clone", *quiet, "--", url, fresh.name, timeout=limit, env=secret)
    except (GitCommandFailed, GitTimeout) as failure:
        raise unreachable(url, failure) from failure
    git_dir = fresh / ".git"
    place = (f"--git-dir={git_dir}", f"--work-tree={settings.path}")
    prefix = "refs/remotes/origin/"
    listing = run(
        folder, *place, "for-each-ref", "--format=%(refname:lstrip=3)", prefix, timeout=limit
    )
    branches = set(listing.stdout.decode("utf-8", "replace").split()) - {"HEAD"}
    if settings.branch in branches:
        start = (f"{prefix}{settings.branch}", "--")
        checkout = ("checkout", "--quiet", "--force", "-B", settings.branch, "--track", *start)
        run(settings.path, *place, *checkout, timeout=limit)
    elif branches:
        raise missing_branch(settings.branch, branches)
    else:
        head = ("symbolic-ref", "HEAD", f"refs/heads/{settings.branch}")
        run(folder, *place, *head, timeout=limit)
    git_dir.rename(settings.path / ".git")


def missing_branch(branch: str, branches: set[str]) -> DataRepoError:
    """The error for a repository that has ``branches`` but not ``branch``."""
    have = ", ".join(f"`{name}`" for name in sorted(branches)[:10])
    return DataRepoError(
        f"the data repository has no branch `{branch}`, it has {have}",
        hint="set DATA_REPO_BRANCH to the branch that is published, or create it.",
    )


@contextmanager
def _preparing(path: Path) -> Iterator[Path]:
    """Our folder inside ``path``, locked; only a kill leaves it, or a ``path`` without a clone."""
    made = not path.exists()
    folder = path / _PREPARING
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _lock(descriptor, path)
        try:
            yield folder
        finally:
            _remove(folder)
            if made and not any(path.iterdir()):
                path.rmdir()
    finally:
        os.close(descriptor)


def _lock(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Busy(
            f"another process makes the clone in `{path}` at this moment",
            hint="run again when it is done.",
        ) from None


def _remove(folder: Path) -> None:
    """Remove a folder, also while the git of a killed run still ends in it."""
    deadline = monotonic() + _ENDING_SECONDS
    while folder.exists():
        try:
            shutil.rmtree(folder)
        except OSError:
            if monotonic() > deadline:
                raise
            sleep(0.05)
