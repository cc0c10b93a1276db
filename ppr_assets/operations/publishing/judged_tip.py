"""The commit whose mark is judged against: the branch's tip, once no file says otherwise.

A ratchet file in the work tree that says something else is a state nobody can explain later, so it
is refused, never merged or ignored.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep

from ppr_assets.data_repo.checkout.advance import working_alone
from ppr_assets.data_repo.checkout.journal import read_journal
from ppr_assets.data_repo.git.pathspec import literal
from ppr_assets.data_repo.git.repository import DataRepo, checked_out_branch
from ppr_assets.data_repo.git.tree import tip
from ppr_assets.data_repo.history.dump_folder import MARK_WAY_OUT, dump_folder
from ppr_assets.errors import PolicyUnreadable, RatchetFileError
from ppr_assets.rules.mark import parse_mark
from ppr_assets.rules.naming import PUBLICATION, RATCHET

MOVING_SECONDS = 2.0


def judged_tip(repo: DataRepo) -> str | None:
    """The branch's tip, whose mark may be judged against.

    Raises :class:`RatchetFileError` if the branch is checked out with another ratchet file. Who
    publishes or pulls at this moment writes the file just before the branch moves, so a difference
    has to last, also when a run of ours has ended, or what a killed one began is finished. Raises
    :class:`Busy` where such a run takes long.
    """
    deadline = monotonic() + MOVING_SECONDS
    while True:
        commit = tip(repo)
        try:
            _require_committed_ratchet(repo, commit)
            require_committed_policy(repo, commit)
        except (RatchetFileError, PolicyUnreadable):
            if read_journal(repo) is not None:
                with working_alone(repo):  # once whoever moves the branch is done, or was killed
                    pass
                deadline = monotonic() + MOVING_SECONDS
            elif monotonic() > deadline:
                raise
            sleep(MOVING_SECONDS / 8)
        else:
            return commit


def _require_committed_ratchet(repo: DataRepo, commit: str | None) -> None:
    folder = dump_folder(repo, commit)
    path, committed = folder.path(RATCHET), folder.file(RATCHET)
    file = repo.path / path
    if repo.bare or (committed is not None and _holds(file, committed.data)):
        return
    if checked_out_branch(repo) != repo.branch:
        return
    if file.is_symlink():
        raise RatchetFileError(f"`{path}` is a symlink in the work tree", hint=MARK_WAY_OUT)
    try:
        found = file.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        found = None
    except OSError as error:
        raise RatchetFileError(
            f"`{path}` cannot be read: {error.strerror}", hint=MARK_WAY_OUT
        ) from error
    if found == (committed.data if committed else None):
        return
    if found is None and _left_out(repo, path):
        return
    if found is not None:
        parse_mark(found)  # says what is wrong with it, if anything is
    state = "was removed" if found is None else "was changed"
    raise RatchetFileError(
        f"`{path}` {state} in the work tree and not committed",
        hint=f"`git checkout -- {path}` brings the mark back; to set it on purpose, "
        '`ppr-assets ratchet reset --to N --reason "…"`.',
    )


def require_committed_policy(repo: DataRepo, commit: str | None) -> None:
    """What somebody has begun to decide may withhold more than what is committed."""
    folder = dump_folder(repo, commit)
    path = folder.path(PUBLICATION)
    file = repo.path / path
    if repo.bare or not os.path.lexists(file):
        return
    if PUBLICATION in folder.entries and not folder.is_regular(PUBLICATION):
        return  # which whoever reads it says
    committed = folder.data(PUBLICATION) if PUBLICATION in folder.entries else None
    if committed is not None and _holds(file, committed):
        return
    if checked_out_branch(repo) == repo.branch:
        raise PolicyUnreadable(
            f"`{path}` was changed in the work tree and not committed",
            hint=f"commit it (`git add -f {path} && git commit`), or bring the committed one back: "
            f"`git checkout -- {path}`.",
        )


def _holds(file: Path, content: bytes) -> bool:
    """Whether that is what lies there, and so which branch is checked out does not matter."""
    with suppress(OSError):
        return not file.is_symlink() and file.read_bytes() == content
    return False


def _left_out(repo: DataRepo, path: str) -> bool:
    """Whether a sparse checkout leaves the file out of the work tree."""
    return repo.word("ls-files", "-t", "--", literal(path)).startswith("S ")
