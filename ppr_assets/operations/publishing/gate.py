"""The gate as the data repository sees it: the mark at a commit, and the judgement against it.

Only what is committed counts, also what the committed file has lost since. A ratchet file in the
work tree that says something else is a state nobody can explain later, so it is refused, never
merged or ignored.
"""

from __future__ import annotations

from collections.abc import Mapping
from time import monotonic, sleep

from ppr_assets.data_repo.checkout.journal import read_journal
from ppr_assets.data_repo.checkout.lock import data_repo_lock
from ppr_assets.data_repo.checkout.worktree import recover
from ppr_assets.data_repo.git.repository import DataRepo, checked_out_branch
from ppr_assets.data_repo.git.tree import read_file, tip
from ppr_assets.errors import GateRefused, RatchetFileError
from ppr_assets.operations.published.standing_mark import WAY_OUT, standing_mark
from ppr_assets.operations.publishing.landing import LOCK_WAIT_SECONDS
from ppr_assets.rules.mark import Mark, parse_mark
from ppr_assets.rules.naming import RATCHET
from ppr_assets.rules.policy import GatePolicy
from ppr_assets.rules.ratchet import Override, Verdict, judge
from ppr_assets.settings import DumpSettings

_MOVING_SECONDS = 2.0


def policy(settings: DumpSettings) -> GatePolicy:
    return GatePolicy(
        min_records=settings.min_records,
        percentage=settings.percentage,
        tables=settings.ratchet_tables,
    )


def override_for(settings: DumpSettings, reason: str | None) -> Override | None:
    """The human decision for this run: a reason given in the run config, or the variable."""
    if reason is not None and reason.strip():
        return Override(reason=reason.strip(), source="run config")
    if settings.allow_empty:
        return Override(reason="ALLOW_EMPTY_SQL_DUMP=true", source="environment")
    return None


def judge_at(
    repo: DataRepo,
    commit: str | None,
    counts: Mapping[str, int],
    settings: DumpSettings,
    override: Override | None,
) -> Verdict:
    """Judge ``counts`` against the mark at ``commit``. Raises :class:`RatchetFileError`."""
    return judge(counts, mark_at(repo, commit), policy(settings), override)


def refusal(verdict: Verdict) -> GateRefused:
    """The error that a refused verdict becomes where somebody must be told."""
    return GateRefused(verdict.message, hint=verdict.hint)


def mark_at(repo: DataRepo, commit: str | None) -> Mark | None:
    """The mark that counts at ``commit``; None only where nothing was ever published. Raises what
    :func:`~ppr_assets.operations.published.standing_mark.standing_mark` raises."""
    found = standing_mark(repo, commit)
    return found.mark if found else None


def judged_tip(repo: DataRepo) -> str | None:
    """The branch's tip, whose mark may be judged against.

    Raises :class:`RatchetFileError` if the branch is checked out with another ratchet file. Who
    publishes or pulls at this moment writes the file just before the branch moves, so a difference
    has to last, also when a run of ours has ended, or what a killed one began is finished.
    """
    deadline = monotonic() + _MOVING_SECONDS
    while True:
        commit = tip(repo)
        try:
            _require_committed_ratchet(repo, commit)
        except RatchetFileError:
            if read_journal(repo) is not None:
                _finish_move(repo)
                deadline = monotonic() + _MOVING_SECONDS
            elif monotonic() > deadline:
                raise
            sleep(_MOVING_SECONDS / 8)
        else:
            return commit


def _finish_move(repo: DataRepo) -> None:
    """Wait for the run that moves the branch; one that was killed on the way holds no lock.

    Raises :class:`Busy` if it takes long.
    """
    with data_repo_lock(repo, wait_seconds=LOCK_WAIT_SECONDS):
        recover(repo)


def _require_committed_ratchet(repo: DataRepo, commit: str | None) -> None:
    if repo.bare or checked_out_branch(repo) != repo.branch:
        return
    path = f"{repo.dump_dir}/{RATCHET}"
    committed = read_file(repo, commit, path) if commit else None
    file = repo.path / path
    if file.is_symlink():
        raise RatchetFileError(f"`{path}` is a symlink in the work tree", hint=WAY_OUT)
    try:
        found = file.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        found = None
    except OSError as error:
        raise RatchetFileError(
            f"`{path}` cannot be read: {error.strerror}", hint=WAY_OUT
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


def _left_out(repo: DataRepo, path: str) -> bool:
    """Whether a sparse checkout leaves the file out of the work tree."""
    return repo.word("ls-files", "-t", "--", f":(top,literal){path}").startswith("S ")
