"""When the remote was fetched from last: the time of a file of ours, as git keeps no note of it."""

from __future__ import annotations

from pathlib import Path

FETCHED = "ppr_assets/fetched"
"""Below git's own folder."""


def note_fetch(git_dir: Path) -> None:
    """Note that the remote has just answered."""
    path = git_dir / FETCHED
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
