"""What the dumps and the clone take, and what is left on their disk."""

from __future__ import annotations

import shutil
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

from ppr_assets.data_repo.clone.upkeep import repo_size
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.history.dump_folder import dump_folder
from ppr_assets.operations.published.state import Published


class Room(Struct, frozen=True):
    """``dumps`` stand in the folder; the rest is in bytes, the clone's without its work tree."""

    dumps: int | None = None
    clone_bytes: int | None = None
    disk_free_bytes: int | None = None
    disk_bytes: int | None = None

    @property
    def free_percent(self) -> float | None:
        if self.disk_free_bytes is None or not self.disk_bytes:
            return None
        return 100 * self.disk_free_bytes / self.disk_bytes

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


NO_ROOM = Room()


def room_of(repo: DataRepo, published: Published) -> Room:
    disk = shutil.disk_usage(repo.path)
    dumps = len(dump_folder(repo, published.head).dumps)
    return Room(dumps, repo_size(repo).total, disk.free, disk.total)
