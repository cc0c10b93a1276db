"""The profile of a dump: numbers by table and column, and their form in the manifest.

A column is one short text there, five numbers with zeros at its end left out, since a database has
hundreds of columns and each would otherwise take seven lines of every manifest:
``"description": "8120 3 8031 88 40"``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field
from msgspec.structs import asdict

from ppr_assets.rules.json_fields import FieldError, JsonFields

_NUMBERS = re.compile(r"\d{1,18}( \d{1,18}){0,4}", re.ASCII)


class ColumnProfile(Struct, frozen=True):
    """Rows that are not NULL, and of those the empty texts; different values, about; the length of
    the longest in characters; rows that share the most common value, of moments the most common
    day. NULL and empty texts are no values."""

    not_null: int = 0
    empty: int = 0
    distinct: int = 0
    longest: int = 0
    common: int = 0

    @property
    def filled(self) -> int:
        return self.not_null - self.empty


class Points(Struct, frozen=True):
    """Rows that have coordinates, and those of them on the most common point."""

    located: int
    together: int

    @property
    def share(self) -> float:
        return self.together / self.located if self.located else 0.0


class TableProfile(Struct, frozen=True):
    """``sampled``: how many of the rows were looked at for ``columns`` and ``points``, which are
    projected from them. ``groups``: rows by value of the columns that part a table, all counted."""

    rows: int
    columns: Mapping[str, ColumnProfile] = field(default_factory=dict)
    points: Points | None = None
    groups: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    sampled: int | None = None


Profile = Mapping[str, TableProfile]
"""By table key."""


def profile_json(profile: Profile) -> dict[str, Any]:
    """For the manifest."""
    return {table: _table_json(found) for table, found in profile.items()}


def profile_from_json(fields: JsonFields) -> Profile:
    """What :func:`profile_json` made. Raises :class:`FieldError`, which names what is wrong."""
    return fields.each(lambda tables, name: _table(tables.nested(name)))


def _table_json(table: TableProfile) -> dict[str, Any]:
    content: dict[str, Any] = {
        "rows": table.rows,
        "columns": {name: _written(column) for name, column in table.columns.items()},
    }
    if table.points is not None:
        content["points"] = asdict(table.points)
    if table.groups:
        content["groups"] = {name: dict(rows) for name, rows in table.groups.items()}
    if table.sampled is not None:
        content["sampled"] = table.sampled
    return content


def _table(fields: JsonFields) -> TableProfile:
    there = fields.plain()
    points = fields.nested("points") if "points" in there else None
    return TableProfile(
        rows=fields.number("rows"),
        columns=fields.nested("columns").each(_column),
        points=Points(points.number("located"), points.number("together")) if points else None,
        groups=fields.nested("groups").each(_group) if "groups" in there else {},
        sampled=fields.number("sampled") if "sampled" in there else None,
    )


def _written(column: ColumnProfile) -> str:
    numbers = list(asdict(column).values())
    while len(numbers) > 1 and not numbers[-1]:
        numbers.pop()
    return " ".join(map(str, numbers))


def _column(fields: JsonFields, name: str) -> ColumnProfile:
    text = fields.text(name)
    if not _NUMBERS.fullmatch(text):
        raise FieldError(f"{name} is {text!r:.60}, must be one to five numbers")
    return ColumnProfile(*map(int, text.split(" ")))


def _group(fields: JsonFields, name: str) -> Mapping[str, int]:
    return fields.nested(name).each(JsonFields.number)
