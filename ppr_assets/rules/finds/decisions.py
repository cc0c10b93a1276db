"""What humans have decided about finds, as it stands in a policy file.

Two arrays of tables, whose names can be no table's key::

    [["allowed finds"]]
    table = "service"
    column = "description"
    kind = "URL with a password"
    reason = "the example of the guide that it quotes"

    [["reviewed finds"]]
    table = "contact"
    column = "email"
    kind = "free-mail address"
    values = 212
    reason = "offices without an address of their own"

``column`` is left out for what was found in a statement.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct, field

from ppr_assets.rules.finds.judgement import Allowed, Finds, Judgement, Spot, judge_finds
from ppr_assets.rules.naming import QUOTED_NAME, unquoted

ALLOWED = "allowed finds"
REVIEWED = "reviewed finds"

_WORDS = ("table", "column", "kind", "reason")
_PLACE = re.compile(rf'(?P<table>.+)\.(?P<column>{QUOTED_NAME}|[^".]+)', re.DOTALL)
_STATEMENT = re.compile(r"[A-Z]+ |a statement\Z|large objects\Z")


class Reviewed(Struct, frozen=True):
    """So many values of a ``kind`` that leads to persons are there, and somebody has seen it."""

    table: str
    column: str
    kind: str
    values: int
    reason: str = ""

    @property
    def spot(self) -> Spot:
        return Spot(self.table, self.column, self.kind)


class FindDecisions(Struct, frozen=True):
    """By spot, each decided once."""

    allowed: Mapping[Spot, Allowed] = field(default_factory=dict)
    reviewed: Mapping[Spot, Reviewed] = field(default_factory=dict)

    @classmethod
    def parse(cls, allowed: Any, reviewed: Any) -> FindDecisions:
        """What stands in a file under :data:`ALLOWED` and :data:`REVIEWED`, None where nothing
        does. Raises ``ValueError`` in words."""
        return cls(
            {
                spot: Allowed(*spot, entry.get("reason", "").strip())
                for spot, entry in _entries(ALLOWED, allowed, {*_WORDS})
            },
            {
                spot: Reviewed(*spot, _values(spot, entry), entry.get("reason", "").strip())
                for spot, entry in _entries(REVIEWED, reviewed, {*_WORDS, "values"})
            },
        )

    def with_additions(self, added: FindDecisions) -> FindDecisions:
        """The same with what ``added`` decides, which wins."""
        return FindDecisions({**self.allowed, **added.allowed}, {**self.reviewed, **added.reviewed})

    def judge(self, finds: Finds) -> Judgement:
        baseline = {spot: one.values for spot, one in self.reviewed.items()}
        return judge_finds(finds, baseline, self.allowed.values())


def spot_at(place: str, kind: str) -> Spot:
    """The spot that messages name as ``place``: a table and its column, or the first words of a
    statement. Raises ``ValueError`` where it is none, or its kind is not one of ours."""
    found = _PLACE.fullmatch(place)
    if _STATEMENT.match(place):
        return _known(Spot(place, "", kind))
    if found is None:
        raise ValueError(f"`{place}` must be TABLE.COLUMN, as the message has it")
    return _known(Spot(found["table"], unquoted(found["column"]), kind))


def _known(spot: Spot) -> Spot:
    if spot.kind not in _kinds():
        raise ValueError(f"{spot.kind!r:.60} is not a kind that is searched for")
    return spot


@functools.cache
def _kinds() -> Mapping[str, bool]:
    """Whether each leads to persons, by name."""
    # Late: the forms take their time to compile, and most policy files name none.
    from ppr_assets.rules.finds.all_kinds import KINDS

    return {kind.name: kind.person for kind in KINDS}


def _entries(name: str, value: Any, keys: set[str]) -> Iterator[tuple[Spot, Mapping[str, Any]]]:
    if value is None:
        return
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise ValueError(f'`{name}` must be tables, each under [["{name}"]]')
    seen: set[Spot] = set()
    for entry in value:
        if strange := sorted(entry.keys() - keys):
            raise ValueError(
                f"`{name}` has {strange[0]!r:.40}, must have {', '.join(sorted(keys))}"
            )
        texts = {key: entry.get(key, "") for key in _WORDS}
        for key, text in texts.items():
            if not isinstance(text, str) or (key in {"table", "kind"} and not text):
                raise ValueError(f"`{name}` has a {key} that is {text!r:.40}, must be a text")
        spot = _known(Spot(texts["table"], texts["column"], texts["kind"]))
        if spot in seen:
            raise ValueError(f"`{name}` has {spot.place} ({spot.kind}) twice")
        seen.add(spot)
        yield spot, entry


def _values(spot: Spot, entry: Mapping[str, Any]) -> int:
    if not _kinds()[spot.kind]:
        raise ValueError(f"`{REVIEWED}` has {spot.kind}, which is allowed or not, and not counted")
    values = entry.get("values")
    if type(values) is not int or values < 0:
        raise ValueError(
            f"`{REVIEWED}` has {values!r:.40} values of {spot.place}, must be a number"
        )
    return values
