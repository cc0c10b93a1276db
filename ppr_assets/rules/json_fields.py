"""Typed fields out of a JSON object that may be damaged; what is wrong is named by its path."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

T = TypeVar("T")


class FieldError(Exception):
    """A field is missing or is not what it must be; the text names it and says which."""


class JsonFields:
    """An object of a JSON text. ``path`` is where it stands in it, empty for the whole.

    Every method raises :class:`FieldError`.
    """

    def __init__(self, value: object, path: str = "") -> None:
        if not isinstance(value, dict):
            raise _wrong(path or "it", value, "an object")
        self._values: dict[str, Any] = value
        self._path = path

    def text(self, name: str) -> str:
        value = self._get(name)
        if not isinstance(value, str):
            raise _wrong(self._named(name), value, "a text")
        return value

    def optional_text(self, name: str) -> str | None:
        return None if self._get(name) is None else self.text(name)

    def text_or_empty(self, name: str) -> str:
        """For a field that older files lack."""
        return self.text(name) if name in self._values else ""

    def texts_if_there(self, name: str) -> tuple[str, ...]:
        """A list of texts, empty where the field is missing."""
        value = self._values.get(name, [])
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise _wrong(self._named(name), value, "a list of texts")
        return tuple(value)

    def list_if_there(self, name: str) -> list[JsonFields]:
        """A list of objects, empty where the field is missing."""
        value = self._values.get(name, [])
        if not isinstance(value, list):
            raise _wrong(self._named(name), value, "a list")
        return [JsonFields(one, f"{self._named(name)}[{place}]") for place, one in enumerate(value)]

    def number(self, name: str) -> int:
        value = self._get(name)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise _wrong(self._named(name), value, "a whole number of at least 0")
        return value

    def optional_number(self, name: str) -> int | None:
        return None if self._get(name) is None else self.number(name)

    def seconds(self, name: str) -> float:
        value = self._get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
            raise _wrong(self._named(name), value, "a number of seconds")
        return float(value)

    def sha256(self, name: str) -> str:
        value = self.text(name)
        if not re.fullmatch(r"[0-9a-f]{64}", value):
            raise _wrong(self._named(name), value, "64 hex digits")
        return value

    def moment(self, name: str) -> datetime:
        """A timestamp with its timezone."""
        value = self.text(name)
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            raise _wrong(self._named(name), value, "a timestamp") from None
        if moment.tzinfo is None:
            raise _wrong(self._named(name), value, "a timestamp with its time zone")
        return moment

    def nested(self, name: str) -> JsonFields:
        return JsonFields(self._get(name), self._named(name))

    def optional_nested(self, name: str) -> JsonFields | None:
        return None if self._get(name) is None else self.nested(name)

    def plain(self) -> Mapping[str, Any]:
        """The object as it is, for what is shown and not judged."""
        return self._values

    def each(self, read: Callable[[JsonFields, str], T]) -> dict[str, T]:
        """``read(self, name)`` for every name of the object."""
        return {name: read(self, name) for name in self._values}

    def _get(self, name: str) -> object:
        if name not in self._values:
            raise FieldError(f"{self._named(name)} is missing")
        return self._values[name]

    def _named(self, name: str) -> str:
        return f"{self._path}.{name}" if self._path else name


def _wrong(name: str, value: object, must_be: str) -> FieldError:
    return FieldError(f"{name} is {value!r:.60}, must be {must_be}")
