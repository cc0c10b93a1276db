"""What a human lets a replay do to a database, and what it came to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct, field

from ppr_assets.deadline import Deadline
from ppr_assets.operations.replaying.gathered import ReplayOutcome
from ppr_assets.operations.sources.wanted import Wanted
from ppr_assets.rules.gate.ratchet import Override
from ppr_assets.rules.gate.replacement import STANDARD, Guard

NOT_REPLACED = (
    "nothing was replaced. Were all days and scrapers read (--since, --scraper, "
    "DB_INIT_DAYS_TO_SYNC)? `ppr-assets replay --into NAME --schema latest` looks at it in a "
    'database of its own. To take it all the same: --override "why".'
)


class RebuildTerms(Struct, frozen=True):
    """What a human lets a replay do. ``replace``: take the place of a database that holds records.
    ``schema``: the dump whose tables are made where there are none. ``disconnect`` ends sessions on
    the target, at the swap only. ``strict``: load nothing if a file cannot be used. ``batch``: in
    tables that are there, each in a transaction of its own. ``guard`` is held against what serves
    right before the swap. It is given up at the ``deadline``."""

    replace: bool = False
    schema: Wanted | None = None
    disconnect: bool = False
    strict: bool = False
    batch: bool = False
    guard: Guard = STANDARD
    deadline: Deadline = field(default_factory=lambda: Deadline(None))


CAUTIOUS = RebuildTerms()
"""Into the empty tables of a database that is there, and nowhere else."""


class RebuildOutcome(Struct, frozen=True):
    """``database`` now holds what was ``replayed``, in the tables of ``schema`` (empty: in those
    that were there). ``former`` is what the one that it replaced is called now, None where none is
    kept. ``override`` only where it was needed; ``remarks`` are for a human.
    ``counts``: records by table, of those that the guard's policy judges."""

    replayed: ReplayOutcome
    database: str
    schema: str = ""
    former: str | None = None
    override: Override | None = None
    remarks: Sequence[str] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
