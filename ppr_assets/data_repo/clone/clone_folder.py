"""The folder that a clone is made in: inside DATA_REPO_PATH, and of one process at a time.

DATA_REPO_PATH may be an empty mounted volume, so that nothing beside it can be renamed onto it.
Whoever comes next and finds our folder but no ``.git`` starts over.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

from ppr_assets.errors import Busy, DataRepoError
from ppr_assets.files import held_or

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
        raise DataRepoError(
            f"cannot look into `{path}`: {error.strerror}",
            hint="let the user that runs this read it, or set DATA_REPO_PATH to another folder.",
        ) from error
    return names <= _NOTHING or (_PREPARING in names and ".git" not in names)


def state_dir_at(path: Path) -> Path | None:
    """:attr:`DataRepo.state_dir` of the clone at ``path``, without a git; None while there is none.

    Of an additional work tree it is that of its clone.
    """
    git_dir = path / ".git"
    if git_dir.is_file():
        told = git_dir.read_text(encoding="utf-8").removeprefix("gitdir:").strip()
        own = path / told
        common = own / "commondir"
        git_dir = own / common.read_text(encoding="utf-8").strip() if common.exists() else own
    elif (path / "HEAD").is_file() and (path / "objects").is_dir():
        git_dir = path
    return git_dir / "ppr_assets" if (git_dir / "objects").is_dir() else None


@contextmanager
def preparing(path: Path) -> Iterator[Path]:
    """Our folder inside ``path``, locked; only a kill leaves it, or a ``path`` without a clone."""
    made = not path.exists()
    folder = path / _PREPARING
    folder.mkdir(parents=True, exist_ok=True)
    busy = Busy(
        f"another process makes the clone in `{path}` at this moment",
        hint="run again when it is done.",
    )
    with held_or(busy, folder / "lock"):
        try:
            yield folder
        finally:
            _remove(folder)
            if made and not any(path.iterdir()):
                path.rmdir()


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
