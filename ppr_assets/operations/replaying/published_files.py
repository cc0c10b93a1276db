"""The published job files of a folder, and which of them a replay takes."""

from __future__ import annotations

import os
import re
import stat
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from msgspec import Struct

from ppr_assets.records.json_text import MOST_BYTES

_DAILY = re.compile(r"(?:.*/)?daily/(\d{4}-\d\d-\d\d)/(?:scrapers/([^/]+)|processed)/[^/]+\.json")
_NO_JOB = re.compile(
    r"(?:.*/)?summary\.json|(?:content_store|data|sqlite|sql_dumps)/.*|(?:daily/)?latest(?:/.*)?"
)
NO_FILE = "not a regular file"
LINK = "a symbolic link"
TOO_LARGE = f"more than {MOST_BYTES // 2**20} MB"
PROCESSED = "processed"
"""In the place of a scraper's name, of jobs that name none."""


class PublishedFile(Struct, frozen=True):
    """``day`` and ``scraper`` as its place says, None for one that lies elsewhere; ``name``: its
    path within what was named, with ``/``. It lies at ``path``, or is git's object ``sha``;
    ``unread`` says why it is none that can be read."""

    day: str | None
    name: str
    scraper: str | None
    path: Path | None = None
    sha: str = ""
    unread: str = ""


class Selection(Struct, frozen=True):
    """``days``: the last ones that each scraper has, where ``since`` is not given; ``scrapers`` and
    ``patterns``: any of them, all where there are none."""

    days: int | None = None
    since: str | None = None
    until: str | None = None
    scrapers: Sequence[str] = ()
    patterns: Sequence[str] = ()

    def of(self, files: Iterable[PublishedFile]) -> list[PublishedFile]:
        """Those that are taken, the oldest day first."""
        taken = [one for one in files if self._takes(one)]
        if self.days is not None and self.since is None:
            first = self._first_days(taken)
            taken = [one for one in taken if one.day is None or one.day >= first[one.scraper]]
        return sorted(taken, key=lambda one: (one.day or "", one.name))

    def _takes(self, one: PublishedFile) -> bool:
        if self.scrapers and one.scraper not in self.scrapers:
            return False
        if self.patterns and not any(fnmatchcase(one.name, each) for each in self.patterns):
            return False
        if one.day is None:
            return True
        return (self.since or "") <= one.day and (not self.until or one.day <= self.until)

    def _first_days(self, files: Iterable[PublishedFile]) -> dict[str | None, str]:
        days: defaultdict[str | None, set[str]] = defaultdict(set)
        for one in files:
            if one.day is not None:
                days[one.scraper].add(one.day)
        assert self.days is not None
        return {scraper: sorted(found)[-self.days :][0] for scraper, found in days.items()}


def published_files(folder: Path) -> Iterator[PublishedFile]:
    """All below the folder. What cannot be looked into, a link or a folder that this user may not
    read, is told like a file, so that nobody takes it for read."""
    closed: list[OSError] = []
    top = str(folder.absolute())
    for at, folders, names in os.walk(top, onerror=closed.append):
        folders[:] = sorted(name for name in folders if name != ".git")
        linked = [name for name in folders if Path(at, name).is_symlink()]
        for name in sorted([*names, *linked]):
            path = f"{at}/{name}"
            within = path[len(top) :].lstrip("/")
            if is_job(within) or (name in linked and not _NO_JOB.fullmatch(within)):
                yield published_file(within, path)
    for error in closed:
        path = str(error.filename)
        yield published_file(path[len(top) :].lstrip("/") or ".", path)


def published_file(name: str, path: str) -> PublishedFile:
    day, scraper = place_of(path)
    return PublishedFile(day, name, scraper, Path(path))


def is_job(name: str) -> bool:
    return name.endswith(".json") and (
        _DAILY.fullmatch(name) is not None or not _NO_JOB.fullmatch(name)
    )


def place_of(path: str) -> tuple[str | None, str | None]:
    """Day and scraper of what lies where the publisher puts it."""
    place = _DAILY.fullmatch(path)
    return (place[1], place[2] or PROCESSED) if place else (None, None)


def size_of_path(file: PublishedFile) -> int:
    """0 where there is no regular file."""
    try:
        facts = file.path.lstat() if file.path else None
    except OSError:  # reading it says why
        return 0
    return facts.st_size if facts and stat.S_ISREG(facts.st_mode) else 0
