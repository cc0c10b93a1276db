"""What earlier looks have read whole, so that not every one fetches a dump that is known.

git and buckets tell by a name of their own whether something is still the same object. One file
beside that of the alerts; anybody may remove it: then all is read once more.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress

from msgspec import Struct, field

from ppr_assets.alerts.state import state_file
from ppr_assets.files import write_whole
from ppr_assets.settings import DataRepoSettings

_NAME = "published_copy.json"


class Memory(Struct):
    """``whole``: by where it lies, the object that was read last and was what it should be."""

    whole: dict[str, str] = field(default_factory=dict)

    def knows(self, where: str, what: str) -> bool:
        return self.whole.get(where) == what


def recalled(settings: DataRepoSettings) -> Memory:
    with suppress(OSError, ValueError):
        found = json.loads(state_file(settings).with_name(_NAME).read_text(encoding="utf-8"))
        if isinstance(found, Mapping):
            return Memory({str(where): str(what) for where, what in found.items()})
    return Memory()


def remember(settings: DataRepoSettings, memory: Memory) -> None:
    """Where it cannot be kept, the next look reads more, and no look fails of it."""
    path = state_file(settings).with_name(_NAME)
    with suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        text = json.dumps(memory.whole, indent=1, sort_keys=True)
        write_whole(path, text, beside=path.with_suffix(".partial"), mode=0o600)
