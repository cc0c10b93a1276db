"""Ask the remote where its branch stands, without opening the clone: all that an idle sensor does.

One ``ls-remote`` and nothing else, whether there is a clone already or not. What it finds is only
good for comparing: whoever wants to know more opens the data repository.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from time import monotonic_ns

from msgspec import Struct

from ppr_assets.data_repo.clone.clone_folder import wants_clone
from ppr_assets.data_repo.git.command import run
from ppr_assets.data_repo.git.listings import default_branch, heads
from ppr_assets.data_repo.git.repository import found_at
from ppr_assets.data_repo.remote.credentials import ask
from ppr_assets.settings import DataRepoSettings

_LOCAL_SECONDS = 30.0
"""For what git reads of the clone's configuration, and asks no remote for."""


class Remote(Struct, frozen=True):
    """What git calls the remote (a name or a URL), and the URL that credentials are chosen by."""

    name: str
    url: str


def known_remote(settings: DataRepoSettings) -> Remote | None:
    """The clone's ``origin``, or else DATA_REPO_URL; None where there is neither.

    Starts no git while the clone's configuration stays as it was. Raises :class:`DataRepoError` for
    a folder that is no repository.
    """
    if not wants_clone(settings.path):
        url = _origin(settings.path, _stamp(settings.path))
        if url:
            return Remote("origin", url)
    return Remote(settings.url, settings.url) if settings.url else None


def remote_head(settings: DataRepoSettings, remote: Remote) -> str | None:
    """The commit of the remote's branch; None while it has none. Raises RemoteUnreachable."""
    asked = ("ls-remote", "--quiet", remote.name, f"refs/heads/{settings.branch}")
    listing = ask(settings, remote.url, _existing(settings.path), *asked, called=remote.name)
    return heads(listing).get(settings.branch)


class RemoteBranches(Struct, frozen=True):
    """Commit by branch name; ``default`` is the branch that a clone without a word gets, None where
    that has no commit."""

    commits: Mapping[str, str]
    default: str | None


def remote_branches_at(settings: DataRepoSettings, url: str, folder: Path) -> RemoteBranches:
    """What ``url`` has, asked from ``folder``, which is in no repository. Raises
    RemoteUnreachable."""
    asked = ("ls-remote", "--quiet", "--symref", "--", url, "HEAD", "refs/heads/*")
    listing = ask(settings, url, folder, *asked)
    return RemoteBranches(heads(listing), default_branch(listing))


@functools.lru_cache(maxsize=4)
def _origin(path: Path, stamp: tuple[int, int]) -> str:  # noqa: ARG001  # part of the key
    """The URL of the clone's ``origin``, asked again when its configuration has another stamp."""
    root = found_at(path, timeout=_LOCAL_SECONDS).root
    asked = ("config", "--local", "--includes", "--get", "remote.origin.url")
    told = run(root, *asked, timeout=_LOCAL_SECONDS, ok=(0, 1)).stdout
    return told.decode("utf-8", "surrogateescape").strip()


def _stamp(path: Path) -> tuple[int, int]:
    """Time and size of the clone's configuration: git replaces the file to change it."""
    for config in (path / ".git" / "config", path / "config"):
        if config.is_file():
            facts = config.stat()
            return facts.st_mtime_ns, facts.st_size
    return monotonic_ns(), 0  # a linked work tree has it elsewhere: read every time


def _existing(path: Path) -> Path:
    """A folder to start git in: the clone, or what there is above it."""
    return next(folder for folder in (path, *path.parents) if folder.is_dir())
