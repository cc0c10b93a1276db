"""Does the mark only ever rise, except where somebody set it on purpose and said why?"""

from __future__ import annotations

from collections.abc import Sequence

from ppr_assets.data_repo.commit import parse_trailers
from ppr_assets.data_repo.history import FolderCommit
from ppr_assets.data_repo.repository import DataRepo
from ppr_assets.errors import RatchetFileError
from ppr_assets.operations.audit.folders import Folder, Folders
from ppr_assets.operations.audit.gate_check import sunk
from ppr_assets.rules.mark import Mark, merged_mark
from ppr_assets.rules.naming import RATCHET


def mark_before(parents: Sequence[Folder]) -> Mark | None:
    """The mark that a commit stands on; of several parents the higher, table by table."""
    marks = [mark for folder in parents if (mark := folder.readable_mark) is not None]
    before = marks[0] if marks else None
    for mark in marks[1:]:
        before = merged_mark(before, mark) if before else mark
    return before


def reset_reason(commit: FolderCommit, folder: Folder, parents: Sequence[Folder]) -> str | None:
    """Why the mark was set on purpose in this commit; None if it was not."""
    trailers = parse_trailers(commit.message)
    if "Dump" in trailers or not {"Mark", "Reason"} <= trailers.keys():
        return None
    changed = all(parent.sha(RATCHET) != folder.sha(RATCHET) for parent in parents)
    return trailers["Reason"] if changed else None


def wrong_mark(
    repo: DataRepo,
    folders: Folders,
    commit: FolderCommit,
    folder: Folder,
    parents: Sequence[Folder],
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
        mark = folder.mark
    except RatchetFileError as error:
        return error.message
    assert mark is not None  # its file is there
    told = parse_trailers(commit.message).get("Mark")
    if reset_reason(commit, folder, parents) is not None:
        if told == str(mark.organization):
            return None
        return f"trailer Mark says `{told}`, the mark is {mark.organization}"
    before = mark_before(parents)
    lower = sunk(before, mark) if before else None
    if lower is None or (len(parents) > 1 and _one_side_alone(repo, folders, commit, folder)):
        return None
    return f"the mark was lowered without a recorded reset: {lower}"


def _one_side_alone(repo: DataRepo, folders: Folders, commit: FolderCommit, folder: Folder) -> bool:
    """Whether a merge has the ratchet file of one parent, and no other has touched it since they
    parted."""
    base = repo.word("merge-base", "--octopus", *commit.parents, ok=(0, 1))
    start = folders.at(base).sha(RATCHET) if base else None
    shas = [folders.at(parent).sha(RATCHET) for parent in commit.parents]
    return folder.sha(RATCHET) in shas and all(sha in (start, folder.sha(RATCHET)) for sha in shas)
