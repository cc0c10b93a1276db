"""Take a restore back: the newest former database serves again, by the swap of a restore."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ppr_assets.errors import PreconditionFailed
from ppr_assets.operations.restoring.serving.ordinary import require_ordinary
from ppr_assets.postgres.databases.maintenance import maintenance
from ppr_assets.postgres.databases.names import Leftover, former_name
from ppr_assets.settings import DatabaseSettings


@dataclass(frozen=True)
class UndoOutcome:
    """``database`` is what was called ``was``; what served instead is kept as ``former``, so that
    doing it once more takes it back. ``remarks`` are for a human."""

    database: str
    was: str
    former: str
    remarks: Sequence[str]


def undo(target: DatabaseSettings, *, disconnect: bool, by: str) -> UndoOutcome:
    """Rename the newest former database of ``target`` back, and keep what has served since.

    Nothing is judged: what serves stays there, and a person has said so. Raises
    :class:`PreconditionFailed` where there is no former database, :class:`Busy` for sessions on
    the target, which ``disconnect`` ends, and :class:`RestoreFailed` when the role may not rename.
    """
    require_ordinary(target.dbname)
    with maintenance(target) as session:
        found = session.leftovers(target.dbname)
        newest = max((one for one in found if one.kind == "before"), key=_moment, default=None)
        if newest is None:
            raise PreconditionFailed(
                f"no former database of {target.dbname} is there, so no restore can be undone",
                hint="`ppr-assets list` shows the dumps that can be restored instead.",
            )
        former = session.unused(former_name)
        session.swap(target.dbname, newest.name, former, disconnect=disconnect)
        note = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC: {newest.name} was put back by {by}"
        return UndoOutcome(target.dbname, newest.name, former, session.note(former, note))


def _moment(leftover: Leftover) -> datetime:
    return leftover.made_at
