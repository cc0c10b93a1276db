"""What a record says, without where it was said: two with the same content are one."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

_NAMES: dict[type, tuple[str, ...]] = {}


def content(record: Any) -> tuple[Any, ...]:
    """Hashable, and equal for records of one kind that differ in nothing but their paths."""
    kind = type(record)
    names = _NAMES.get(kind)
    if names is None:
        names = _NAMES[kind] = tuple(one for one in kind.__struct_fields__ if one != "path")
    return (kind.__name__, *[_plain(getattr(record, name)) for name in names])


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, tuple):
        return tuple(_plain(one) for one in value)
    return content(value) if isinstance(value, Struct) else value
