"""The git program, looked at once: is it there, new enough, and does it answer?"""

from __future__ import annotations

import functools
import re
import shutil
import subprocess

from ppr_assets.child_process import supervised
from ppr_assets.data_repo.git.errors import too_slow
from ppr_assets.errors import DataRepoError

NEEDED = (2, 38)
"""``merge-tree --write-tree``: merges without a work tree."""

_START_SECONDS = 30.0


@functools.cache
def require_git() -> None:
    """Raise :class:`DataRepoError` for a git that is missing or too old, :class:`GitTimeout` for
    one that does not answer."""
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


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
