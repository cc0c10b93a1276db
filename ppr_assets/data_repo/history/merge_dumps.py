"""Merge the dump folder of two histories, file by file and without looking for renames.

Every dump and manifest of both sides stays. What one side alone has changed is taken over: a mark
that somebody lowered on purpose stays lowered. Where both have published, latest.sql becomes the
newer dump, the ratchet file gets the higher mark, and the page is made anew of both.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from ppr_assets.data_repo.git.objects import Blob, write_blob, write_tree
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.git.tree import FILE, TREE, TreeEntry
from ppr_assets.data_repo.history.dump_folder import DumpFolder, dump_folder
from ppr_assets.errors import DataRepoError
from ppr_assets.rules.attributes import ATTRIBUTES, with_our_line
from ppr_assets.rules.mark import merged_mark, parse_mark, render_mark
from ppr_assets.rules.naming import DELTA_BASE, LATEST, PAGE, PICTURE, RATCHET, is_dump_name


class Unmergeable(DataRepoError):
    """Paths that both sides have changed in different ways.

    ``ours`` is true when they all belong to dumps: two publishers have given different dumps the
    same name, which nobody has to merge by hand.
    """

    def __init__(self, repo: DataRepo, paths: Sequence[str]) -> None:
        super().__init__(
            f"`{repo.branch}` here and on the remote cannot be merged, both have changed "
            + ", ".join(f"`{path}`" for path in paths[:10]),
            hint=f"merge them by hand (`git pull` in `{repo.path}`); the dump is pending until "
            "then.",
        )
        self.ours = all(_of_a_dump(repo, path) for path in paths)


def merge_dumps(repo: DataRepo, base: str | None, local: str, remote: str) -> Blob | None:
    """The dump folder that holds both sides; None where neither has one.

    Raises :class:`Unmergeable` for a file that both have changed in different ways.
    """
    before, ours, theirs = (dump_folder(repo, commit) for commit in (base, local, remote))
    merged: dict[str, TreeEntry] = {}
    conflicts: list[str] = []
    for name in sorted(before.entries.keys() | ours.entries.keys() | theirs.entries.keys()):
        here, there, was = (folder.entries.get(name) for folder in (ours, theirs, before))
        entry: TreeEntry | None
        if here == there or there == was:
            entry = here
        elif here == was:
            entry = there
        elif name in (LATEST, DELTA_BASE):
            entry = here if (ours.latest or "") > (theirs.latest or "") else there
        elif name == RATCHET:
            entry = _file(repo, _ratchet(_regular(ours, RATCHET), _regular(theirs, RATCHET)))
        elif name == ATTRIBUTES and (both := _attributes(before, ours, theirs)) is not None:
            entry = _file(repo, both)
        else:
            conflicts.append(name)
            continue
        if entry:
            merged[name] = entry
    # Late: only where both sides have moved is there a page to be made of both.
    from ppr_assets.data_repo.history.dump_page import merged_page

    pages_of_both = {PAGE, PICTURE}.intersection(conflicts)
    pages = merged_page(DumpFolder(repo, None, merged), before, (ours, theirs), pages_of_both)
    merged |= {name: _file(repo, data) for name, data in pages.items()}
    if left := [name for name in conflicts if name not in pages]:
        paths = (os.fsencode(ours.path(name)).decode("utf-8", "replace") for name in left)
        raise Unmergeable(repo, [*paths])
    tree = {os.fsencode(name): entry for name, entry in merged.items()}
    return Blob(TREE, write_tree(repo, tree)) if tree else None


def _file(repo: DataRepo, data: bytes) -> TreeEntry:
    return TreeEntry(FILE, "blob", write_blob(repo, data))


def _of_a_dump(repo: DataRepo, path: str) -> bool:
    """Whether this is a dump, its manifest or the folder of its parts."""
    folder, _, name = path.rpartition("/")
    stem = name.removesuffix(".gz").rpartition(".")[0]
    return folder == repo.dump_dir and is_dump_name(f"{stem}.sql")


def _ratchet(ours: bytes | None, theirs: bytes | None) -> bytes:
    """The higher mark of both, table by table; one of them if only one side has any."""
    if ours is None or theirs is None:
        return ours or theirs or b""
    return render_mark(merged_mark(parse_mark(ours), parse_mark(theirs))).encode()


def _attributes(before: DumpFolder, ours: DumpFolder, theirs: DumpFolder) -> bytes | None:
    """What one side has written, where the other has only added our line; None where both have
    written something."""
    start = _regular(before, ATTRIBUTES)
    sides = [_regular(folder, ATTRIBUTES) for folder in (ours, theirs)]
    for one, other in (sides, reversed(sides)):
        if one == with_our_line(start):
            return with_our_line(other)
    return None


def _regular(folder: DumpFolder, name: str) -> bytes | None:
    file = folder.file(name)
    if file is None:
        return None
    if not folder.is_regular(name):
        raise DataRepoError(
            f"`{folder.path(name)}` is not a regular file in {(folder.commit or '')[:10]}",
            hint="commit a file in its place: a merge takes no symlink or folder for one.",
        )
    return file.data
