"""What a move of the branch is about to touch, on the disk before it is touched.

A run that is killed in the middle leaves its journal, and the next run brings every work tree
named in it to where its HEAD is by then.
"""

from __future__ import annotations

import json

from msgspec import Struct, convert
from msgspec.structs import asdict

from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.errors import DataRepoError
from ppr_assets.files import sync_folder, write_whole


class Journal(Struct, frozen=True):
    """The branch goes from ``old`` (None: it did not exist) to ``new``; ``touched`` are the roots
    of the work trees whose index and files go along."""

    branch: str
    old: str | None
    new: str
    touched: tuple[str, ...]


def write_journal(repo: DataRepo, journal: Journal) -> None:
    """Write it whole, or leave the one before."""
    path = repo.state_dir / "moving.json"
    write_whole(path, json.dumps(asdict(journal)), beside=path.with_suffix(".partial"))
    sync_folder(repo.state_dir)


def read_journal(repo: DataRepo) -> Journal | None:
    """The journal of a move that was not finished, if there is one."""
    path = repo.state_dir / "moving.json"
    try:
        # By Python's own reader: a path may have bytes that are no UTF-8, which msgspec's refuses.
        return convert(json.loads(path.read_bytes()), Journal)
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise DataRepoError(
            f"`{path}` does not tell which move of the branch is to be finished",
            hint="it is written whole or not at all, so the disk or somebody else changed it. Look "
            "at `git status` in the clone, put right what it shows, then remove the file.",
        ) from error


def remove_journal(repo: DataRepo) -> None:
    """Remove it, and what a kill has left of writing one."""
    for name in ("moving.json", "moving.partial"):
        (repo.state_dir / name).unlink(missing_ok=True)
