"""What may happen to a night of :mod:`.nights`: fifty incidents, and how each must be named."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from ppr_assets.demo.sample.tables import SAMPLE_TABLES, Row, Value
from ppr_assets.rules.profile.columns import Profile
from ppr_assets_tests.nights import Rows, profile_table

T = TypeVar("T")
Edit = Callable[[Random, str, list[Row]], list[Row]]
"""What is left of the rows of a table; the dice decide whom it hits."""

SOURCES = ("organization_source", "location_source", "service_source")
SCRAPERS = (
    "capital_area_food_bank_dc", "care_and_share", "food_helpline_org", "freshtrak", "getfull_app",
    "mid_ohio_food_collective", "nyc_efap_programs", "plentiful", "vivery_api",
)  # fmt: skip
STATES = ("AZ", "CA", "FL", "GA", "MO", "NY", "OH", "OR", "TN", "WA")
TOUCHED = "2025-11-28 04:00:00.5+00"


@dataclass(frozen=True)
class Incident:
    """``edit`` is done to ``tables``, and the column ``dropped`` is taken out of them; what is then
    said begins with ``named``."""

    named: str
    tables: Sequence[str]
    edit: Edit
    dropped: str = ""

    def profile(self, rows: Rows, quiet: Profile, seed: int) -> Profile:
        """That of the night with these rows, when this happens to it; ``quiet`` is what it would
        have been."""
        dice = Random(f"{seed}/{self.named}")
        changed = {}
        for table in self.tables:
            columns, left = SAMPLE_TABLES[table], self.edit(dice, table, rows[table])
            if self.dropped:
                at = columns.index(self.dropped)
                columns = _without_item(columns, at)
                left = [_without_item(row, at) for row in left]
            changed[table] = profile_table(table, columns, left)
        return {**quiet, **changed}


def incidents(seed: int) -> list[Incident]:
    """Fifty of them."""
    dice = Random(seed)
    return [*_lost(dice), *_crowded(), *_spoiled(), *_dropped()]


def _lost(dice: Random) -> Iterator[Incident]:
    for scraper in dice.sample(SCRAPERS, 7):
        said = f"organization_source with scraper_id {scraper}: 0 rows"
        yield Incident(said, SOURCES, _without("scraper_id", scraper))
    for scraper in dice.sample(SCRAPERS, 3):
        said = f"organization_source with scraper_id {scraper}: "
        yield Incident(said, SOURCES, _without("scraper_id", scraper, 0.5))
    for state in dice.sample(STATES, 6):
        said = f"address with state_province {state}: 0 rows"
        yield Incident(said, ["address"], _without("state_province", state))
    for table in ("phone", "schedule", "service_at_location"):
        yield Incident(f"{table}: 0 rows", [table], _thinned(1.0))
    for table in ("location", "record_version", "content_log"):
        yield Incident(f"{table}: ", [table], _thinned(0.2))


def _crowded() -> Iterator[Incident]:
    for table, share in (
        ("location", 1.0), ("location", 0.5), ("location", 0.1), ("location_source", 0.2),
    ):  # fmt: skip
        yield Incident(f"{table}: ", [table], _on_one_point(share))


def _spoiled() -> Iterator[Incident]:
    for table, column, length in (
        ("service", "description", 20), ("organization", "description", 40),
        ("organization", "name", 10), ("location", "name", 12), ("address", "city", 5),
        ("service_source", "description", 25),
    ):  # fmt: skip
        yield Incident(f"{table}.{column}: ", [table], _cut(column, length))
    for table, column, value in (
        ("service", "description", None), ("organization", "description", ""),
        ("organization", "email", None), ("address", "postal_code", ""),
        ("schedule", "opens_at", None), ("phone", "number", ""),
        ("organization", "updated_at", TOUCHED), ("service", "updated_at", TOUCHED),
        ("location_source", "updated_at", TOUCHED), ("record_version", "created_at", TOUCHED),
        ("service", "status", "defunct"), ("organization", "name", "Unknown"),
    ):  # fmt: skip
        yield Incident(f"{table}.{column}: ", [table], _set(column, value))
    for table, column in (("service", "name"), ("location", "name"), ("url", "url")):
        yield Incident(f"{table}.{column}: ", [table], _set(column, None, 0.5))


def _dropped() -> Iterator[Incident]:
    for table, column in (("service", "url"), ("organization", "website"), ("phone", "type")):
        said = f"column {table}.{column} is gone"
        yield Incident(said, [table], lambda _dice, _table, rows: rows, dropped=column)


def _without(column: str, value: str, share: float = 1.0) -> Edit:
    def edit(dice: Random, table: str, rows: list[Row]) -> list[Row]:
        at = SAMPLE_TABLES[table].index(column)
        return [row for row in rows if row[at] != value or dice.random() >= share]

    return edit


def _thinned(share: float) -> Edit:
    return lambda dice, _, rows: [row for row in rows if dice.random() >= share]


def _set(column: str, value: Value, share: float = 1.0) -> Edit:
    return _changed(column, lambda _: value, share)


def _cut(column: str, length: int) -> Edit:
    return _changed(column, lambda value: value and str(value)[:length], 1.0)


def _changed(column: str, change: Callable[[Value], Value], share: float) -> Edit:
    def edit(dice: Random, table: str, rows: list[Row]) -> list[Row]:
        at = SAMPLE_TABLES[table].index(column)
        return [
            (*row[:at], change(row[at]), *row[at + 1 :]) if dice.random() < share else row
            for row in rows
        ]

    return edit


def _on_one_point(share: float) -> Edit:
    def edit(dice: Random, table: str, rows: list[Row]) -> list[Row]:
        at = SAMPLE_TABLES[table].index("latitude")
        point = (39.8283, -98.5795)
        return [
            (*row[:at], *point, *row[at + 2 :]) if dice.random() < share else row for row in rows
        ]

    return edit


def _without_item(items: tuple[T, ...], at: int) -> tuple[T, ...]:
    return (*items[:at], *items[at + 1 :])
