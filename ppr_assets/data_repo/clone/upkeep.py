"""Keep the clone small: pack loose objects when their bytes call for it.

``git gc --auto`` counts objects, and a night adds a dozen, one of them as large as the database. So
its threshold is never met, while each dump lies there whole. Packed, all nights but one are
differences of kilobytes.

Of a dump in parts git would compare each part with the others, which takes ten times as long and
finds nothing. It compares no two files that lie whole in one pack, so that the parts of the newest
dump are put into one before git looks for anything.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from time import monotonic

from msgspec import Struct

from ppr_assets.data_repo.checkout.lock import data_repo_lock
from ppr_assets.data_repo.checkout.work_trees import is_idle, is_quiet, wait_for_quiet, work_trees
from ppr_assets.data_repo.git.command import WHOLE, WITHIN_MEMORY, WITHOUT_LAZY_FETCH, begun
from ppr_assets.data_repo.git.pathspec import literal
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.git.tree import entry_at, read_entries, tip
from ppr_assets.errors import Busy, DataRepoError
from ppr_assets.rules.naming import DELTA_BASE_FILE, DELTA_BASE_PARTS

LOOSE_BYTES = 256 * 1024 * 1024
"""Loose objects that are left alone: packing them would cost more than they do."""

LOOSE_DUMPS = 3
"""So are those of a large dump, up to so many times its own bytes: whatever is loose, packing takes
as long as the newest dump is large, which is not to be paid each night."""

MANY_PACKS = 50
"""Packs that are left alone in a partial clone: git's own number (``gc.autoPackLimit``)."""

ALL_BYTES = 2 * 1024 * 1024 * 1024
"""Up to here everything goes into one pack; above, only what is new and small."""

_AT_ONCE = 2
"""Processes that compress at once, which one git does on one processor alone."""


class RepoSize(Struct, frozen=True):
    """Bytes on the disk of the clone's objects: ``loose`` ones and those in ``packs`` packs."""

    loose: int
    packed: int
    packs: int

    @property
    def total(self) -> int:
        return self.loose + self.packed


class CloneState(Struct, frozen=True):
    """``size`` of the clone's objects now; ``packed_seconds`` of the upkeep, 0 when none was due.
    ``remark`` says why an upkeep that was due did not happen: what was published stands."""

    size: RepoSize
    packed_seconds: float = 0.0
    remark: str = ""


def repo_size(repo: DataRepo) -> RepoSize:
    """Asks git, which looks at each pack and counts loose objects."""
    facts = dict(
        line.split(": ", 1)
        for line in repo.word("count-objects", "-v").splitlines()
        if ": " in line
    )
    return RepoSize(
        loose=int(facts["size"]) * 1024,
        packed=int(facts["size-pack"]) * 1024,
        packs=int(facts["packs"]),
    )


def keep_small(repo: DataRepo) -> CloneState:
    """Pack what is loose if it is much and nobody is at work in the clone; under its lock.

    A partial clone also gets a pack with each fetch, and has them joined when they are many.
    Nothing is lost: objects that no branch reaches stay, and where packing fails, the clone is as
    it was. Raises :class:`DataRepoError` only where the clone cannot be looked at.
    """
    repo.objects.rest()  # what it keeps of a dump is memory that packing needs
    try:
        with data_repo_lock(repo):
            return _tended(repo)
    except (Busy, DataRepoError) as error:
        return CloneState(repo_size(repo), remark=f"the clone was not packed: {error.message}")


def _tended(repo: DataRepo) -> CloneState:
    before = repo_size(repo)
    many = repo.partial and before.packs > MANY_PACKS and before.total <= ALL_BYTES
    if not many and (before.loose <= LOOSE_BYTES or before.loose <= LOOSE_DUMPS * _newest(repo)):
        return CloneState(before)
    if at_work := _at_work(repo):
        remark = f"the clone was not packed: somebody is at work in {at_work}"
        return CloneState(before, remark=remark)
    started = monotonic()
    if before.total <= ALL_BYTES:
        repo.git(*WITHIN_MEMORY, "repack", "-d", "-l", "-q", "-a", "-k", *_packed_versions(repo))
    elif not repo.partial:
        repo.git(*WITHIN_MEMORY, "repack", "-d", "-l", "-q", "--geometric=2")
    else:  # where older gits refuse that, and leave out what the remote seems to keep
        repo.git(*WITHIN_MEMORY, "maintenance", "run", "--quiet", "--task=loose-objects")
        repo.git("prune-packed", "--quiet")
    return CloneState(repo_size(repo), monotonic() - started)


def _newest(repo: DataRepo) -> int:
    """The bytes of the newest dump, as its objects have them; 0 where there is none."""
    commit = tip(repo)
    if commit is None:
        return 0
    paths = (f"{repo.dump_dir}/{DELTA_BASE_FILE}", f"{_parts_path(repo)}/")
    files = read_entries(repo, commit, *paths).values()
    return sum(repo.objects.size_of(file.sha) for file in files)


def _packed_versions(repo: DataRepo) -> tuple[str, ...]:
    """Pack the parts of all dumps: the newest whole, and each older one as a difference to the next
    version of the same part, since that is beside it in git's order. An option for ``repack``, by
    which it leaves that pack as it is; none where the newest dump is not in parts."""
    commit = tip(repo)
    if commit is None or not has_parts(repo, commit):
        return ()
    pack_parts(repo, commit)
    which = ("--objects", "--exclude-promisor-objects", commit)
    versions = repo.git("rev-list", *which, "--", literal(_parts_path(repo)))
    name = _pack(repo, stdin=versions, how=("--window=1",))
    return (f"--keep-pack=pack-{name}.pack",)


def _at_work(repo: DataRepo) -> str:
    """Where somebody changes something at this moment; empty if nobody does."""
    everywhere = work_trees(repo)
    wait_for_quiet(everywhere)  # what we have just done ourselves is no work of others
    for work_tree in everywhere:
        merging = any(
            (work_tree.git_dir / name).exists() for name in ("MERGE_HEAD", "rebase-merge")
        )
        if merging or not is_idle(work_tree) or not is_quiet(work_tree):
            return f"`{work_tree.path}`"
    if (repo.git_dir / "gc.pid").exists():
        return "its own upkeep (`gc.pid`)"
    return ""


def pack_parts(repo: DataRepo, commit: str) -> None:
    """Store the parts of the dump at ``commit``, where it has any, whole in a pack of their own.

    Raises :class:`GitTimeout` and :class:`GitCommandFailed`; nothing is lost then.
    Call it under the repository's lock.
    """
    if not has_parts(repo, commit):
        return
    shares = _compressed(repo, commit)
    tree = f"{commit}:{_parts_path(repo)}\n".encode()
    whole = _pack(repo, *WHOLE, stdin=tree, how=("--revs",))
    for name in shares:
        if name != whole:  # which has all that they have
            _remove_pack(repo, name)
    repo.git("prune-packed", "--quiet")


def has_parts(repo: DataRepo, commit: str) -> bool:
    """Whether the dump at ``commit`` is in parts."""
    return entry_at(repo, commit, _parts_path(repo)) is not None


def _parts_path(repo: DataRepo) -> str:
    """The folder that has the newest dump's parts in the branch, seen from its root."""
    return f"{repo.dump_dir}/{DELTA_BASE_PARTS}"


def _pack(repo: DataRepo, *config: str, stdin: bytes, how: tuple[str, ...]) -> str:
    """Make a pack of the objects named on ``stdin``; its own part of its name."""
    return repo.git(*_command(repo, config, how), stdin=stdin).decode().strip()


def _compressed(repo: DataRepo, commit: str) -> list[str]:
    """Packs with a share of the parts each, made side by side, so that the pack of all copies what
    they have."""
    entries = read_entries(repo, commit, f"{_parts_path(repo)}/").values()
    here = [entry.sha for entry in entries if repo.objects.name_of(entry.sha)]
    shares = filter(None, (here[number::_AT_ONCE] for number in range(_AT_ONCE)))
    command = _command(repo, WHOLE, ())
    env = WITHOUT_LAZY_FETCH if repo.partial else {}
    limit = repo.settings.timeout_seconds
    with ExitStack() as at_the_end:
        works = []
        for share in shares:
            names = at_the_end.enter_context(tempfile.TemporaryFile())
            names.write("".join(f"{sha}\n" for sha in share).encode())
            names.seek(0)
            work = begun(repo.path, *command, timeout=limit, stdin=names, env=env)
            works.append(at_the_end.enter_context(work))
        return [finish().stdout.decode().strip() for finish in works]


def _command(repo: DataRepo, config: tuple[str, ...], how: tuple[str, ...]) -> tuple[str, ...]:
    options = ("--quiet", "--local", "--delta-base-offset", "--missing=allow-any", *how)
    beside = str(repo.git_dir / "objects" / "pack" / "pack")
    return (*WITHIN_MEMORY, *config, "pack-objects", *options, beside)


def _remove_pack(repo: DataRepo, name: str) -> None:
    """In git's own order: without an index it is no pack."""
    for ending in ("idx", "rev", "pack"):
        (repo.git_dir / "objects" / "pack" / f"pack-{name}.{ending}").unlink(missing_ok=True)
