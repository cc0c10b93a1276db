"""The git program and GitPython, looked at once: are they there, new enough, and do they answer?

GitPython is imported late. Its import runs ``git version`` without a time limit, and fails with an
ImportError where git is missing; asked first, git gets a limit and the human a sentence.
"""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from ppr_assets.child_process import supervised
from ppr_assets.data_repo.git.errors import too_slow
from ppr_assets.errors import DataRepoError

if TYPE_CHECKING:
    import git

NEEDED = (2, 38)
"""``merge-tree --write-tree``: merges without a work tree."""

_START_SECONDS = 30.0


def open_repository(path: Path) -> git.Repo:
    """GitPython's view of the repository at ``path`` itself, never of one around it.

    Raises :class:`DataRepoError` when there is none.
    """
    library = gitpython()
    try:
        repository: git.Repo = library.Repo(path, expand_vars=False)
    except (library.InvalidGitRepositoryError, library.NoSuchPathError) as error:
        raise DataRepoError(
            f"`{path}` is not a git repository",
            hint="DATA_REPO_PATH is the root of a clone, a bare repository, or a folder that is "
            "missing or empty and becomes a clone of DATA_REPO_URL.",
        ) from error
    return repository


@functools.cache
def gitpython() -> ModuleType:
    """GitPython, imported when git has answered: its import asks git without a time limit."""
    if shutil.which("git") is None:
        raise DataRepoError(
            f"no `git` on PATH, {_dotted(NEEDED)} or newer needed",
            hint="install git, and run again.",
        )
    with supervised(["git", "version"], stdout=subprocess.PIPE) as process:
        try:
            answer, _ = process.communicate(timeout=_START_SECONDS)
        except subprocess.TimeoutExpired:
            raise too_slow(("version",), _START_SECONDS) from None
    found = re.search(rb"(\d+)\.(\d+)", answer)
    if found is None or (int(found[1]), int(found[2])) < NEEDED:
        have = answer.decode("utf-8", "replace").strip() or f"exit code {process.returncode}"
        raise DataRepoError(
            f"`git version` says `{have}`, {_dotted(NEEDED)} or newer needed",
            hint="install a newer git: older ones cannot merge without a work tree.",
        )
    import git

    return git


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
