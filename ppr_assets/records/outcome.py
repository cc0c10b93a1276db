"""What one published file comes to: exactly one of loaded, nothing to load, rejected."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from ppr_assets.rules.replay.record import Organization


class Job(Struct, frozen=True, array_like=True):
    """Who told it, and when."""

    job_id: str
    scraper: str | None
    """None where the file does not name its scraper, or calls it unknown."""
    created_at: str
    """``YYYY-MM-DD HH:MM:SS[.ffffff]``, in UTC where the file has a zone, so that it sorts."""
    content_hash: str | None = None

    @property
    def day(self) -> str:
        return self.created_at[:10]


class Loaded(Struct, frozen=True, array_like=True, tag=True):
    job: Job
    organizations: tuple[Organization, ...]
    was_truncated: bool = False
    """The model's answer was cut off and closed again: locations may be missing."""
    without_place: Mapping[str, int] = field(default_factory=dict)
    """What has no place in the schema, or could not be read, by name: ``location.walk_in``."""


class NothingToLoad(Struct, frozen=True, array_like=True, tag=True):
    reason: str
    job: Job | None = None


class Rejected(Struct, frozen=True, array_like=True, tag=True):
    reason: str
    json_path: str = "$"
    job: Job | None = None


Outcome = Loaded | NothingToLoad | Rejected
