"""How far the records of a database may fall when a restored one takes its place.

The ratchet again, with what serves now in the place of the mark. Of what serves, the ratchet's
tables count; where none of the core tables is there, every table does.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from msgspec import Struct, field

from ppr_assets.rules.gate.ratchet import Override
from ppr_assets.rules.policy import CORE_TABLES, FLOOR_TABLE, GatePolicy, records_needed

DEPENDENTS = "dependents"
"""Of what is gone without: all that needs it, also columns with their values, and whole tables."""
WITHOUT_EXTENSIONS = ("extension", DEPENDENTS)
"""What is gone without where a server lacks extensions."""


class Guard(Struct, frozen=True):
    """What a restore may take away. ``for_service``: what comes back has to hold records, also
    where nothing is replaced. ``override``: a human's decision to pass a refusal once. ``by``: who
    replaces what serves, empty where nobody asked. ``held``: to what serves; not where nobody is
    served, as on a server of one's own."""

    policy: GatePolicy = field(default_factory=lambda: GatePolicy(100, Decimal("0.9")))
    for_service: bool = False
    override: Override | None = None
    by: str = ""
    without: tuple[str, ...] = ()
    """Kinds of objects, or objects, to go without where they cannot be made; :data:`DEPENDENTS`."""
    held: bool = True


STANDARD = Guard()
"""With the settings' defaults."""


class Shortfall(Struct, frozen=True):
    """``table`` has ``serving`` records now, would have ``have`` (None: no such table), and needs
    ``need``."""

    table: str
    serving: int
    have: int | None
    need: int

    def __str__(self) -> str:
        if self.have is None:
            return f"table {self.table} would be gone, it has {self.serving} records now"
        return (
            f"{self.table} would have {self.have} records, at least {self.need} needed "
            f"({self.serving} serve now)"
        )


def judged_tables(serving: Mapping[str, int], policy: GatePolicy) -> list[str]:
    """Those whose records must not be lost: the policy's, or all where no core table is there."""
    if policy.tables is None or serving.keys().isdisjoint(CORE_TABLES):
        return [table for table in sorted(serving) if serving[table]]
    wanted = dict.fromkeys([FLOOR_TABLE, *CORE_TABLES, *policy.tables])
    return [table for table in wanted if serving.get(table)]


def shortfalls(
    serving: Mapping[str, int],
    restored: Mapping[str, int],
    policy: GatePolicy,
    *,
    every: bool = False,
) -> list[Shortfall]:
    """Tables of which too few records would be left. Of a table below the floor, a tenth is noise,
    so only its last record counts; so does that of each table that is not judged, with ``every``.
    """
    judged = judged_tables(serving, policy)
    others = [table for table in sorted(serving) if every and serving[table]]
    found = []
    for table in dict.fromkeys([*judged, *others]):
        need = 1
        if table in judged and serving[table] >= policy.min_records:
            need = records_needed(serving[table], policy.percentage)
            if table == FLOOR_TABLE:
                need = max(need, policy.min_records)
        have = restored.get(table)
        if (have or 0) < need:
            found.append(Shortfall(table, serving[table], have, need))
    return found
