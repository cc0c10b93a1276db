"""One night as it goes: what its steps have come to, for whoever has started it and reports it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ppr_assets.errors import PprError
    from ppr_assets.operations.dump import DumpOutcome
    from ppr_assets.operations.publishing.publish import PublishOutcome
    from ppr_assets.rules.ratchet import Verdict


@dataclass
class Night:
    """The outcome of each step that has come to one, and the failure that ended the night early.

    ``counted`` is the gate's verdict on what was counted. ``published`` is also what was committed
    and could not be delivered, which the failure tells then.
    """

    run_id: str
    counted: Verdict | None = None
    dumped: DumpOutcome | None = None
    published: PublishOutcome | None = None
    failure: PprError | None = None
