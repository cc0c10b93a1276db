"""Find the clone of the data repository, or make it; refuse what cannot be published in.

Opening only looks, with two exceptions: a missing clone is made, and a branch that only the
remote has so far is created here. What these need is loaded then, once in the life of a clone.

What opening finds out (the remote, the git folder, what kind of clone it is) stays true for a run,
so a run opens it once. Where refs are and what lies on the disk is asked each time.
"""

from __future__ import annotations

from pathlib import Path

from ppr_assets.data_repo.checkout.plain_files import require_plain_files
from ppr_assets.data_repo.clone.clone_folder import wants_clone
from ppr_assets.data_repo.git.command import run
from ppr_assets.data_repo.git.errors import scrub
from ppr_assets.data_repo.git.repository import DataRepo, Found, found_at
from ppr_assets.data_repo.git.tree import tip
from ppr_assets.data_repo.remote.address import parse_address
from ppr_assets.errors import DataRepoError
from ppr_assets.settings import DataRepoSettings


def open_data_repo(settings: DataRepoSettings) -> DataRepo:
    """The data repository at DATA_REPO_PATH, cloned from DATA_REPO_URL if it is not there.

    Raises :class:`DataRepoError` saying what is in the way; :class:`PushFailed` and
    :class:`Busy` only where something has to be cloned or fetched first.
    """
    path = settings.path
    if path.exists() and not path.is_dir():
        raise DataRepoError(
            f"`{path}` is a file, and DATA_REPO_PATH must be a folder",
            hint="name the root of the clone.",
        )
    if wants_clone(path):
        from ppr_assets.data_repo.clone.first_clone import make_clone

        make_clone(settings)
    found = found_at(path, timeout=settings.timeout_seconds)
    remote, url = _remote(settings, found.root)
    address = parse_address(url, relative_to=found.root) if url else None
    repo = DataRepo(
        settings=settings,
        path=found.root,
        git_dir=found.git_dir,
        bare=found.bare,
        linked=found.linked,
        remote=remote,
        remote_url=url,
        web_url=address.web_url if address else None,
        partial=_is_partial(found, settings.timeout_seconds),
        object_format=found.object_format,
    )
    _require_ready(repo)
    return repo


class DataRepoOfRun:
    """The data repository for all the steps of a run, opened when the first of them asks for it.

    Use as a context manager, whose end closes what was opened. Each process has its own.
    """

    def __init__(self, settings: DataRepoSettings) -> None:
        self._settings = settings
        self._repo: DataRepo | None = None

    def __enter__(self) -> DataRepoOfRun:
        return self

    def __exit__(self, *_: object) -> None:
        if self._repo is not None:
            self._repo.objects.close()
            self._repo = None

    def opened(self) -> DataRepo:
        """Raises what :func:`open_data_repo` raises, also for what has come to be in the way since
        the step before."""
        if self._repo is not None and not wants_clone(self._settings.path):
            _require_ready(self._repo)
            return self._repo
        self.__exit__()
        self._repo = open_data_repo(self._settings)
        return self._repo


def _require_ready(repo: DataRepo) -> None:
    """Have the branch here, and dumps come out of git as they went in."""
    if not _has_branch(repo):
        from ppr_assets.data_repo.clone.first_clone import take_branch

        take_branch(repo)
    require_plain_files(repo)


def _remote(settings: DataRepoSettings, root: Path) -> tuple[str | None, str | None]:
    """What to call the remote in git's arguments, and the URL that is behind it."""
    limit = settings.timeout_seconds
    told = run(root, "remote", "get-url", "origin", timeout=limit, ok=(0, 2, 128))
    if told.status:
        return settings.url, settings.url
    url = told.stdout.decode("utf-8", "replace").strip()
    if settings.url and not _same(url, settings.url, root):
        # What git makes of it when the user has an url.*.insteadOf.
        wanted = run(root, "ls-remote", "--get-url", settings.url, timeout=limit).stdout
        if not _same(url, wanted.decode("utf-8", "replace").strip(), root):
            raise DataRepoError(
                f"remote `origin` of `{root}` is {scrub(url)}, DATA_REPO_URL is "
                f"{scrub(settings.url)}",
                hint="unset DATA_REPO_URL to use the clone's own remote, or correct one of them.",
            )
    return "origin", url


def _is_partial(found: Found, limit: float) -> bool:
    """Whether it has commits and folders, and goes without files until they are asked for. A clone
    that somebody has filtered in another way fetches by itself what it lacks, as git does."""
    # A look at the file, in which git writes it, spares a process on nearly every call.
    config = found.git_dir / "config"  # which git itself goes without
    if not config.is_file() or b"partialclonefilter" not in config.read_bytes().lower():
        return False
    asked = ("config", "--get", "remote.origin.partialclonefilter")
    return run(found.root, *asked, timeout=limit, ok=(0, 1)).stdout.startswith(b"blob:")


def _same(one: str, other: str, root: Path) -> bool:
    return parse_address(one, relative_to=root).same_place(parse_address(other, relative_to=root))


def _has_branch(repo: DataRepo) -> bool:
    # A look at the file spares a process on nearly every call; packed refs are git's to read.
    if (repo.git_dir / repo.ref).is_file():
        return True
    return tip(repo) is not None
