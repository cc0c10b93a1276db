"""Whether a column of the database that is there can take a value that was told, and what stands
where nobody told and the column must not be NULL."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field

from ppr_assets.rules.replay.rows.columns import COLUMNS, TIMES

FILLED = {"status": "active", "location_type": "physical", "address_type": "physical"}
"""What a list of places where food is given out says by naming one; only where a column must have a
value. Texts are empty there."""
COUNTED_TO_ANOTHER = "rows counted to another one"
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_WHOLE = re.compile(r"-?\d{1,9}")


class FittedColumn(Struct, frozen=True):
    """``kind``: the name of its type in pg_catalog, ``enum`` for one of its ``labels``; ``length``:
    the most characters."""

    name: str
    kind: str
    required: bool = False
    defaulted: bool = False
    length: int | None = None
    labels: frozenset[str] = frozenset()

    @property
    def numbered(self) -> bool:
        """The database counts its values itself."""
        return self.defaulted and self.kind in ("int2", "int4", "int8")


class Fitted(Struct):
    """What the columns of one database take of what a replay has. ``no_place`` and ``filled``: how
    often, by ``table.column`` and why."""

    tables: Mapping[str, Mapping[str, FittedColumn]]
    """Those that a replay fills; see :meth:`of`."""
    no_place: Counter[str] = field(default_factory=Counter)
    filled: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, found: Mapping[str, Mapping[str, FittedColumn]]) -> Fitted:
        """``found``: all columns of the tables that there are."""
        return cls(
            {
                table: {
                    name: column
                    for name, column in found[table].items()
                    if name in known | TIMES and not (name == "id" and column.numbered)
                }
                for table, known in COLUMNS.items()
                if table in found
            }
        )

    def row(self, table: str, values: Mapping[str, Any]) -> list[str | None] | None:
        """The values in the order of the table's columns, as COPY takes them; None where the table
        or a value that it must have is missing."""
        columns = self.tables.get(table)
        if columns is None:
            self.no_place[f"{table}: no such table"] += 1
            return None
        for name in values.keys() - columns.keys() - TIMES - {"id"}:
            if values[name] is not None:
                self.no_place[f"{table}.{name}: no such column"] += 1
        row = []
        for name, column in columns.items():
            value = values.get(name)
            text = None if value is None else self._text(table, column, value)
            if text is None and column.required:
                text = self._filled(table, column)
                if text is None:
                    self.no_place[f"{table}: {name} must have a value, and nobody told one"] += 1
                    return None
            row.append(text)
        return row

    def _text(self, table: str, column: FittedColumn, value: Any) -> str | None:
        text = json.dumps(value) if column.kind in ("json", "jsonb") else str(value)
        if (problem := _problem(column, text)) is None:
            return text
        self.no_place[f"{table}.{column.name}: {problem}"] += 1
        return None

    def _filled(self, table: str, column: FittedColumn) -> str | None:
        text = FILLED.get(column.name)
        if text is None and column.kind in ("text", "varchar", "bpchar"):
            text = ""
        if text is None or (column.labels and text not in column.labels):
            return None
        self.filled[f"{table}.{column.name}"] += 1
        return text


def _problem(column: FittedColumn, text: str) -> str | None:
    match column.kind:
        case "enum":
            return None if text in column.labels else "not one of its labels"
        case "numeric" | "float8" | "float4":
            return None if _NUMBER.fullmatch(text) else "not a number"
        case "int2" | "int4" | "int8":
            return None if _WHOLE.fullmatch(text) else "not a whole number"
        case _:
            too_long = column.length is not None and len(text) > column.length
            return f"more than {column.length} characters" if too_long else None
