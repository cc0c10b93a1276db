"""The published job files of a commit, read from git's objects; a partial clone brings those that
are chosen in one request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.remote.missing_objects import bring
from ppr_assets.operations.replaying.published_files import (
    LINK,
    NO_FILE,
    TOO_LARGE,
    PublishedFile,
    is_job,
    place_of,
)
from ppr_assets.records.json_text import MOST_BYTES

_LINK = "120000"


def committed_files(repo: DataRepo, commit: str) -> Iterator[PublishedFile]:
    """All below ``daily/``."""
    listing = repo.git("ls-tree", "-r", "-z", "--full-tree", commit, "--", "daily/")
    for line in listing.split(b"\0"):
        facts, _, path = line.partition(b"\t")
        name = path.decode("utf-8", "surrogateescape")
        if facts and is_job(name):
            mode, kind, sha = facts.decode().split()
            day, scraper = place_of(name)
            unread = LINK if mode == _LINK else "" if kind == "blob" else NO_FILE
            yield PublishedFile(day, name, scraper, sha=sha, unread=unread)


def bring_files(repo: DataRepo, files: Sequence[PublishedFile]) -> None:
    """Have their bytes here. Raises :class:`RemoteUnreachable`."""
    if repo.partial:
        bring(repo, *(one.sha for one in files if not one.unread))


def blob(repo: DataRepo, file: PublishedFile) -> bytes | str:
    """The file's bytes, or why they are not read."""
    if file.unread:
        return file.unread
    if repo.objects.size_of(file.sha) > MOST_BYTES:
        return TOO_LARGE
    return b"".join(repo.objects.stream(file.sha))
