"""Where in a result organizations are told: bare, wrapped, in lists, or beneath a wrapper that
means nothing, such as ``data`` or ``schema``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ppr_assets.records.spellings import ORGANIZATION, WRAPPER, stem

DEEPEST_WRAPPING = 4
_HOLDS = stem("organizations")
_NAMED = {key for key, name in ORGANIZATION.fields.items() if name == "name"}


def tops(value: Any, path: str, deeper: int = DEEPEST_WRAPPING) -> Iterator[tuple[Any, str]]:
    """Each object that is an organization or holds some, with its JSON path."""
    if isinstance(value, list):
        for at, one in enumerate(value if deeper else ()):
            yield from tops(one, f"{path}[{at}]", deeper - 1)
    elif isinstance(value, dict):
        stems = {stem(key) for key in value}
        if _HOLDS in stems or stems & _NAMED:
            yield value, path
            return
        for key, one in value.items() if deeper else ():
            if isinstance(one, dict | list) and stem(key) not in WRAPPER.fields:
                yield from tops(one, f"{path}.{key}", deeper - 1)


def holds_organizations(top: dict[str, Any]) -> bool:
    """Whether the object is only around organizations, and none itself."""
    return any(stem(key) == _HOLDS and isinstance(top[key], dict | list) for key in top)
