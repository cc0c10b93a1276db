"""Every file read, with what became of it: exactly one of loaded, empty, rejected, and why.

What all of them tell is brought together.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from tempfile import TemporaryFile
from typing import Literal, NamedTuple, TypeVar

from msgspec import Struct, field

from ppr_assets.errors import DumpDamaged, FilesUnaccounted
from ppr_assets.operations.replaying.input import Input
from ppr_assets.operations.replaying.merged import MergedRecords, Merging
from ppr_assets.operations.replaying.published_files import PROCESSED, PublishedFile
from ppr_assets.operations.replaying.read_files import Read, Spool, read_files
from ppr_assets.records.reader import Loaded, NothingToLoad

_PLACE = re.compile(r"(?: starting at)? at (?:line|byte) .*", re.DOTALL)
"""Where in a file something is wrong; a reason is counted without it."""

Outcome = Literal["loaded", "empty", "rejected"]
OUTCOMES: tuple[Outcome, ...] = ("loaded", "empty", "rejected")


class FileLine(Struct, frozen=True, omit_defaults=True):
    """Of one file. ``json_path``: where in it the reason is."""

    file: str
    outcome: Outcome
    day: str | None = None
    scraper: str = ""
    reason: str = ""
    json_path: str = ""
    organizations: int = 0
    was_truncated: bool = False
    bytes: int = 0

    @classmethod
    def of(cls, file: PublishedFile, read: Read) -> FileLine:
        became = read.outcome
        job = became.job
        day = file.day or (job.day if job else None)
        scraper = file.scraper or (job.scraper if job else None) or PROCESSED
        match became:
            case Loaded():
                told = len(read.named)
                cut = became.was_truncated
                return cls(file.name, "loaded", day, scraper, "", "", told, cut, read.size)
            case NothingToLoad(reason=reason):
                return cls(file.name, "empty", day, scraper, reason, bytes=read.size)
            case _:
                reason, path = became.reason, became.json_path
                return cls(file.name, "rejected", day, scraper, reason, path, bytes=read.size)


class FileKind(NamedTuple):
    """Of files that are counted together; a ``day`` that nobody knows is empty."""

    scraper: str
    day: str
    outcome: Outcome
    reason: str


K = TypeVar("K")


class Accounts(Struct):
    """``files``: how many were to be read."""

    files: int
    counted: Counter[FileKind] = field(default_factory=Counter)
    without_place: Counter[str] = field(default_factory=Counter)
    """What the files hold and no table of HSDS has, by name."""
    truncated: int = 0

    def add(self, file: PublishedFile, read: Read) -> FileLine:
        line = FileLine.of(file, read)
        reason = _PLACE.sub("", line.reason)
        self.counted[FileKind(line.scraper, line.day or "", line.outcome, reason)] += 1
        if isinstance(read.outcome, Loaded):
            self.without_place.update(read.outcome.without_place)
            self.truncated += read.outcome.was_truncated
        return line

    @property
    def by_outcome(self) -> Counter[str]:
        return self._by(lambda kind: kind.outcome)

    @property
    def by_reason(self) -> Counter[tuple[str, str]]:
        found = self._by(lambda kind: (kind.outcome, kind.reason))
        return Counter({key: count for key, count in found.items() if key[1]})

    @property
    def by_day(self) -> Counter[str]:
        return self._by(lambda kind: kind.day)

    def _by(self, key: Callable[[FileKind], K]) -> Counter[K]:
        found: Counter[K] = Counter()
        for kind, count in self.counted.items():
            found[key(kind)] += count
        return found

    @property
    def accounted(self) -> bool:
        return self.counted.total() == self.files

    def __str__(self) -> str:
        counts = self.by_outcome
        parts = (f"{counts[one]} {one}" for one in OUTCOMES)
        return f"{self.files} files: {', '.join(parts)}"


class ReplayOutcome(Struct, frozen=True):
    """``changed``: rows by table that were inserted or brought up to date; empty where nothing was
    loaded. ``no_place`` and ``filled``: what the database's tables had no place for, and which
    columns took a value that nobody told, by name and how often. ``merged``: how many tellings of
    organizations and of locations were counted to another one's. ``origin``: where the
    files are from."""

    accounts: Accounts
    merged: tuple[int, int]
    changed: Mapping[str, int] = field(default_factory=dict)
    no_place: Mapping[str, int] = field(default_factory=dict)
    filled: Mapping[str, int] = field(default_factory=dict)
    origin: str = ""


OnLine = Callable[[FileLine], None]


def unseen(_: FileLine) -> None:
    """For whoever needs no line for each file."""


@contextmanager
def gathered(
    given: Input, *, strict: bool = False, on_line: OnLine = unseen
) -> Iterator[tuple[Accounts, MergedRecords]]:
    """What became of the files, and what they tell. Raises :class:`DumpDamaged` for a rejected file
    where ``strict``, and :class:`FilesUnaccounted` when a file has no outcome."""
    accounts = Accounts(len(given.files))
    with TemporaryFile(prefix="ppr_assets_replay_") as file:  # which has no name on the disk
        merging = Merging(Spool(file))
        for published, read in read_files(given.files, given.blob, given.processes):
            line = accounts.add(published, read)
            on_line(line)
            if strict and line.outcome == "rejected":
                raise DumpDamaged(
                    f"{line.file} cannot be used: {line.reason} at {line.json_path or '$'}",
                    hint="nothing was loaded. Without --strict such files are counted and named.",
                )
            merging.add(read, line.file)
        if not accounts.accounted:
            raise FilesUnaccounted(
                f"{accounts.counted.total()} of {accounts.files} files are accounted for",
                hint="nothing was loaded. Do files come and go there meanwhile?",
            )
        yield accounts, merging.merged()


def preview(given: Input, *, strict: bool = False, on_line: OnLine = unseen) -> ReplayOutcome:
    """The same without a server: what is given is read and decided, and goes nowhere."""
    with gathered(given, strict=strict, on_line=on_line) as (accounts, merged):
        return ReplayOutcome(accounts, counts(merged), origin=given.origin)


def counts(merged: MergedRecords) -> tuple[int, int]:
    decided = merged.everything
    return len(decided.organizations.decisions), len(decided.locations.decisions)
