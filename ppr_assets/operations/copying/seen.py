"""What was last found whole at each place of copies, kept beside the clone.

It saves reading everything back every night, and tells a copy that vanished from one that never
was. Anybody may remove it: then all is read once more.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from msgspec import Struct, convert
from msgspec.structs import asdict

from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.files import write_whole

_FILE = "copies.json"


class SeenCopy(Struct, frozen=True):
    """The object of a dump's copy as it was when it was read back whole, ``read_at`` in UTC."""

    bytes: int
    tag: str
    read_at: datetime


def seen_at(repo: DataRepo, place: str) -> dict[str, SeenCopy]:
    """By dump; nothing where the file is not there, or cannot be read."""
    found: dict[str, SeenCopy] = {}
    for dump, one in _read(repo).get(place, {}).items():
        with suppress(ValueError):
            found[dump] = convert(one, SeenCopy)
    return found


class NewestCopy(Struct, frozen=True):
    """The newest dump that was found whole at a place, and when; None before the first."""

    place: str
    dump: str | None = None
    read_at: datetime | None = None

    def to_json(self) -> dict[str, str | None]:
        read_at = self.read_at.isoformat() if self.read_at else None
        return {"place": self.place, "dump": self.dump, "read_at": read_at}


def newest_copies(repo: DataRepo) -> list[NewestCopy]:
    """One for each place of the settings. Asks no place: it is what the last runs have seen."""
    return [_newest(repo, url.shown) for url in repo.settings.copies.urls]


def _newest(repo: DataRepo, place: str) -> NewestCopy:
    seen = seen_at(repo, place)
    dump = max(seen, default=None)
    return NewestCopy(place, dump, seen[dump].read_at) if dump else NewestCopy(place)


def remember(repo: DataRepo, place: str, seen: Mapping[str, SeenCopy]) -> None:
    """Raises ``OSError`` where the clone's folder cannot be written."""
    told = {**_read(repo), place: {dump: asdict(one) for dump, one in seen.items()}}
    text = json.dumps(told, default=datetime.isoformat, indent=1, sort_keys=True)
    repo.state_dir.mkdir(exist_ok=True)
    path = repo.state_dir / _FILE
    write_whole(path, text + "\n", beside=path.with_suffix(".partial"))


def _read(repo: DataRepo) -> dict[str, dict[str, Any]]:
    with suppress(OSError, ValueError):
        found = json.loads((repo.state_dir / _FILE).read_text(encoding="utf-8"))
        if isinstance(found, dict):
            return {place: one for place, one in found.items() if isinstance(one, dict)}
    return {}
