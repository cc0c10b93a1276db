"""What came of copying: at each place, and all in all."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct, field

from ppr_assets.errors import CopyFailed, PprError


class PlaceOutcome(Struct):
    """What was done at a place and found there. ``copied`` and ``retired`` are names of dumps,
    ``kept`` those that lie there whole; ``read`` were read back. ``problems``: what was missing or
    is another than what was published; ``failure``: why it could not be gone on with."""

    place: str
    copied: list[str] = field(default_factory=list)
    retired: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    read: list[str] = field(default_factory=list)
    problems: list[PprError] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    bytes: int = 0
    failure: PprError | None = None

    @property
    def verified(self) -> bool:
        return self.failure is None and not self.problems


class CopyOutcome(Struct, frozen=True):
    """What was done at each place, in the order of the settings."""

    places: Sequence[PlaceOutcome]

    @property
    def failed(self) -> Sequence[PlaceOutcome]:
        return [one for one in self.places if not one.verified]

    def error(self) -> PprError | None:
        """The expected failure that this amounts to, if any: what was published stands."""
        if not self.failed:
            return None
        first = self.failed[0]
        what = first.failure or first.problems[0]
        several = len(self.places) > 1
        counted = f" ({len(self.failed)} of {len(self.places)} places)" if several else ""
        return CopyFailed(
            f"published, but not copied as it should be{counted}: {what.message}", hint=what.hint
        )
