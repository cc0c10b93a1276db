"""The mark: the highest record counts ever published, and the file that keeps them.

The file is upstream's (``max_record_count``, ``updated_at``, ``updated_by``) with the marks of the
other tables added. What cannot be read as a mark is refused: read as zero it would let anything
pass.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NoReturn

from msgspec import Struct, field

from ppr_assets.errors import RatchetFileError

RESET = "ratchet reset: "
"""Stands in ``updated_by`` before the reason of whoever has set the mark on purpose."""

_KNOWN = ("max_record_count", "updated_at", "updated_by", "tables")
_DEEPEST = 20  # levels of nesting; more could be read, but not written again


class Mark(Struct, frozen=True):
    """Records ever published: organizations, and by table key the other tables.

    ``updated_at`` is UTC. ``extra`` holds keys of the file that this project does not know and
    keeps. Raises ``ValueError`` for what the file could not hold: a number below zero, a second
    mark of organizations among ``tables``, a moment without timezone, a known key in ``extra``.
    """

    organization: int
    tables: Mapping[str, int] = field(default_factory=dict)
    updated_at: datetime | None = None
    updated_by: str = ""
    extra: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if min(self.organization, *self.tables.values(), 0) < 0:
            raise ValueError("a mark cannot be below zero")
        if "organization" in self.tables:
            raise ValueError("the mark of organizations stands by itself")
        if self.updated_at is not None and self.updated_at.tzinfo is None:
            raise ValueError("a mark's moment needs a time zone")
        if not self.extra.keys().isdisjoint(_KNOWN):
            raise ValueError("a known key is not extra")

    def of(self, table: str) -> int | None:
        """The mark of a table, None where it has none."""
        return self.organization if table == "organization" else self.tables.get(table)


def parse_mark(text: str | bytes) -> Mark:
    """Read the ratchet file. Raises :class:`RatchetFileError` for whatever is not a mark."""
    try:
        decoded = text.decode() if isinstance(text, bytes) else text
        content = json.loads(
            decoded,
            object_pairs_hook=_without_duplicates,
            parse_constant=_finite,
            parse_float=_finite,
        )
    except (ValueError, RecursionError) as error:
        _refuse(f"is not JSON: {error}")
    if _deeper_than(_DEEPEST, content):
        _refuse(f"is nested deeper than {_DEEPEST} levels")
    if not isinstance(content, dict):
        _refuse(f"holds {_kind(content)}, not an object")
    if "max_record_count" not in content:
        _refuse("has no max_record_count")
    tables = content.get("tables", {})
    if not isinstance(tables, dict):
        _refuse(f"has {_kind(tables)} as tables, not an object")
    if "organization" in tables:
        _refuse("has organization among tables, its mark is max_record_count")
    updated_by = content.get("updated_by", "")
    if not isinstance(updated_by, str):
        _refuse(f"has {_kind(updated_by)} as updated_by, not a text")
    return Mark(
        organization=_count("max_record_count", content["max_record_count"]),
        tables={name: _count(f"tables.{name}", rows) for name, rows in tables.items()},
        updated_at=_moment(content.get("updated_at")),
        updated_by=updated_by,
        extra={key: value for key, value in content.items() if key not in _KNOWN},
    )


def render_mark(mark: Mark) -> str:
    """The file's text: upstream's three keys first, so that its own scripts go on reading it.

    The timestamp is UTC without an offset, as upstream writes it. All in ASCII: a text that JSON
    can escape but UTF-8 cannot hold comes back as it was.
    """
    content: dict[str, object] = {"max_record_count": mark.organization}
    if mark.updated_at is not None:
        naive = mark.updated_at.astimezone(UTC).replace(tzinfo=None)
        content["updated_at"] = naive.isoformat()
    content["updated_by"] = mark.updated_by
    if mark.tables:
        content["tables"] = dict(sorted(mark.tables.items()))
    return json.dumps(content | dict(mark.extra), indent=2) + "\n"


def merged_mark(one: Mark, other: Mark) -> Mark:
    """The higher of two marks, table by table: what two publishers have proven together."""
    newer, older = (one, other) if _stamp(one) >= _stamp(other) else (other, one)
    tables = dict(older.tables) | {
        name: max(rows, older.tables.get(name, 0)) for name, rows in newer.tables.items()
    }
    return Mark(
        organization=max(one.organization, other.organization),
        tables=tables,
        updated_at=newer.updated_at,
        updated_by=newer.updated_by,
        extra={**older.extra, **newer.extra},
    )


def _stamp(mark: Mark) -> datetime:
    return mark.updated_at or datetime.min.replace(tzinfo=UTC)


def _count(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        _refuse(f"has {value!r:.60} as {name}, not a whole number from 0")
    return value


def _moment(value: object) -> datetime | None:
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value if isinstance(value, str) else "")
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        _refuse(f"has {value!r:.60} as updated_at, not a timestamp")


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("a key stands twice in it")
    return content


def _finite(text: str) -> float:
    """``NaN`` and ``Infinity``, and 1e999, which Python reads as infinite, are not JSON."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is not a number")
    return number


def _deeper_than(levels: int, value: object) -> bool:
    children = list(value.values()) if isinstance(value, dict) else value
    if not isinstance(children, list):
        return False
    return levels == 0 or any(_deeper_than(levels - 1, child) for child in children)


def _kind(value: object) -> str:
    kinds = {dict: "an object", list: "a list", str: "a text", bool: "a boolean"}
    return "null" if value is None else kinds.get(type(value), "a number")


def _refuse(why: str) -> NoReturn:
    raise RatchetFileError(
        f"the ratchet file {why}",
        hint="bring back the committed file, or set the mark on purpose: "
        '`ppr-assets ratchet reset --to N --reason "…"`.',
    )
