"""What was found in the values of a dump, and what that means: a secret stops it, what leads to
persons is held to a baseline that somebody has reviewed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from msgspec import Struct, field

from ppr_assets.errors import PolicyRefused
from ppr_assets.rules.naming import column_name
from ppr_assets.rules.wording import shell_word

_SHOWN = 20


class Spot(NamedTuple):
    """A kind in a column of a table, by its key. Without a column: in a statement of the dump,
    whose first words stand in the table's place."""

    table: str
    column: str
    kind: str

    @property
    def place(self) -> str:
        return column_name(self.table, self.column) if self.column else self.table


class Find(Struct, frozen=True):
    """A secret in a row, which is told by its primary ``key``; never the value itself."""

    table: str
    column: str
    kind: str
    key: str = ""

    @property
    def spot(self) -> Spot:
        return Spot(self.table, self.column, self.kind)

    def __str__(self) -> str:
        where = f" in the row {self.key}" if self.key else ""
        return f"{self.spot.place}{where} ({self.kind})"


class Finds(Struct, frozen=True):
    """``secrets``: the first ones of each spot, and of the others how many, ``unlisted``.
    ``persons``: how many values lead to persons. What has several of a kind counts once."""

    secrets: Sequence[Find] = ()
    unlisted: Mapping[Spot, int] = field(default_factory=dict)
    persons: Mapping[Spot, int] = field(default_factory=dict)


class Allowed(Struct, frozen=True):
    """A human's decision that what looks like this ``kind`` there may be published."""

    table: str
    column: str
    kind: str
    reason: str

    def __post_init__(self) -> None:
        if not self.reason.strip():
            raise ValueError(f"{self.spot.place} ({self.kind}) is allowed without a reason")

    @property
    def spot(self) -> Spot:
        return Spot(self.table, self.column, self.kind)


class Rise(Struct, frozen=True):
    """More of what leads to persons than the baseline has: some where there were none, or twice as
    many."""

    spot: Spot
    values: int
    reviewed: int

    def __str__(self) -> str:
        before = f"{self.reviewed} when it was reviewed" if self.reviewed else "none were reviewed"
        return f"{self.spot.place}: {self.values} of the kind {self.spot.kind}, {before}"


class Judgement(Struct, frozen=True):
    """``refused`` stops the dump, ``more`` counts those that are not listed. ``rises`` are for
    somebody to look at."""

    refused: tuple[Find, ...] = ()
    more: int = 0
    rises: tuple[Rise, ...] = ()

    def require(self) -> None:
        """Raise :class:`PolicyRefused` where there is a secret."""
        if not self.refused and not self.more:
            return
        more = self.more + max(0, len(self.refused) - _SHOWN)
        raise PolicyRefused(
            f"secrets would be published: {', '.join(map(str, self.refused[:_SHOWN]))}"
            f"{f' and {more} more' if more else ''}",
            hint="take them out of the database, and change them where they were used: somebody "
            "may have seen them. What only looks like a secret can be allowed by column and kind"
            f"{_command(self.refused[:1])}. Nothing was published.",
        )


def _command(refused: Sequence[Find]) -> str:
    """What allows the first; nothing where only others are left that are not listed."""
    for find in refused:
        words = f"ppr-assets policy allow {shell_word(find.spot.place)} {shell_word(find.kind)}"
        return f": `{words} --reason …`"
    return ""


def judge_finds(
    finds: Finds, baseline: Mapping[Spot, int], allowed: Collection[Allowed]
) -> Judgement:
    """Hold ``finds`` to what is ``allowed``, and those of persons to the reviewed ``baseline``, the
    values by spot."""
    passed = {one.spot for one in allowed}
    return Judgement(
        refused=tuple(find for find in finds.secrets if find.spot not in passed),
        more=sum(number for spot, number in finds.unlisted.items() if spot not in passed),
        rises=tuple(_rises(finds.persons, baseline, passed)),
    )


def _rises(
    persons: Mapping[Spot, int], baseline: Mapping[Spot, int], passed: Collection[Spot]
) -> Iterator[Rise]:
    for spot, values in sorted(persons.items()):
        reviewed = baseline.get(spot, 0)
        if spot not in passed and values and values >= 2 * reviewed:
            yield Rise(spot, values, reviewed)
