"""Move the branch to a new commit, and let index and files of the work trees that are on it follow.

The branch moves by compare-and-swap. Where it is checked out, files come first, then the index,
then the branch, then a look whether HEAD is still where it was: at every moment in between,
somebody else's ``git commit -a``, ``git add -A`` or ``git stash`` meets the old state or the new
one. Were the branch first, a commit of theirs in that moment would take the dump back, and with
it the mark.

A publisher may switch branches in the same clone at the same moment. Afterwards every work tree
that was touched, or is on the branch by now, is brought to where its own HEAD is, until two looks
agree; on another branch that takes back what was put there. A journal lets the next run do the
same for a run that was killed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

from msgspec.structs import replace

from ppr_assets.data_repo.checkout.changes import Change
from ppr_assets.data_repo.checkout.file_states import FileStates
from ppr_assets.data_repo.checkout.follow import carry_out, plan
from ppr_assets.data_repo.checkout.index import Index, held_index, release_index
from ppr_assets.data_repo.checkout.journal import (
    Journal,
    read_journal,
    remove_journal,
    write_journal,
)
from ppr_assets.data_repo.checkout.lock import data_repo_lock
from ppr_assets.data_repo.checkout.putting_files import sweep_scratch
from ppr_assets.data_repo.checkout.staging import StagedDump
from ppr_assets.data_repo.checkout.work_trees import (
    LOCK_SECONDS,
    WorkTree,
    is_idle,
    locked,
    require_no_rebase,
    wait_for_quiet,
    wait_until_gone,
    wait_until_idle,
    work_trees,
)
from ppr_assets.data_repo.git.errors import GitCommandFailed
from ppr_assets.data_repo.git.objects import DURABLE
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.git.tree import tip
from ppr_assets.rules.naming import DELTA_BASE_FILE, DELTA_BASE_PARTS, parts_folder

LOOKS = 30
BETWEEN_LOOKS_SECONDS = 0.15
_REF_SECONDS = 5.0
_LOCK_WAIT_SECONDS = 10.0
"""How long a run waits for the data repository's lock before it ends as "busy"."""


class BranchMoved(Exception):  # an event between two writers, not an error of anybody
    """The branch is not where it was; what was built has to be built on where it is now."""


def advance_branch(
    repo: DataRepo, old: str | None, new: str, *, staged: StagedDump | None = None
) -> None:
    """Move the branch from ``old`` (None: there is none yet) to ``new``, under the lock.

    ``staged`` is the dump that ``new`` publishes: its file is linked into the work tree and not
    written a second time, and has lost its staged name once the branch has moved. Raises
    :class:`BranchMoved` when the branch is not at ``old``, and :class:`DataRepoError` while
    somebody holds an index or rebases the branch; nothing has moved then.
    """
    everywhere = require_movable(repo)
    here = [work_tree for work_tree in everywhere if work_tree.branch == repo.branch]
    wait_for_quiet(everywhere)
    if tip(repo) != old:
        raise BranchMoved
    journal = Journal(repo.branch, old, new, tuple(str(work_tree.path) for work_tree in here))
    write_journal(repo, journal)
    settler = _Settler(repo, journal, staged)
    try:
        for work_tree in here:
            settler.bring(work_tree, new)
        _swap(repo, old, new)
        settler.spend_staged()
    finally:
        # Also after a failure: index and files then go back to where HEAD is.
        settler.settle()


def require_movable(repo: DataRepo) -> list[WorkTree]:
    """The work trees, once none of them stands in the way of moving the branch.

    Raises :class:`DataRepoError` while somebody holds an index or the branch, or rebases it.
    """
    everywhere = work_trees(repo)
    for work_tree in everywhere:
        require_no_rebase(work_tree, repo.branch)
    for work_tree in everywhere:
        if work_tree.branch == repo.branch:
            wait_until_idle(work_tree)
    wait_until_gone(repo.git_dir / f"{repo.ref}.lock")
    return everywhere


@contextmanager
def working_alone(repo: DataRepo) -> Iterator[None]:
    """Hold the data repository's lock, with nothing left of a run that was killed. Waits for
    another run to end; raises :class:`Busy` if that takes long."""
    with data_repo_lock(repo, wait_seconds=_LOCK_WAIT_SECONDS):
        recover(repo)
        yield


def recover(repo: DataRepo) -> bool:
    """Finish, or take back, what a killed run was about to do; True if there was such a run.

    Call it under the lock. Where the branch has the new commit, index and files follow; where it
    has not, they go back. Calling it again changes nothing.
    """
    release_index(repo)
    sweep_scratch(repo)
    journal = read_journal(repo)
    if journal is None:
        remove_journal(repo)
        return False
    if repo.word("cat-file", "-t", journal.new, ok=(0, 128)) != "commit":
        remove_journal(repo)  # collected by git: nothing can have followed it for long
        return True
    _Settler(repo, journal, None).settle()
    return True


class _Settler:
    """Brings work trees along with one change, and knows what it has put where."""

    def __init__(self, repo: DataRepo, journal: Journal, staged: StagedDump | None) -> None:
        self._repo = repo
        self._journal = journal
        self._change = Change.between(repo, journal.old, journal.new)
        self._states = FileStates(repo)
        ready = _ready(staged) if staged else {}
        self._ready = {f"{repo.dump_dir}/{name}".encode(): path for name, path in ready.items()}

    def spend_staged(self) -> None:
        """Remove the staged name of what was published, before the index is refreshed: a link
        less is a change that git takes for a modified file until it has read it all."""
        for path in self._ready.values():
            path.unlink(missing_ok=True)
        self._ready = {}

    def bring(self, work_tree: WorkTree, target: str | None) -> bool:
        """Index and files of ``work_tree`` to ``target``; True if something is, or was, to do."""
        deadline = monotonic() + LOCK_SECONDS
        while True:
            wait_until_idle(work_tree)
            index = Index(self._repo, work_tree)
            todo = plan(index, self._change, target, self._states)
            if todo.takes_back:
                self._take_back(work_tree)
                return True
            try:
                if todo:
                    carry_out(todo, index, self._states, self._ready)
                return bool(todo)
            except GitCommandFailed as failure:
                if "index.lock" not in failure.stderr:
                    raise
                if monotonic() > deadline:
                    raise locked(work_tree.git_dir / "index.lock") from failure
                sleep(0.05)

    def _take_back(self, work_tree: WorkTree) -> None:
        """Remove what we have put on a branch that does not have it, if HEAD stays where it is.

        A publisher that goes back to the branch at this moment would find the dump removed, and
        commit that. So the index is held, and HEAD looked at again; the next look tries again.
        """
        with held_index(self._repo, work_tree) as index:
            if index and work_tree in work_trees(self._repo):
                todo = plan(index, self._change, work_tree.head, self._states)
                carry_out(todo, index, self._states, self._ready)

    def settle(self) -> None:
        """Bring every work tree concerned to its HEAD, until two looks find nothing to do.

        Against somebody who never stops switching branches it gives up after a few seconds, and
        the journal stays for the next run.
        """
        quiet = 0
        for _ in range(LOOKS):
            everywhere = work_trees(self._repo)
            quiet = 0 if self._look(everywhere) else quiet + 1
            if quiet == 2:
                for work_tree in everywhere:
                    if self._concerns(work_tree):
                        Index(self._repo, work_tree).refresh(self._change.paths)
                remove_journal(self._repo)
                return
            sleep(BETWEEN_LOOKS_SECONDS)

    def _look(self, everywhere: list[WorkTree]) -> bool:
        """True if something was to be done, or somebody is in the middle of a checkout."""
        busy = False
        for work_tree in everywhere:
            if self._concerns(work_tree):
                self._touch(work_tree)
                busy |= self.bring(work_tree, work_tree.head)
            else:
                busy |= not is_idle(work_tree)
        return busy

    def _concerns(self, work_tree: WorkTree) -> bool:
        return (
            work_tree.branch == self._journal.branch or str(work_tree.path) in self._journal.touched
        )

    def _touch(self, work_tree: WorkTree) -> None:
        root = str(work_tree.path)
        if root not in self._journal.touched:
            self._journal = replace(self._journal, touched=(*self._journal.touched, root))
            write_journal(self._repo, self._journal)


def _ready(staged: StagedDump) -> dict[str, Path]:
    """The files that hold what is to stand at these names in the dump folder."""
    ready = dict.fromkeys((staged.name, DELTA_BASE_FILE), staged.path)
    for name, path in staged.parts.items():
        for folder in (parts_folder(staged.name), DELTA_BASE_PARTS):
            ready[f"{folder}/{name}"] = path
    return ready


def _swap(repo: DataRepo, old: str | None, new: str) -> None:
    """Let the branch point to ``new`` if it points to ``old``. Raises :class:`BranchMoved`."""
    deadline = monotonic() + _REF_SECONDS
    expected = old or "0" * len(new)
    while True:
        try:
            message = ("-m", "ppr_assets: publish")
            repo.git(*DURABLE, "update-ref", *message, repo.ref, new, expected)
        except GitCommandFailed as failure:
            if tip(repo) != old:
                raise BranchMoved from failure
            if ".lock" not in failure.stderr or monotonic() > deadline:
                raise
            sleep(0.05)
        else:
            return
