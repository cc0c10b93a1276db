"""What the dump folder has had at any time, as far back as the clone's history reaches."""

from __future__ import annotations

from pathlib import Path

from ppr_assets.data_repo.git.pathspec import matching
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.rules.naming import DUMPS, RATCHET


def dumps_ever(repo: DataRepo, commit: str) -> bool:
    """True if a dump or a mark was ever committed up to ``commit``, also if it is gone since.

    A shallow clone knows only as far back as it reaches.
    """
    return _ever(repo, commit, RATCHET, DUMPS)


_ASKED: dict[tuple[Path, str, str], bool] = {}


def ever_there(repo: DataRepo, commit: str, name: str) -> bool:
    """True if a file of the dump folder was ever committed up to ``commit``, on whichever branch.
    Asked once for a commit, whose history never changes; a shallow clone knows only its own."""
    key = repo.git_dir, commit, name
    if key not in _ASKED:
        _ASKED[key] = _ever(repo, commit, name)
    return _ASKED[key]


def _ever(repo: DataRepo, commit: str, *names: str) -> bool:
    paths = [matching(repo.dump_dir, name) for name in names]
    return bool(repo.git_once("rev-list", "-1", "--full-history", commit, "--", *paths).strip())
