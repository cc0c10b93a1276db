"""Every number of a profile held to what is usual for it, in words; nothing here refuses a dump."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence

from msgspec import Struct, field

from ppr_assets.rules.naming import column_name, quote_identifier
from ppr_assets.rules.policy import CORE_TABLES
from ppr_assets.rules.profile.bounds import NIGHTS, SHORT, MovementKind, Position, position
from ppr_assets.rules.profile.columns import ColumnProfile, Profile, TableProfile
from ppr_assets.rules.profile.schema import Schema
from ppr_assets.rules.wording import plural

_ROWS = MovementKind("amount", 0.02, noise=2.5)
_GROUP = MovementKind("amount", 0.2, noise=1.6)
_EMPTY = MovementKind("share", 0.05, noise=4)
_COMMON = MovementKind("share", 0.15, noise=4)
_POINT = MovementKind("share", 0.01, noise=4)
_DISTINCT = MovementKind("amount", 0.4, noise=3)
_LONGEST = MovementKind("amount", 0.25)

_FEW_ROWS = 30
"""Below it, shares and lengths say nothing."""
_SMALL_GROUP = 5
"""Below so many rows, a group comes and goes."""
_LARGEST = 3
"""What a commit and a manifest have room for."""


class EarlierNight(Struct, frozen=True):
    """What an earlier night published. ``accepted``: tables (``location``) and columns
    (``service.description``) that a human let pass that night in spite of what was found there;
    what is usual for them is learned anew from then on. ``schema``: None where nobody wrote it
    down; ``reworded``: what of it a restore words anew."""

    profile: Profile
    dump: str = ""
    accepted: frozenset[str] = field(default_factory=frozenset)
    schema: Schema | None = None
    reworded: Schema | None = None


class Movement(Struct, frozen=True):
    """``name``: the table, a column or a group of its rows; ``what``: which number of it, with
    ``{}`` in its place."""

    table: str
    name: str
    what: str
    position: Position

    @property
    def score(self) -> float:
        """In units of the bound; above 1 it is worth a warning, below 0 it is growth."""
        return self.position.score

    @property
    def warns(self) -> bool:
        return self.score > 1

    def __str__(self) -> str:
        """In words: ``service.description: 41 % empty, 3 % for 58 nights``."""
        found = self.position
        shown = _percent if found.kind.moves == "share" else _count
        since = f"for {plural(found.nights, 'night')}" if found.nights else "before"
        now = self.what.format(shown(found.now))
        return f"{self.name}: {now}, {shown(found.usual)} {since}"


def movements(
    profile: Profile, nights: Sequence[EarlierNight], withheld: Collection[str] = ()
) -> list[Movement]:
    """Every number that moved, the largest movement first. ``nights``: oldest first; of one from
    before there were profiles its rows alone are enough. ``withheld``: tables and columns that are
    not published on purpose, by name, and have no say."""
    found = _all(profile, nights[-NIGHTS:], withheld)
    return sorted(found, key=lambda one: (-abs(one.score), one.name, one.what))


def warnings(found: Sequence[Movement]) -> list[str]:
    """Of :func:`movements`, what is beyond its bounds, in words, the worst first."""
    return [str(one) for one in found if one.warns]


def largest(found: Sequence[Movement]) -> list[str]:
    """Of :func:`movements`, the largest, one for each table: those that warn, then the others."""
    by_table: dict[str, Movement] = {}
    for one in sorted(found, key=lambda one: not one.warns):
        by_table.setdefault(one.table, one)
    return [str(one) for one in list(by_table.values())[:_LARGEST]]


def _all(
    profile: Profile, nights: Sequence[EarlierNight], withheld: Collection[str]
) -> Iterator[Movement]:
    known = {table for night in nights[-1:] for table in night.profile}
    for table in sorted({*profile, *known}.difference(withheld)):
        now = profile.get(table, TableProfile(0))
        past = _since(nights, table)
        before = [night.profile[table] for night in past if table in night.profile]
        yield from _of_table(table, now, before)
        for column, found in now.columns.items():
            if column_name(table, column) not in withheld:
                yield from _of_column(table, now, column, found, past)


def _since(nights: Sequence[EarlierNight], *names: str) -> Sequence[EarlierNight]:
    """From the last night on at which one of the names was accepted."""
    for index in range(len(nights) - 1, -1, -1):
        if not nights[index].accepted.isdisjoint(names):
            return nights[index:]
    return nights


def _of_table(table: str, now: TableProfile, before: Sequence[TableProfile]) -> Iterator[Movement]:
    rows = position(now.rows, [one.rows for one in before], _ROWS)
    yield from _moved(table, table, "{} rows", rows)
    if now.points is not None and now.points.located >= _FEW_ROWS:
        shares = [one.points.share for one in before if one.points is not None]
        seen = min(now.points.located, now.sampled or now.rows)
        point = position(now.points.share, shares, _POINT, seen)
        yield from _moved(table, table, "{} of places on one point", point)
    for column in sorted({*now.groups, *(name for one in before[-1:] for name in one.groups)}):
        yield from _of_groups(table, column, now, before)


def _of_groups(
    table: str, column: str, now: TableProfile, before: Sequence[TableProfile]
) -> Iterator[Movement]:
    """Those that the last few nights had."""
    past = [one.groups[column] for one in before if column in one.groups]
    groups = now.groups.get(column, {})
    if not now.rows or column not in now.columns:  # said of the table, or of the schema
        return
    for group in sorted({name for one in past[-SHORT:] for name in one}):
        found = position(groups.get(group, 0), [one.get(group, 0) for one in past], _GROUP)
        if found is not None and found.usual >= _SMALL_GROUP:
            name = f"{table} with {quote_identifier(column)} {group}"
            yield from _moved(table, name, "{} rows", found)


def _of_column(
    table: str, now: TableProfile, name: str, column: ColumnProfile, nights: Sequence[EarlierNight]
) -> Iterator[Movement]:
    full = column_name(table, name)
    tables = [night.profile.get(table) for night in _since(nights, full)]
    past = [one for one in tables if one is not None and name in one.columns]
    if now.rows < _FEW_ROWS or not past:
        return
    shares = [_empty(one, name) for one in past if one.rows]
    of = None if table in CORE_TABLES else now.sampled
    yield from _moved(table, full, "{} empty", position(_empty(now, name), shares, _EMPTY, of))
    filled = [one.columns[name] for one in past if one.columns[name].filled]
    seen = column.filled if now.sampled is None else column.filled * now.sampled // now.rows
    if seen < _FEW_ROWS:
        return
    for what, measure, kind in _MEASURES:
        found = position(measure(column), [measure(one) for one in filled], kind, seen)
        yield from _moved(table, full, what, found)


def _empty(table: TableProfile, column: str) -> float:
    return 1 - table.columns[column].filled / table.rows


def _common(column: ColumnProfile) -> float:
    return column.common / column.filled


_MEASURES: tuple[tuple[str, Callable[[ColumnProfile], float], MovementKind], ...] = (
    ("{} on one value or day", _common, _COMMON),
    ("{} distinct", lambda column: column.distinct, _DISTINCT),
    ("longest {}", lambda column: column.longest, _LONGEST),
)
"""What is said of a column that has values."""


def _moved(table: str, name: str, what: str, found: Position | None) -> Iterator[Movement]:
    if found is not None and found.score:
        yield Movement(table, name, what, found)


def _percent(share: float) -> str:
    """Whole ones, but for the first and the last."""
    if 0 < share < 0.01 or 0.99 < share < 1:
        return f"{share * 100:.1f} %"
    return f"{share * 100:.0f} %"


def _count(number: float) -> str:
    return f"{number:,.0f}"
