"""What became of every file: exactly one of loaded, empty, rejected, and why."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal

from ppr_assets.operations.replaying.published_files import PROCESSED
from ppr_assets.operations.replaying.read_files import Read
from ppr_assets.records.outcome import Loaded, NothingToLoad

_PLACE = re.compile(r"(?: starting at)? at (?:line|byte) .*", re.DOTALL)
"""Where in a file something is wrong; a reason is counted without it."""

Outcome = Literal["loaded", "empty", "rejected"]


@dataclass(frozen=True, slots=True)
class Line:
    """Of one file. ``json_path``: where in it the reason is."""

    file: str
    outcome: Outcome
    day: str | None
    scraper: str
    reason: str = ""
    json_path: str = ""
    organizations: int = 0
    was_truncated: bool = False

    @classmethod
    def of(cls, read: Read) -> Line:
        became, file = read.outcome, read.file
        job = became.job
        day = file.day or (job.day if job else None)
        scraper = file.scraper or (job.scraper if job else None) or PROCESSED
        match became:
            case Loaded():
                told = len(read.named)
                cut = became.was_truncated
                return cls(file.name, "loaded", day, scraper, organizations=told, was_truncated=cut)
            case NothingToLoad():
                return cls(file.name, "empty", day, scraper, became.reason)
            case _:
                reason, path = became.reason, became.json_path
                return cls(file.name, "rejected", day, scraper, reason, path)

    def to_json(self) -> dict[str, Any]:
        """Without what it has nothing to say of."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return {name: value for name, value in values.items() if value not in (None, "", 0, False)}


@dataclass
class Accounts:
    """``files``: how many were to be read."""

    files: int
    by_outcome: Counter[str] = field(default_factory=Counter)
    by_reason: Counter[tuple[str, str]] = field(default_factory=Counter)
    by_scraper: dict[str, Counter[str]] = field(default_factory=dict)
    without_place: Counter[str] = field(default_factory=Counter)
    """What the files hold and no table of HSDS has, by name."""
    truncated: int = 0

    def add(self, read: Read) -> Line:
        line = Line.of(read)
        self.by_outcome[line.outcome] += 1
        self.by_scraper.setdefault(line.scraper, Counter())[line.outcome] += 1
        if line.reason:
            self.by_reason[line.outcome, _PLACE.sub("", line.reason)] += 1
        if isinstance(read.outcome, Loaded):
            self.without_place.update(read.outcome.without_place)
            self.truncated += read.outcome.was_truncated
        return line

    @property
    def accounted(self) -> bool:
        return self.by_outcome.total() == self.files

    def __str__(self) -> str:
        parts = (f"{self.by_outcome[one]} {one}" for one in ("loaded", "empty", "rejected"))
        return f"{self.files} files: {', '.join(parts)}"
