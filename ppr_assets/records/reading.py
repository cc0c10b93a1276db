"""The reading of one file: takes objects apart by their keys, and counts what has no place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from ppr_assets.records.spellings import UNKNOWN, ObjectKind
from ppr_assets.rules.replay.words.texts import known

MOST_NAMES = 200
"""Different names that one file may add to the count; the others are counted together."""
_NUMBERS = (int, float)


class Fields:
    """An object's values by the names they have here, each with the JSON path it came from."""

    __slots__ = ("kind", "path", "reading", "values")

    def __init__(self, reading: Reading, kind: ObjectKind, path: str) -> None:
        self.reading = reading
        self.kind = kind
        self.path = path
        self.values: dict[str, list[tuple[str, Any]]] = {}

    def text(self, name: str) -> str | None:
        """The first value that says something, as text. Others beside it are counted."""
        values = self.values.get(name)
        if values is None:
            return None
        if len(values) == 1 and type(values[0][1]) is str:
            return known(values[0][1])
        first = None
        for key, value in values:
            words = value if type(value) is str else _words(value)
            told = None if words is None else known(words)
            if words is None or (first and told not in (None, first)):
                self.reading.lose(f"{self.kind.name}.{key[:60]}")
            first = first or told
        return first

    def raw(self, name: str) -> Any:
        """The first value as it is."""
        values = self.values.get(name)
        return values[0][1] if values else None

    def each(self, name: str) -> Sequence[tuple[str, Any]]:
        """Every value, and every element where a value is a list."""
        values = self.values.get(name)
        if values is None:
            return ()
        found: list[tuple[str, Any]] = []
        for key, value in values:
            path = f"{self.path}.{key}"
            if isinstance(value, list):
                found += [(f"{path}[{at}]", element) for at, element in enumerate(value)]
            else:
                found.append((path, value))
        return found

    def texts(self, name: str) -> list[str]:
        """Every value as text, each once."""
        if name not in self.values:
            return []
        found = (known(words) for _, value in self.each(name) if (words := _words(value)))
        return list(dict.fromkeys(words for words in found if words))


class Reading:
    """What one file has said that has no place, by name."""

    def __init__(self) -> None:
        self.without_place: Counter[str] = Counter()

    def lose(self, name: str) -> None:
        if name in self.without_place or len(self.without_place) < MOST_NAMES:
            self.without_place[name] += 1
        else:
            self.without_place["others"] += 1

    def told(self, raw: Any, kind: ObjectKind, path: str, *, alone: str) -> Fields | None:
        """The object, or the text that stands ``alone`` for one; what is neither is counted."""
        if isinstance(raw, str):
            raw = {alone: raw}
        if not isinstance(raw, dict):
            self.lose(kind.name)
            return None
        return self.fields(raw, kind, path)

    def fields(self, raw: Any, kind: ObjectKind, path: str, *, again: bool = False) -> Fields:
        """The object by its names here; unknown keys that hold something are counted, unless it
        is looked at ``again``. What is no object has no fields."""
        found = Fields(self, kind, path)
        values, names = found.values, kind.by_key
        for key, value in raw.items() if isinstance(raw, dict) else ():
            if not value and not isinstance(value, _NUMBERS):
                continue
            name = names[key]
            if name is UNKNOWN:
                if not again:
                    self.lose(f"{kind.name}.{key[:60]}")
            elif name in values:
                values[name].append((key, value))
            elif name:
                values[name] = [(key, value)]
        return found


def _words(value: Any) -> str | None:
    """A scalar, a list of scalars, or an object that says it in one field, as text."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, list):
        parts = [None if isinstance(part, list) else _words(part) for part in value]
        return "; ".join(part for part in parts if part) if None not in parts else None
    if isinstance(value, dict):
        for key in ("description", "name", "value", "url", "email", "address"):
            if isinstance(value.get(key), str):
                return str(value[key])
    return None
