"""What git finds at a path: the repository that it is the root of, and never one around it."""

from __future__ import annotations

import os
from pathlib import Path

from msgspec import Struct

from ppr_assets.data_repo.git.command import run
from ppr_assets.data_repo.git.errors import GitCommandFailed
from ppr_assets.errors import DataRepoError

_ASKED = (
    "--is-bare-repository",
    "--show-object-format",
    "--path-format=absolute",
    "--git-dir",
    "--git-common-dir",
)


class Found(Struct, frozen=True):
    """``root`` is that of the work tree, or the bare repository itself; ``git_dir`` is what all its
    work trees share, and ``linked`` says that ``root`` is an additional one of them.
    ``object_format``: ``sha1`` or ``sha256``, as git calls them."""

    root: Path
    git_dir: Path
    bare: bool
    linked: bool
    object_format: str


def found_at(path: Path, *, timeout: float) -> Found:
    """Asks git, for at most ``timeout`` seconds. Raises :class:`DataRepoError` where there is no
    repository, or none that git trusts."""
    if not path.is_dir():
        raise _none_at(path)
    try:
        told = run(path, "rev-parse", *_ASKED, timeout=timeout).stdout
    except GitCommandFailed as failure:
        if "not a git repository" not in failure.stderr:
            raise
        raise _none_at(path) from failure
    bare, object_format, own, shared = map(os.fsdecode, told.splitlines())
    root = path.resolve()
    if bare == "false" and Path(own) == root:  # the `.git` of a clone was named, and not the clone
        root = root.parent
    return Found(root, Path(shared).resolve(), bare == "true", own != shared, object_format)


def _none_at(path: Path) -> DataRepoError:
    return DataRepoError(
        f"`{path}` is not a git repository",
        hint="DATA_REPO_PATH is the root of a clone, a bare repository, or a folder that is "
        "missing or empty and becomes a clone of DATA_REPO_URL.",
    )
