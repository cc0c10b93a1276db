"""The mark: the highest record counts ever published, and the file that keeps them.

The file is upstream's (``max_record_count``, ``updated_at``, ``updated_by``) with the marks of the
other tables added. What cannot be read as a mark is refused: read as zero it would let anything
pass.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NoReturn

from ppr_assets.errors import RatchetFileError

_KNOWN = ("max_record_count", "updated_at", "updated_by", "tables")


@dataclass(frozen=True)
class Mark:
    """Records ever published: organizations, and by table key the other tables.

    ``updated_at`` is UTC. ``extra`` holds keys of the file that this project does not know and
    keeps.
    """

    organization: int
    tables: Mapping[str, int] = field(default_factory=dict)
    updated_at: datetime | None = None
    updated_by: str = ""
    extra: Mapping[str, object] = field(default_factory=dict)

    def of(self, table: str) -> int | None:
        """The mark of a table, None where it has none."""
        return self.organization if table == "organization" else self.tables.get(table)


def parse_mark(text: str | bytes) -> Mark:
    """Read the ratchet file. Raises :class:`RatchetFileError` for whatever is not a mark."""
    try:
        decoded = text.decode() if isinstance(text, bytes) else text
        content = json.loads(
            decoded, object_pairs_hook=_without_duplicates, parse_constant=_no_constant
        )
    except (ValueError, RecursionError) as error:
        _refuse(f"is not JSON: {error}")
    if not isinstance(content, dict):
        _refuse(f"holds {_kind(content)}, not an object")
    if "max_record_count" not in content:
        _refuse("has no max_record_count")
    tables = content.get("tables", {})
    if not isinstance(tables, dict):
        _refuse(f"has {_kind(tables)} as tables, not an object")
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
    """The file's text; the timestamp is UTC without an offset, as upstream writes it."""
    content: dict[str, object] = {"max_record_count": mark.organization}
    if mark.updated_at is not None:
        naive = mark.updated_at.astimezone(UTC).replace(tzinfo=None)
        content["updated_at"] = naive.isoformat()
    content["updated_by"] = mark.updated_by
    if mark.tables:
        content["tables"] = dict(sorted(mark.tables.items()))
    return json.dumps(content | dict(mark.extra), indent=2, ensure_ascii=False) + "\n"


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
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        _refuse(f"has {value!r:.60} as updated_at, not a timestamp")
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("a key stands twice in it")
    return content


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of records")


def _kind(value: object) -> str:
    kinds = {dict: "an object", list: "a list", str: "a text", bool: "a boolean", int: "a number"}
    return kinds.get(type(value), "something else") if value is not None else "null"


def _refuse(why: str) -> NoReturn:
    raise RatchetFileError(
        f"the ratchet file {why}",
        hint="bring back the committed file, or set the mark on purpose: "
        '`ppr-assets ratchet reset --to N --reason "…"`.',
    )
