"""The picture of all nights as SVG: counts and size over time, overrides and refusals marked.

By hand and small, so that it is the same bytes wherever it is made. It has no script and asks for
nothing, since forges show it as an image; numbers and dates are all that it holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, time, timedelta

from msgspec import Struct

from ppr_assets.rules.page.past import Count, Past, PastNight
from ppr_assets.rules.page.scales import month_starts, next_month, rounded_steps
from ppr_assets.rules.wording import size

_MARKER = "<!-- Written by ppr-assets with each dump, anew. -->"
_CARRIED = re.compile(r"<metadata>(.*?)</metadata>", re.DOTALL)

_WIDTH, _LEFT, _RIGHT = 960, 76, 800
_SERIES = ("organizations", "locations", "services")
_UNITS = (1024**3, 1024**2, 1024, 1)

_STYLE = """\
svg{font:14px -apple-system,"Segoe UI",Roboto,Helvetica,Arial,sans-serif;background:#fff}
.paper{fill:#fff}text{fill:#1f2328}.dim{fill:#59636e}.grid{stroke:#d1d9e0}
path,line{fill:none;stroke-width:2;stroke-linejoin:round}.grid{stroke-width:1}
.a{stroke:#0969da}.b{stroke:#1a7f37;stroke-dasharray:7 3}.c{stroke:#8250df;stroke-dasharray:2 3}
.d{stroke:#59636e}.ta{fill:#0969da}.tb{fill:#1a7f37}.tc{fill:#8250df}.td{fill:#59636e}
.over{stroke:#9a6700}.no{stroke:#cf222e}.tover{fill:#9a6700}.tno{fill:#cf222e}
@media(prefers-color-scheme:dark){svg{background:#0d1117}
.paper{fill:#0d1117}text{fill:#f0f6fc}.dim{fill:#9198a1}.grid{stroke:#3d444d}
.a{stroke:#4493f8}.b{stroke:#3fb950}.c{stroke:#ab7df8}.d{stroke:#9198a1}
.ta{fill:#4493f8}.tb{fill:#3fb950}.tc{fill:#ab7df8}.td{fill:#9198a1}
.over{stroke:#d29922}.no{stroke:#f85149}.tover{fill:#d29922}.tno{fill:#f85149}}"""


class _Panel(Struct, frozen=True):
    """A part of the picture with its own scale: from ``top`` to ``bottom``, of which ``steps`` are
    lines."""

    top: int
    bottom: int
    steps: Sequence[int]
    named: Callable[[int], str]

    def y(self, value: int) -> int:
        return self.bottom - value * (self.bottom - self.top) // self.steps[-1]

    def grid(self) -> Iterator[str]:
        for step in self.steps:
            y = self.y(step)
            yield f'<line class="grid" x1="{_LEFT}" y1="{y}" x2="{_RIGHT}" y2="{y}"/>'
            yield _text(_LEFT - 8, y + 5, self.named(step), "dim", "end")


class _Time(Struct, frozen=True):
    """Where a moment stands between the first and the last."""

    first: datetime
    last: datetime

    def x(self, moment: datetime) -> int:
        whole = max(self.last - self.first, timedelta(seconds=1))
        share = (moment - self.first) / whole if self.last > self.first else 1.0
        return _LEFT + 4 + round(share * (_RIGHT - _LEFT - 4))


def picture(past: Past) -> str:
    """An SVG of what is known, which it also carries for the next night."""
    nights = past.nights
    days = [datetime.combine(day, time(), UTC) for day in past.refused]
    moments = [*(night.moment for night in nights), *days]
    scale = _time_of(moments) if moments else None
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} 560" width="{_WIDTH}" '
        'height="560" role="img" aria-labelledby="title desc">',
        _MARKER,
        '<title id="title">Published dumps over time</title>',
        f'<desc id="desc">{described(past)}</desc>',
        f"<metadata>{past.to_text()}</metadata>",
        f"<style>{_STYLE}</style>",
        f'<rect class="paper" width="{_WIDTH}" height="560"/>',
        *(_drawn(nights, days, scale) if scale else [_text(_LEFT, 60, "No dump yet", "dim")]),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _time_of(moments: Sequence[datetime]) -> _Time:
    """After a year it ends with the month, so that a night adds to the lines and does not move
    them: git then stores little of the picture each night."""
    first, last = min(moments), max(moments)
    if last - first > timedelta(days=365):
        last = next_month(last)
    return _Time(first, last)


def is_picture(text: str) -> bool:
    """Whether :func:`picture` made this, whatever somebody has changed since."""
    return _MARKER in text


def carried(text: str) -> Past | None:
    """What a picture knows of the nights; None where somebody has changed that."""
    found = _CARRIED.search(text)
    return Past.from_text(found[1]) if found and is_picture(text) else None


def described(past: Past) -> str:
    """The picture in words."""
    if not past.nights:
        return "No dump was published yet."
    first, last = past.nights[0], past.nights[-1]
    told = [
        _day(last) if first == last else f"{_day(first)} to {_day(last)}",
        *map(_change, (*_SERIES, "size"), _shown(first), _shown(last)),
        _marked("override", [_day(night) for night in past.nights if night.overridden]),
        _marked("noted refusal", [*map(str, past.refused)]),
    ]
    return "; ".join(told) + "."


def _shown(night: PastNight) -> Sequence[str]:
    return (*map(number, night.counts), size_of(night.bytes))


def _change(name: str, before: str, now: str) -> str:
    return f"{name} {now}" if before == now else f"{name} {before}, now {now}"


def _marked(noun: str, days: Sequence[str]) -> str:
    if len(days) < 2:
        return f"one {noun}, on {days[0]}" if days else f"no {noun}"
    return f"{len(days)} {noun}s, the last on {days[-1]}"


def _drawn(nights: Sequence[PastNight], days: Sequence[datetime], scale: _Time) -> Iterator[str]:
    most = max((count for night in nights for count in night.counts if count), default=1)
    counts = _Panel(64, 330, rounded_steps(most), number)
    heaviest = max((night.bytes or 0 for night in nights), default=0)
    unit = next(one for one in _UNITS if heaviest >= one or one == 1)
    steps = [step * unit for step in rounded_steps(-(-heaviest // unit))]
    sizes = _Panel(428, 512, steps[:: len(steps) - 1], size_of)
    yield f'<text x="{_LEFT}" y="32" font-size="18">Records in the published dumps</text>'
    yield from _legend(nights, days)
    yield from (*counts.grid(), *sizes.grid(), *_months(scale))
    yield _text(_LEFT, 416, "Size of the dump", "dim")
    ends = []
    for place, (name, mark) in enumerate(zip(_SERIES, "abc", strict=True)):
        values = [(night.moment, night.counts[place]) for night in nights]
        yield from _line(values, scale, counts, mark)
        known = [count for _, count in values if count is not None]
        ends += [(counts.y(known[-1]), name, known[-1], mark)] if known else []
    yield from _labels(ends)
    yield from _line([(night.moment, night.bytes) for night in nights], scale, sizes, "d")
    if nights and nights[-1].bytes is not None:
        last = nights[-1].bytes
        yield _text(_RIGHT + 14, sizes.y(last) + 5, size_of(last), "dim")
    yield from _overrides(nights, scale, counts)
    yield from _refusals(days, scale)


def _legend(nights: Sequence[PastNight], days: Sequence[datetime]) -> Iterator[str]:
    x = _RIGHT
    if days:
        yield _text(x, 32, "refused", "tno", "end")
        yield f'<path class="no" d="{_cross(x - 64, 27)}"/>'
        x -= 92
    if any(night.overridden for night in nights):
        yield _text(x, 32, "overridden", "tover", "end")
        yield f'<path class="over" d="{_diamond(x - 90, 27)}"/>'


def _months(scale: _Time) -> Iterator[str]:
    starts = [(scale.x(day), name) for day, name in month_starts(scale.first, scale.last)]
    if len(starts) < 2:
        if scale.first.date() != scale.last.date():
            yield _text(_LEFT, 540, f"{scale.first:%Y-%m-%d}", "dim")
        yield _text(_RIGHT, 540, f"{scale.last:%Y-%m-%d}", "dim", "end")
        return
    for x, name in starts:
        yield f'<line class="grid" x1="{x}" y1="64" x2="{x}" y2="512"/>'
        yield _text(x, 540, name, "dim", "middle")


def _line(
    values: Iterable[tuple[datetime, Count]], scale: _Time, panel: _Panel, mark: str
) -> Iterator[str]:
    """Broken where a number is not known; a dot at its end."""
    steps: list[str] = []
    before: tuple[int, int] | None = None
    end: tuple[int, int] | None = None
    for moment, value in values:
        if value is None:
            before = None
            continue
        x, y = end = scale.x(moment), panel.y(value)
        steps.append(f"l{x - before[0]} {y - before[1]}" if before else f"M{x} {y}")
        before = end
    if end is not None:
        yield f'<path class="{mark}" d="{"".join(steps)}"/>'
        yield f'<circle class="t{mark}" cx="{end[0]}" cy="{end[1]}" r="4"/>'


def _labels(ends: Sequence[tuple[int, str, int, str]]) -> Iterator[str]:
    """Beside the lines' ends, and below each other where these are close."""
    lowest = 44
    for y, name, count, mark in sorted(ends):
        lowest = max(y, lowest + 36)
        yield _text(_RIGHT + 14, lowest - 2, name, f"t{mark}")
        yield _text(_RIGHT + 14, lowest + 15, number(count))


def _overrides(nights: Sequence[PastNight], scale: _Time, panel: _Panel) -> Iterator[str]:
    marked = [night for night in nights if night.overridden]
    if marked:
        where = ((scale.x(night.moment), panel.y(night.counts[0] or 0)) for night in marked)
        yield f'<path class="over" d="{"".join(_diamond(x, y) for x, y in where)}"/>'


def _refusals(days: Sequence[datetime], scale: _Time) -> Iterator[str]:
    """On a line of their own: nothing was published then, so there is no number."""
    if days:
        places = dict.fromkeys(scale.x(day) for day in days)
        yield f'<path class="no" d="{"".join(_cross(x, 360) for x in places)}"/>'


def _diamond(x: int, y: int) -> str:
    return f"M{x - 6} {y}l6-6 6 6-6 6z"


def _cross(x: int, y: int) -> str:
    return f"M{x - 4} {y - 4}l8 8m0-8l-8 8"


def _text(x: int, y: int, said: str, mark: str = "", anchor: str = "start") -> str:
    """``said`` has nothing in it that XML would take for its own: names of ours, and numbers."""
    end = f' text-anchor="{anchor}"' if anchor != "start" else ""
    return f'<text x="{x}" y="{y}" class="{mark}"{end}>{said}</text>'


def number(count: Count) -> str:
    return "unknown" if count is None else f"{count:,}"


def size_of(count: Count) -> str:
    return "unknown" if count is None else size(count).replace(".0 ", " ")


def _day(night: PastNight) -> str:
    return night.moment.date().isoformat()
