"""What a replay reads: the published files of folders, or of a commit of a data repository."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

from ppr_assets.data_repo.git.listings import listed
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.git.tree import SYMLINK
from ppr_assets.data_repo.remote.missing_objects import bring
from ppr_assets.errors import SettingsError
from ppr_assets.operations.replaying.published_files import (
    LINK,
    NO_FILE,
    TOO_LARGE,
    PublishedFile,
    Selection,
    is_job,
    place_of,
    published_file,
    published_files,
    size_of_path,
)
from ppr_assets.operations.replaying.read_files import Blob, reading_processes
from ppr_assets.operations.sources.repository import opened
from ppr_assets.operations.sources.wanted import Wanted
from ppr_assets.records.json_text import MOST_BYTES
from ppr_assets.settings import DataRepoSettings


@dataclass(frozen=True)
class Input:
    """The files to be read, the oldest day first; ``blob`` reads those that are in git, and
    ``origin`` says where they are from. ``processes`` read them, where there are many."""

    files: Sequence[PublishedFile]
    origin: str
    blob: Blob | None = None
    size: Callable[[PublishedFile], int] = size_of_path
    processes: Sequence[Connection] = field(default=(), repr=False)

    def bytes(self) -> int:
        """Of all files that are read."""
        sizes = (self.size(file) for file in self.files if not file.unread)
        return sum(size for size in sizes if size <= MOST_BYTES)


@contextmanager
def opened_input(
    settings: DataRepoSettings, paths: Sequence[Path], wanted: Wanted, selection: Selection
) -> Iterator[Input]:
    """What of the ``paths``, or else of the data repository that is ``wanted``, is to be read.
    Raises :class:`SettingsError` for a path that is not there and where there is nothing to read,
    and what opening a data repository raises."""
    if paths:
        files = _chosen([file for path in paths for file in _files(path)], selection)
        origin = ", ".join(f"`{path}`" for path in paths)
        with reading_processes(len(files)) as processes:
            yield Input(files, origin, processes=processes)
        return
    with opened(settings, wanted) as (repo, commit, _, _):
        files = _chosen([*_committed_files(repo, commit)], selection)
        if repo.partial:
            bring(repo, *(one.sha for one in files if not one.unread))  # all at once
        origin, size_of = f"commit {commit[:10]}", repo.objects.size_of
        with reading_processes(len(files)) as processes:
            yield Input(
                files,
                origin,
                lambda one: _blob(repo, one),
                lambda one: size_of(one.sha),
                processes,
            )


def _files(path: Path) -> Iterable[PublishedFile]:
    if path.is_dir():
        return published_files(path)
    if path.is_symlink() or path.exists():
        return [published_file(path.name, str(path.absolute()))]
    raise SettingsError(
        f"`{path}` is not there",
        hint="name a clone of the data repository, a folder or a file of it.",
    )


def _committed_files(repo: DataRepo, commit: str) -> Iterator[PublishedFile]:
    """All below ``daily/``, read from git's objects."""
    listing = repo.git("ls-tree", "-r", "-z", "--full-tree", commit, "--", "daily/")
    for path, one in listed(listing):
        name = path.decode("utf-8", "surrogateescape")
        if is_job(name):
            day, scraper = place_of(name)
            unread = LINK if one.mode == SYMLINK else "" if one.kind == "blob" else NO_FILE
            yield PublishedFile(day, name, scraper, sha=one.sha, unread=unread)


def _blob(repo: DataRepo, file: PublishedFile) -> bytes | str:
    """The file's bytes, or why they are not read."""
    if file.unread:
        return file.unread
    if repo.objects.size_of(file.sha) > MOST_BYTES:
        return TOO_LARGE
    return b"".join(repo.objects.stream(file.sha))


def _chosen(found: Sequence[PublishedFile], selection: Selection) -> Sequence[PublishedFile]:
    if files := selection.of(found):
        return files
    raise SettingsError(
        f"none of {len(found)} published files is to be replayed",
        hint="look at --since, --until, --scraper and --pattern; published records lie in "
        "daily/YYYY-MM-DD/scrapers/NAME/ of a data repository.",
    )
