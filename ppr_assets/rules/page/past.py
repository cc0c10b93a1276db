"""What the page knows of all nights: few numbers of each dump, and the days of refusals.

The picture carries it from commit to commit, so that a night need not read ten years of history.
It is thinned out the same way whether that is done night by night or once, so both give the same
bytes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from ppr_assets.rules.naming import dump_moment
from ppr_assets.rules.policy import CORE_TABLES
from ppr_assets.rules.recorded.manifest import Manifest

DAYS = 366
"""So many days before the newest dump have each a night; before that, each week has one."""
MOST_OVERRIDDEN = 100
"""Overridden nights are kept beside those, the newest of them; so are days of refusals."""
MOST_REFUSED = 300

_HEAD = "ppr-assets page 1"
_TEXT = re.compile(
    rf"{_HEAD} sha256=(?P<sha256>[0-9a-f]{{64}})\n(?P<lines>[0-9 or\n-]*)\Z", re.ASCII
)
_NIGHT = re.compile(r"(\d{14}) (\d+|-) (\d+|-) (\d+|-) (\d+|-)( o)?", re.ASCII)
_REFUSED = re.compile(r"r(\d{8})", re.ASCII)
_MOMENT, _DAY = "%Y%m%d%H%M%S", "%Y%m%d"

Count = int | None
"""None where nobody knows it any more, or where it is not published."""


class PastNight(Struct, frozen=True):
    """A night that published a dump, at the ``moment`` of its name. ``counts``: the rows that the
    dump has of organization, location and service; ``bytes``: its size."""

    moment: datetime
    counts: tuple[Count, ...]
    bytes: Count = None
    overridden: bool = False

    @classmethod
    def of_manifest(cls, manifest: Manifest) -> PastNight:
        """By what was published: rows that were withheld are not counted."""
        told = cls.told(manifest.dump, manifest.rows, overridden=manifest.override is not None)
        return replace(told, bytes=manifest.bytes)

    @classmethod
    def told(cls, dump: str, rows: Mapping[str, int], *, overridden: bool) -> PastNight:
        """As the commit of a dump tells it."""
        moment = dump_moment(dump)
        assert moment is not None  # only a dump's name is asked for
        return cls(moment, tuple(map(rows.get, CORE_TABLES)), overridden=overridden)

    def filled(self, other: PastNight) -> PastNight:
        """With what only ``other`` tells of the same night."""
        both = zip((*self.counts, self.bytes), (*other.counts, other.bytes), strict=True)
        *counts, size = (theirs if ours is None else ours for ours, theirs in both)
        return PastNight(self.moment, tuple(counts), size, self.overridden or other.overridden)


class Past(Struct, frozen=True):
    """``nights`` oldest first, one of each moment; ``refused`` are days in UTC."""

    nights: tuple[PastNight, ...] = ()
    refused: tuple[date, ...] = ()

    def with_(self, nights: Iterable[PastNight], refused: Iterable[date] = ()) -> Past:
        """With ``nights`` too, which are believed where both know a number."""
        known = {night.moment: night for night in self.nights}
        for night in nights:
            known[night.moment] = night.filled(known.get(night.moment, night))
        days = sorted({*self.refused, *refused})
        return Past(tuple(known[moment] for moment in sorted(known)), tuple(days))

    def thinned(self) -> Past:
        """As much as a picture shows: see :data:`DAYS`."""
        if not self.nights:
            return Past((), self.refused[-MOST_REFUSED:])
        last = self.nights[-1].moment.date()
        start = _monday(last - min(timedelta(days=DAYS), last - date.min))  # no week is cut in two
        newest = {_period(night.moment.date(), start): night for night in self.nights}
        overridden = [night for night in self.nights if night.overridden]
        kept = {night.moment: night for night in newest.values()}
        kept |= {night.moment: night for night in overridden[-MOST_OVERRIDDEN:]}
        return Past(tuple(kept[moment] for moment in sorted(kept)), self.refused[-MOST_REFUSED:])

    def to_text(self) -> str:
        """A line for each, below a line with what tells that nobody has changed them."""
        lines = "".join(
            [
                *(_line(night) for night in self.nights),
                *(f"r{_digits(day)}\n" for day in self.refused),
            ]
        )
        return f"{_HEAD} sha256={_sha256(lines)}\n{lines}"

    @classmethod
    def from_text(cls, text: str) -> Past | None:
        """What :meth:`to_text` wrote; None for anything else."""
        found = _TEXT.fullmatch(text)
        if found is None or _sha256(found["lines"]) != found["sha256"]:
            return None
        nights, refused = [], []
        try:
            for line in found["lines"].splitlines():
                if night := _NIGHT.fullmatch(line):
                    moment, *told, overridden = night.groups()
                    *counts, size = (None if one == "-" else int(one) for one in told)
                    at = datetime.strptime(moment, _MOMENT).replace(tzinfo=UTC)
                    nights.append(PastNight(at, tuple(counts), size, bool(overridden)))
                elif day := _REFUSED.fullmatch(line):
                    at = datetime.strptime(day[1], _DAY).replace(tzinfo=UTC)
                    refused.append(at.date())
                else:
                    return None
        except ValueError:  # the 31st of February
            return None
        return cls().with_(nights, refused)


def _period(day: date, start: date) -> date:
    return day if day >= start else _monday(day)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _line(night: PastNight) -> str:
    numbers = ("-" if one is None else str(one) for one in (*night.counts, night.bytes))
    mark = " o" if night.overridden else ""
    return f"{_digits(night.moment.replace(tzinfo=None))} {' '.join(numbers)}{mark}\n"


def _digits(moment: date) -> str:
    """Of a day or a second; %Y does not pad everywhere."""
    return re.sub("[^0-9]", "", moment.isoformat())


def _sha256(lines: str) -> str:
    return hashlib.sha256(lines.encode()).hexdigest()
