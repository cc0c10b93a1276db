"""Does the mark only ever rise, except where somebody set it on purpose and said why?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ppr_assets.data_repo.git.object_reader import ObjectMissing
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.history.commits import FolderCommit
from ppr_assets.data_repo.history.dump_folder import DumpFolder, DumpFolders
from ppr_assets.data_repo.history.message import brings_dump, parse_trailers, reset_told
from ppr_assets.errors import DataRepoError, DumpDamaged, RatchetFileError
from ppr_assets.operations.audit.gate_check import sunk, vanished
from ppr_assets.operations.published.mark_history import (
    MarkHistory,
    Marks,
    MarkVersion,
    StandingMark,
    standing,
    told_by,
)
from ppr_assets.rules.gate.ratchet import mark_told
from ppr_assets.rules.mark import Mark, merged_mark, parse_mark
from ppr_assets.rules.naming import RATCHET, manifest_name
from ppr_assets.rules.recorded.manifest import Manifest


def mark_of(folder: DumpFolder) -> Mark | None:
    """None where there is no ratchet file. Raises :class:`RatchetFileError` for nonsense."""
    if RATCHET not in folder.entries:
        return None
    if not folder.is_regular(RATCHET):
        raise RatchetFileError("the ratchet file is not a regular file")
    try:
        return parse_mark(folder.data(RATCHET))
    except ObjectMissing:
        raise RatchetFileError("the ratchet file is lost, nobody can tell the mark") from None


def readable_mark(folder: DumpFolder) -> Mark | None:
    """The same for where somebody else is told of nonsense."""
    try:
        return mark_of(folder)
    except RatchetFileError:
        return None


def written_before(parents: Sequence[DumpFolder]) -> Mark | None:
    """What the ratchet file says that a commit stands on; of several the higher, by table."""
    marks = [mark for folder in parents if (mark := readable_mark(folder)) is not None]
    before = marks[0] if marks else None
    for mark in marks[1:]:
        before = merged_mark(before, mark) if before else mark
    return before


class Standings:
    """The marks that counted, as
    :mod:`~ppr_assets.operations.published.standing_mark` tells them to
    who dumps; ``bringers``: the commits that brought a dump, by its name."""

    def __init__(
        self,
        folders: DumpFolders,
        history: Sequence[FolderCommit],
        bringers: Mapping[str, Sequence[str]],
    ) -> None:
        self._folders = folders
        self._bringers = bringers
        self._parents = {commit.sha: commit.parents for commit in history}
        self._history = MarkHistory(self._version(commit) for commit in history)

    def before(self, commit: FolderCommit) -> StandingMark | None:
        """The mark that ``commit`` had to be held to."""
        parents = [self._folders.at(parent) for parent in commit.parents]
        past = self._history.before(commit.parents)
        return standing(written_before(parents), past, self._manifests(parents, past.resets))

    def written_before(self, commit: FolderCommit) -> Mark | None:
        """What the ratchet file said then."""
        return written_before([self._folders.at(parent) for parent in commit.parents])

    def taken_over(self, commit: FolderCommit) -> bool:
        """Whether a commit of ours came before it."""
        return self._history.before(commit.parents).taken_over

    def _version(self, commit: FolderCommit) -> MarkVersion:
        folder = self._folders.at(commit.sha)
        before = [self._folders.at(parent) for parent in commit.parents]
        same = any(parent.sha(RATCHET) == folder.sha(RATCHET) for parent in before)
        reset = reset_reason(commit, folder, before) is not None
        mark = None if same else readable_mark(folder)
        ours = reset or brings_dump(commit.message)
        return MarkVersion(commit.sha, commit.parents, mark, ours=ours, reset=reset)

    def _manifests(self, parents: Sequence[DumpFolder], resets: frozenset[str]) -> Marks:
        """What the newest manifest tells, if no reset came after it."""
        described = [(name, folder) for folder in parents if (name := folder.newest_described)]
        if not described:
            return {}
        name, folder = max(described, key=lambda one: one[0])
        bringer = self._bringers.get(name, ("",))[-1]
        if not self._history.before(self._parents.get(bringer, ())).resets >= resets:
            return {}
        try:
            manifest = Manifest.from_json(folder.text(manifest_name(name)))
        except (DumpDamaged, DataRepoError):  # what is wrong with it is reported where it came
            return {}
        return told_by(mark_told(manifest.verdict, manifest.counts), f"the manifest of {name}")


def reset_reason(
    commit: FolderCommit, folder: DumpFolder, parents: Sequence[DumpFolder]
) -> str | None:
    """Why the mark was set on purpose in this commit; None if it was not."""
    reason = reset_told(commit.message)
    changed = all(parent.sha(RATCHET) != folder.sha(RATCHET) for parent in parents)
    return reason if changed else None


def wrong_mark(
    repo: DataRepo,
    folders: DumpFolders,
    commit: FolderCommit,
    folder: DumpFolder,
    parents: Sequence[DumpFolder],
) -> str | None:
    """What this commit did to the mark that it should not have done.

    A merge may carry a mark that one side has lowered on purpose and the other left alone; what
    that side did is judged at its own commit.
    """
    if parents and all(parent.sha(RATCHET) == folder.sha(RATCHET) for parent in parents):
        return None
    if RATCHET not in folder.entries:
        had = any(RATCHET in parent.entries for parent in parents)
        return "it removed the ratchet file" if had else None
    try:
        mark = mark_of(folder)
    except RatchetFileError as error:
        return error.message
    assert mark is not None  # its file is there
    told = parse_trailers(commit.message).get("Mark")
    if reset_reason(commit, folder, parents) is not None:
        if told == str(mark.organization):
            return None
        return f"trailer Mark says `{told}`, the mark is {mark.organization}"
    before = written_before(parents)
    lower = sunk(before, mark) if before else None
    if lower is None or (len(parents) > 1 and _one_side_alone(repo, folders, commit, folder)):
        return None
    return f"the mark was lowered without a recorded reset: {lower}"


def lost_marks(
    commit: FolderCommit, folder: DumpFolder, parents: Sequence[DumpFolder]
) -> str | None:
    """Which marks are gone from the ratchet file with this commit, as the old scripts write it."""
    before, after = written_before(parents), readable_mark(folder)
    if before is None or after is None or reset_reason(commit, folder, parents) is not None:
        return None
    gone = vanished(before, after)
    told = "the marks of other tables vanished from the ratchet file, and hold all the same"
    return f"{told}: {gone}" if gone else None


def _one_side_alone(
    repo: DataRepo, folders: DumpFolders, commit: FolderCommit, folder: DumpFolder
) -> bool:
    """Whether a merge has the ratchet file of one parent, and no other has touched it since they
    parted."""
    base = repo.word("merge-base", "--octopus", *commit.parents, ok=(0, 1))
    start = folders.at(base).sha(RATCHET) if base else None
    shas = [folders.at(parent).sha(RATCHET) for parent in commit.parents]
    return folder.sha(RATCHET) in shas and all(sha in (start, folder.sha(RATCHET)) for sha in shas)
