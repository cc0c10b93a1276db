"""Quiet nights of a made-up database, as rows of COPY.

Each quiet night some organizations come and a few go, as between the real marks; a few of the
scrapers run and touch what they know, and one record in a hundred changes its text. No server takes
part: what is profiled are the rows as pg_dump would write them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from random import Random

from ppr_assets.demo.sample.draw import NEWEST
from ppr_assets.demo.sample.filling import sample_rows
from ppr_assets.demo.sample.tables import SAMPLE_TABLES, Batch, Row, Value
from ppr_assets.plain_sql.profile import TableProfiler
from ppr_assets.rules.profile.columns import Profile, TableProfile

GROWTH = (0.0, 0.0001, 0.0004, 0.0008, 0.002, 0.004, 0.008, 0.012, 0.016, 0.02, 0.025, 0.04)
"""What organizations grow by in a night: steps between the real marks, from quiet to busy."""
LOST = 0.001
"""Organizations that close or turn out to be another, in a night."""
CHANGED = 0.01

Rows = dict[str, list[Row]]
"""Of a night, by table."""


def profile_of(rows: Rows) -> Profile:
    """What the dump of these rows says of itself."""
    return {
        table: profile_table(table, SAMPLE_TABLES[table], found) for table, found in rows.items()
    }


def profile_table(table: str, columns: tuple[str, ...], rows: list[Row]) -> TableProfile:
    written = sorted(map(_copied, rows))
    profiler = TableProfiler(table, columns, rows=len(written), size=sum(map(len, written)))
    profiler.add(written)
    return profiler.finished()


@cache
def _copied(row: Row) -> bytes:
    """A row as COPY writes it; most are the same on the next night."""
    return b"\t".join(map(copied, row))


def copied(value: Value) -> bytes:
    """A value as COPY writes it."""
    if value is None:
        return b"\\N"
    if isinstance(value, bool):
        return b"t" if value else b"f"
    if isinstance(value, bytes):
        return b"\\\\x" + value.hex().encode()
    text = str(value).replace("\\", "\\\\")
    for letter, escape in (("\n", "\\n"), ("\t", "\\t"), ("\r", "\\r")):
        text = text.replace(letter, escape)
    return text.encode()


class Database:
    """What lives on from night to night."""

    def __init__(self, organizations: int, seed: int) -> None:
        self._dice = Random(seed)
        self._spare = _families(organizations * 4, seed)
        self._families = [next(self._spare) for _ in range(organizations)]
        self._night = 0

    def rows(self) -> Rows:
        """All of it, as it is."""
        found: Rows = {table: [] for table in SAMPLE_TABLES}
        for family in self._families:
            for table, rows in family.items():
                found[table] += rows
        return found

    def pass_a_night(self) -> None:
        self._night += 1
        dice = self._dice
        for _ in range(round(len(self._families) * dice.choice(GROWTH) + dice.random())):
            self._families.append(next(self._spare))
        for _ in range(round(len(self._families) * LOST * dice.random())):
            self._families.pop(dice.randrange(1, len(self._families)))
        ran = {dice.randrange(9) for _ in range(2)}
        for number, family in enumerate(self._families):
            if number % 9 in ran:
                self._touch(family, "organization_source", "location_source", "service_source")
            if dice.random() < CHANGED:
                self._change(family)

    def _touch(self, family: Rows, *tables: str) -> None:
        for table in tables:
            at = SAMPLE_TABLES[table].index("updated_at")
            family[table] = [
                (*row[:at], self._moment(), *row[at + 1 :]) for row in family.get(table, [])
            ]

    def _change(self, family: Rows) -> None:
        """Another text, a newer moment, one more version."""
        self._touch(family, "organization", "location", "service")
        for table in ("organization", "service"):
            at = SAMPLE_TABLES[table].index("description")
            said = f"Changed in the night {self._night}."
            family[table] = [
                row if row[at] is None else (*row[:at], said, *row[at + 1 :])
                for row in family.get(table, [])
            ]
        family["record_version"].append(family["record_version"][-1])

    def _moment(self) -> str:
        moment = NEWEST + timedelta(days=self._night, seconds=self._dice.randrange(7200))
        return moment.isoformat(" ")


def _families(count: int, seed: int) -> Iterator[Rows]:
    """Organizations with all that belongs to them; what belongs to none comes with the first, and
    the lines of the log one by one with all of them."""
    for batch in sample_rows(count, seed):
        yield from _parted(batch)


def _parted(batch: Batch) -> Iterator[Rows]:
    tables = dict(batch.filled())
    families: list[Rows] = [{"organization": [row]} for row in tables.pop("organization")]
    by_owner = {family["organization"][0][0]: family for family in families}
    for table, rows in tables.items():
        for number, row in enumerate(rows):
            owners = (by_owner[value] for value in row if value in by_owner)
            lines_of_a_log = families[number % len(families) if table == "content_log" else 0]
            family = next(owners, lines_of_a_log)
            family.setdefault(table, []).append(row)
            if SAMPLE_TABLES[table][0] == "id":
                by_owner.setdefault(row[0], family)
    yield from families
