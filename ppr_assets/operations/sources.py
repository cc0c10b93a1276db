"""Find the dump that is meant, and have its bytes in a file.

The data repository is read at a commit, never as it happens to lie in the work tree: a file there
is only used when it is the committed one's size and name, and every dump is verified before use.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from ppr_assets.data_repo.clone import DataRepo, open_data_repo
from ppr_assets.data_repo.git_errors import scrub
from ppr_assets.data_repo.glimpse import glimpse
from ppr_assets.data_repo.integrate import is_ancestor
from ppr_assets.data_repo.remote import fetch
from ppr_assets.data_repo.tree import latest_name, list_dumps, read_file, tip
from ppr_assets.errors import DataRepoError, DumpMissing, PreconditionFailed, PushFailed
from ppr_assets.operations.committed import brought, dump_at
from ppr_assets.operations.scratch import scratch_folder
from ppr_assets.rules.manifest import Manifest
from ppr_assets.rules.naming import (
    LATEST,
    LATEST_PACKED,
    dump_moment,
    is_dump_name,
    manifest_name,
)
from ppr_assets.settings import DataRepoSettings


@dataclass(frozen=True)
class Wanted:
    """Which dump. ``dump``: its name, or the path of a file. ``before``: the newest from before
    this moment. ``at``: as published at this commit. ``source``: another data repository, or a
    folder with dumps. With nothing given, the latest."""

    dump: str | None = None
    before: datetime | None = None
    at: str | None = None
    source: str | None = None


@dataclass(frozen=True)
class FoundDump:
    """A dump whose bytes are at ``path``; ``commit`` is where it was found published. ``remarks``
    say why it may not be the one that is thought."""

    name: str
    path: Path
    manifest: Manifest | None
    commit: str | None
    spill_folder: Path
    remarks: tuple[str, ...] = ()

    @property
    def origin(self) -> str:
        return f"commit {self.commit[:10]}" if self.commit else f"`{self.path.parent}`"


@dataclass(frozen=True)
class Shelf:
    """The dumps of one place, ``names`` oldest first; ``take`` has the bytes of one here."""

    names: Sequence[str]
    take: Callable[[Wanted], FoundDump]


@contextmanager
def found_dump(settings: DataRepoSettings, wanted: Wanted) -> Iterator[FoundDump]:
    """Find the dump; it is there until the context ends.

    Raises :class:`DumpMissing` saying which dumps there are, :class:`DataRepoError` and its kin,
    and :class:`DumpDamaged` for a manifest that cannot be read.
    """
    with opened_shelf(settings, wanted) as shelf:
        yield shelf.take(wanted)


@contextmanager
def opened_shelf(settings: DataRepoSettings, wanted: Wanted) -> Iterator[Shelf]:
    """All dumps of the place that is meant; what was taken is there until the context ends.

    Raises what :func:`found_dump` raises, the latter two when one is taken.
    """
    if wanted.dump is not None and os.sep in wanted.dump:
        file = Path(wanted.dump)
        with scratch_folder(_temporary()) as scratch:
            yield _files(file.parent.resolve(), scratch)
    elif wanted.source is not None and _is_plain_folder(Path(wanted.source)):
        with scratch_folder(_temporary()) as scratch:
            yield _files(Path(wanted.source).resolve(), scratch)
    else:
        with _opened(settings, wanted) as (repo, commit, scratch, remarks):
            yield Shelf(
                list_dumps(repo, commit),
                lambda one: replace(_published(repo, commit, one, scratch), remarks=remarks),
            )


def _files(folder: Path, scratch: Path) -> Shelf:
    """The dumps in a folder of files."""
    if not folder.is_dir():
        raise DumpMissing(f"there is no folder `{folder}` to take a dump from")
    names = sorted(entry.name for entry in folder.iterdir() if is_dump_name(entry.name))
    return Shelf(names, lambda one: _in_folder(folder, names, one, scratch))


def newest_tip(repo: DataRepo) -> tuple[str | None, tuple[str, ...]]:
    """The branch's tip, or the remote's where that is ahead. Offline it is what the clone knows,
    and a remark says so: a dump that is there is better than none."""
    local = tip(repo)
    try:
        remote = fetch(repo)
    except PushFailed as error:
        remark = f"newer dumps may be published, as the remote was not asked: {error.message}"
        return local, (remark,)
    if local is None or remote is None:
        return local or remote, ()
    return (remote if is_ancestor(repo, local, remote) else local), ()


def choose(names: Sequence[str], latest: str | None, wanted: Wanted, where: str) -> str:
    """The name that is meant, out of ``names``. Raises :class:`DumpMissing`."""
    if not names:
        raise DumpMissing(
            f"there is no dump in {where}",
            hint="`ppr-assets dump` makes one of a database; --from takes one from elsewhere.",
        )
    if wanted.dump is not None:
        given = wanted.dump
        for name in (given, f"{given}.sql", f"{given}.sql.gz"):
            if name in names:
                return name
        if given in (LATEST, LATEST_PACKED) and latest:
            return latest
        raise DumpMissing(
            f"there is no dump `{given}` in {where}, the newest is {max(names)}",
            hint="`ppr-assets list` names them; older ones are in the history: "
            "`ppr-assets list --history` names the commit for --at.",
        )
    if wanted.before is not None:
        limit = wanted.before
        older = [name for name in names if (moment := dump_moment(name)) and moment < limit]
        if not older:
            raise DumpMissing(
                f"there is no dump from before {limit:%Y-%m-%d %H:%M:%S} UTC in {where}, the "
                f"oldest is {min(names)}",
                hint="older ones are in the history: `ppr-assets list --history` names the commit "
                "for --at.",
            )
        return max(older)
    return latest or max(names)


@contextmanager
def _opened(
    settings: DataRepoSettings, wanted: Wanted
) -> Iterator[tuple[DataRepo, str, Path, tuple[str, ...]]]:
    """The repository, the commit to look at, a folder to work in, and remarks."""
    source = wanted.source
    if source is not None and not Path(source).exists():
        if ":" not in source:
            raise DumpMissing(
                f"there is no folder `{source}` to take a dump from",
                hint="look at the path; another machine's repository is given by its URL.",
            )
        with scratch_folder(_temporary()) as folder:
            repo = glimpse(settings, source, folder / "data.git", with_history=bool(wanted.at))
            yield repo, _commit(repo, wanted.at, "HEAD"), folder, ()
        return
    if source is not None:
        settings = replace(settings, path=Path(source).resolve(), url=None)
    repo = open_data_repo(settings)
    newest, remarks = (tip(repo), ()) if source or wanted.at else newest_tip(repo)
    if newest is None:
        raise DumpMissing(
            f"branch `{repo.branch}` of `{repo.path}` has no commit yet, and so no dump",
            hint="`ppr-assets dump` makes one of a database; --from takes one from elsewhere.",
        )
    # In the clone of ours there is room for a dump; another repository is only read.
    ours = source is None and os.access(repo.git_dir, os.W_OK)
    with scratch_folder(repo.state_dir / "restoring" if ours else _temporary()) as folder:
        yield repo, _commit(repo, wanted.at, newest), folder, remarks


def _commit(repo: DataRepo, at: str | None, newest: str) -> str:
    name = f"{at or newest}^{{commit}}"
    found = repo.word("rev-parse", "--verify", "--quiet", "--end-of-options", name, ok=(0, 1, 128))
    if not found:
        raise DataRepoError(
            f"there is no commit `{at}` in `{repo.path}`",
            hint="`git fetch` brings newer ones; a shallow clone lacks the older ones.",
        )
    return found


def _published(repo: DataRepo, commit: str, wanted: Wanted, folder: Path) -> FoundDump:
    place = scrub(repo.remote_url or "") if repo.bare else repo.path
    where = f"commit {commit[:10]} of `{place}`"
    link = _latest_link(wanted.dump)
    latest = brought(repo, commit, f"{repo.dump_dir}/{link}") and latest_name(repo, commit, link)
    name = choose(list_dumps(repo, commit), latest or None, wanted, where)
    described = f"{repo.dump_dir}/{manifest_name(name)}"
    file = read_file(repo, commit, described) if brought(repo, commit, described) else None
    manifest = Manifest.from_json(file.data.decode("utf-8", "replace")) if file else None
    path = dump_at(repo, commit, name, manifest, folder)
    return FoundDump(name, path, manifest, commit, folder)


def _latest_link(given: str | None) -> str:
    """The symlink that leads to the latest dump: upstream had one for compressed dumps too."""
    return LATEST_PACKED if given == LATEST_PACKED else LATEST


def _is_plain_folder(path: Path) -> bool:
    """A folder of files, as opposed to a clone or a bare repository."""
    return path.is_dir() and not (path / ".git").exists() and not (path / "HEAD").exists()


def _in_folder(folder: Path, names: Sequence[str], wanted: Wanted, scratch: Path) -> FoundDump:
    given = Path(wanted.dump).name if wanted.dump is not None else None
    if given is not None and not names and not (folder / given).exists():
        raise DumpMissing(
            f"there is no file `{folder / given}`",
            hint="look at the path; `ppr-assets list` names the dumps of the data repository.",
        )
    if given is not None and given not in names and (folder / given).exists():
        name = given  # whatever it is called
    else:
        link = folder / _latest_link(given)
        latest = link.resolve().name if link.exists() else None
        wanted = replace(wanted, dump=given)
        name = choose(names, latest if latest in names else None, wanted, f"`{folder}`")
    path = folder / name
    real = path.resolve().name if path.is_symlink() else name
    described = folder / manifest_name(real)
    manifest = (
        Manifest.from_json(described.read_text(encoding="utf-8", errors="replace"))
        if described.is_file()
        else None
    )
    return FoundDump(real if manifest else name, path, manifest, None, scratch)


def _temporary() -> Path:
    """A folder below the system's own for such things, of this user alone."""
    folder = Path(tempfile.gettempdir()) / f"ppr_assets-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        raise PreconditionFailed(
            f"`{folder}` belongs to somebody else",
            hint="remove it, or set TMPDIR to a folder of yours.",
        )
    return folder
