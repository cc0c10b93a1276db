"""Which dumps stay in the data repository's folder, and which retire into its history.

The keep rules are restic's: so many of the last, and the newest one of so many days, weeks, months
and years that have a dump at all. Where there are fewer such periods than a rule keeps, it keeps
the oldest dump too, so that a young repository does not lose its beginning. Days are in UTC, as the
names are.

Whatever the rules say, some dumps stay: see :func:`fates`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

from msgspec import Struct

Count = int | None
"""How many a rule keeps; None: all."""


class KeepRules(Struct, frozen=True):
    """How many dumps each rule keeps. Raises ``ValueError`` for rules that would keep nothing."""

    last: Count
    daily: Count = 0
    weekly: Count = 0
    monthly: Count = 0
    yearly: Count = 0

    def __post_init__(self) -> None:
        counts = (self.last, self.daily, self.weekly, self.monthly, self.yearly)
        if any(count is not None and count < 0 for count in counts):
            raise ValueError("a rule cannot keep fewer than 0 dumps")
        if not any(count is None or count for count in counts):
            raise ValueError("no rule keeps anything")


class ShelvedDump(Struct, frozen=True):
    """A dump in the folder. ``moment`` is its name's, with a timezone.

    ``latest``: latest.sql names it. ``proven``: it was restored before it was published.
    ``above_floor``: it is known to have as many records as the floor asks for. ``overridden``: a
    human passed the gate for it. ``previous``: the dump that it followed, as far as that is known.
    ``damage`` says why nothing of this can be known, empty otherwise.
    """

    name: str
    moment: datetime
    latest: bool = False
    proven: bool = False
    above_floor: bool = False
    overridden: bool = False
    previous: str | None = None
    damage: str = ""


class Fate(Struct, frozen=True):
    """What becomes of a dump: ``kept_by`` names every rule that keeps it, in words; empty where
    it retires."""

    dump: ShelvedDump
    kept_by: tuple[str, ...]

    @property
    def retires(self) -> bool:
        return not self.kept_by


def fates(dumps: Sequence[ShelvedDump], rules: KeepRules) -> list[Fate]:
    """Judge the dumps of a folder, whose names are unique; newest first.

    These never retire, nor do they count where a rule counts:

    - one whose manifest is damaged: nobody knows what would be lost;
    - one that is later than the latest: a clock was wrong, and it must not push out the others.

    These never retire, and count: the latest; the last that is proven; the last above the floor; an
    overridden dump with the one before it, to which everybody will want to return if the override
    was a mistake. The overridden dump stays for as long as that: it is what tells why.
    """
    shelf = sorted(dumps, key=_age, reverse=True)
    latest = next((dump.moment for dump in shelf if dump.latest), None)
    reasons: dict[str, list[str]] = {dump.name: [] for dump in shelf}
    counted = []
    for dump in shelf:
        if dump.damage:
            reasons[dump.name].append(dump.damage)
        elif latest is not None and dump.moment > latest:
            reasons[dump.name].append("later than the latest, is a clock wrong?")
        else:
            counted.append(dump)
    for dump, reason in (*_by_rules(counted, rules), *_never_retiring(counted, shelf)):
        if reason not in reasons[dump.name]:
            reasons[dump.name].append(reason)
    return [Fate(dump, tuple(reasons[dump.name])) for dump in shelf]


def _age(dump: ShelvedDump) -> tuple[datetime, bool, bool, bool, str]:
    """Of dumps of the same second the better one is the newer: there may be a copy in gzip."""
    return dump.moment, dump.latest, dump.proven, dump.name.endswith(".sql"), dump.name


def _by_rules(dumps: Sequence[ShelvedDump], rules: KeepRules) -> Iterator[tuple[ShelvedDump, str]]:
    for place, dump in enumerate(dumps[: rules.last], start=1):
        yield dump, f"last {place}"
    yield from _one_a_period(dumps, "daily", rules.daily, _day)
    yield from _one_a_period(dumps, "weekly", rules.weekly, _week)
    yield from _one_a_period(dumps, "monthly", rules.monthly, lambda moment: _day(moment)[:7])
    yield from _one_a_period(dumps, "yearly", rules.yearly, lambda moment: _day(moment)[:4])


def _one_a_period(
    dumps: Sequence[ShelvedDump], rule: str, count: Count, period: Callable[[datetime], str]
) -> Iterator[tuple[ShelvedDump, str]]:
    newest: dict[str, ShelvedDump] = {}
    for dump in dumps:
        newest.setdefault(period(dump.moment), dump)
    for label, dump in list(newest.items())[:count]:
        yield dump, f"{rule} {label}"
    if newest and (count is None or len(newest) < count):
        oldest = dumps[-1]
        if oldest not in newest.values():
            yield oldest, f"oldest, {rule}"


def _never_retiring(
    counted: Sequence[ShelvedDump], shelf: Sequence[ShelvedDump]
) -> Iterator[tuple[ShelvedDump, str]]:
    for having, reason in (
        ([dump for dump in shelf if dump.latest], "latest"),
        ([dump for dump in counted if dump.proven], "last proven"),
        ([dump for dump in counted if dump.above_floor], "last above the floor"),
    ):
        for dump in having[:1]:
            yield dump, reason
    named = {dump.name: dump for dump in shelf}
    sound = [dump for dump in shelf if not dump.damage]
    for dump in sound:
        if dump.overridden:
            yield dump, "overridden"
            before = named.get(dump.previous or "", dump)
            if before is dump:
                older = (other for other in sound if other.moment < dump.moment)
                before = next(older, dump)
            if before is not dump:
                yield before, "predecessor of an overridden dump"


def _day(moment: datetime) -> str:
    return moment.astimezone(UTC).date().isoformat()


def _week(moment: datetime) -> str:
    """The week of ISO 8601, which begins on Monday and may belong to the year beside."""
    year, week, _ = moment.astimezone(UTC).isocalendar()
    return f"{year:04}-W{week:02}"
