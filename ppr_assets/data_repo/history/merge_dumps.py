"""Merge the dump folder of two histories, file by file and without looking for renames.

Every dump and manifest of both sides stays. What one side alone has changed is taken over: a mark
that somebody lowered on purpose stays lowered. Where both have published, latest.sql becomes the
newer dump, and the caller decides about the ratchet file.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Sequence

from ppr_assets.data_repo.git.objects import FILE, TREE, Blob, write_blob, write_tree
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.git.tree import read_entries, read_file
from ppr_assets.data_repo.git.tree_objects import Entry
from ppr_assets.data_repo.history.dump_folder import dump_folder
from ppr_assets.errors import DataRepoError
from ppr_assets.rules.attributes import ATTRIBUTES, with_our_line
from ppr_assets.rules.naming import DELTA_BASE, LATEST, RATCHET, is_dump_name

MergeRatchet = Callable[[bytes | None, bytes | None], bytes]
"""From the ratchet file here and the one on the remote to the one that holds for both."""


class Unmergeable(DataRepoError):
    """Paths that both sides have changed in different ways.

    ``ours`` is true when they all belong to dumps: two publishers have given different dumps the
    same name, which nobody has to merge by hand.
    """

    def __init__(self, repo: DataRepo, paths: Sequence[str]) -> None:
        super().__init__(
            f"`{repo.branch}` here and on the remote cannot be merged, both have changed "
            + ", ".join(f"`{path}`" for path in paths[:10]),
            hint=f"merge them by hand (`git pull` in `{repo.path}`); the dump waits for it.",
        )
        self.ours = all(_of_a_dump(repo, path) for path in paths)


def merge_dumps(
    repo: DataRepo, base: str | None, local: str, remote: str, merge_ratchet: MergeRatchet
) -> Blob | None:
    """The dump folder that holds both sides; None where neither has one.

    Raises :class:`Unmergeable` for a file that both have changed in different ways.
    """
    before = _folder(repo, base) if base else {}
    ours, theirs = _folder(repo, local), _folder(repo, remote)
    merged, conflicts = {}, []
    for name in sorted(before.keys() | ours.keys() | theirs.keys()):
        here, there = ours.get(name), theirs.get(name)
        entry: Entry | None
        if here == there or there == before.get(name):
            entry = here
        elif here == before.get(name):
            entry = there
        elif name in (LATEST.encode(), DELTA_BASE.encode()):
            entry = here if _newer_here(repo, local, remote) else there
        elif name == RATCHET.encode():
            entry = _ratchet(repo, local, remote, merge_ratchet)
        elif name == ATTRIBUTES.encode() and (both := _attributes(repo, base, local, remote)):
            entry = both
        else:
            conflicts.append(f"{repo.dump_dir}/{name.decode('utf-8', 'replace')}")
            continue
        if entry:
            merged[name] = entry
    if conflicts:
        raise Unmergeable(repo, conflicts)
    return Blob(TREE, write_tree(repo, merged)) if merged else None


def _of_a_dump(repo: DataRepo, path: str) -> bool:
    """Whether this is a dump, its manifest or the folder of its parts."""
    folder, _, name = path.rpartition("/")
    stem = name.removesuffix(".gz").rpartition(".")[0]
    return folder == repo.dump_dir and is_dump_name(f"{stem}.sql")


def _folder(repo: DataRepo, commit: str) -> dict[bytes, Entry]:
    prefix = f"{repo.dump_dir}/".encode()
    found = read_entries(repo, commit, prefix.decode())
    return {path.removeprefix(prefix): entry for path, entry in found.items()}


def _newer_here(repo: DataRepo, local: str, remote: str) -> bool:
    """Whether the newer of the two latest dumps is the one here."""
    return (dump_folder(repo, local).latest or "") > (dump_folder(repo, remote).latest or "")


def _ratchet(repo: DataRepo, local: str, remote: str, merge_ratchet: MergeRatchet) -> Entry:
    merged = merge_ratchet(*(_regular(repo, side, RATCHET) for side in (local, remote)))
    return Entry(FILE, "blob", write_blob(repo, merged))


def _attributes(repo: DataRepo, base: str | None, local: str, remote: str) -> Entry | None:
    """What one side has written, where the other has only added our line; None where both have
    written something."""
    before = _regular(repo, base, ATTRIBUTES) if base else None
    sides = [_regular(repo, commit, ATTRIBUTES) for commit in (local, remote)]
    for ours, theirs in (sides, reversed(sides)):
        if ours == with_our_line(before):
            return Entry(FILE, "blob", write_blob(repo, with_our_line(theirs)))
    return None


def _regular(repo: DataRepo, commit: str, name: str) -> bytes | None:
    path = f"{repo.dump_dir}/{name}"
    file = read_file(repo, commit, path)
    if file is None:
        return None
    if not stat.S_ISREG(int(file.mode, 8)):
        raise DataRepoError(f"`{path}` is not a regular file in {commit[:10]}")
    return file.data
