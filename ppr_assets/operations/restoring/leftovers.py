"""What restores have left beside a database: the newest former one put back, or all of it dropped.

A former database is the way back, so it goes only when somebody says so, and never with anybody
in it. While this looks, no restore of the same database can be at work. What only looks at them
and drops them is loaded without what fills databases.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Literal

from msgspec import Struct

from ppr_assets.errors import Busy, PreconditionFailed
from ppr_assets.operations.restoring.serving.ordinary import require_ordinary
from ppr_assets.postgres.databases.maintenance import Maintenance, maintenance
from ppr_assets.postgres.databases.names import PROOF_SCRATCH, SCRATCH, Leftover, former_name
from ppr_assets.settings import DatabaseSettings


class Cleaned(Struct, frozen=True):
    """A database that was looked at. ``why`` is filled where it was ``kept``; ``in_use``: because
    somebody is in it."""

    leftover: Leftover
    what: Literal["dropped", "would drop", "kept"]
    why: str = ""
    in_use: bool = False


def cleanup(
    target: DatabaseSettings, *, older_than: timedelta | None = None, dry_run: bool = False
) -> Iterator[Cleaned]:
    """Drop them one by one, the oldest first; of former ones those that are ``older_than`` that.

    Half-made ones are nobody's, whatever their age. Raises :class:`Busy` while a restore or a
    drill of the same database is at work, :class:`DatabaseUnreachable`, and :class:`RestoreFailed`
    when the server refuses to drop one.
    """
    scratches = (f"{target.dbname}_{name}" for name in (SCRATCH, PROOF_SCRATCH))
    with ExitStack() as stack:
        home, sessions = target.dbname, list[Maintenance]()
        for name in (target.dbname, *scratches):  # all with the server that the first one is with
            opened = maintenance(replace(target, dbname=name), home=home)
            sessions.append(stack.enter_context(opened))
            target = sessions[0].settings
        for session in sessions:
            for leftover in session.leftovers(session.settings.dbname):
                yield _clean(session, leftover, older_than, dry_run=dry_run)


def _clean(
    session: Maintenance, leftover: Leftover, older_than: timedelta | None, *, dry_run: bool
) -> Cleaned:
    if leftover.kind == "before":
        if older_than is not None and datetime.now(UTC) - leftover.made_at < older_than:
            days = "a day" if older_than.days == 1 else f"{older_than.days} days"
            return Cleaned(leftover, "kept", f"younger than {days} (see --older-than)")
        if live := session.staying(leftover.name):
            who = "; ".join(map(str, live))
            return Cleaned(leftover, "kept", f"in use: {who}", in_use=True)
    if dry_run:
        return Cleaned(leftover, "would drop")
    if leftover.kind == "restoring":
        session.drop(leftover.name)
        return Cleaned(leftover, "dropped")
    try:
        session.drop_unused(leftover.name)
    except Busy as error:
        return Cleaned(leftover, "kept", error.message, in_use=True)
    return Cleaned(leftover, "dropped")


class UndoOutcome(Struct, frozen=True):
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
        former_ones = (one for one in found if one.kind == "before")
        newest = max(former_ones, key=attrgetter("made_at"), default=None)
        if newest is None:
            raise PreconditionFailed(
                f"no former database of {target.dbname} is there, so no restore can be undone",
                hint="`ppr-assets list` shows the dumps that can be restored instead.",
            )
        former = session.unused(former_name)
        session.swap(target.dbname, newest.name, former, disconnect=disconnect)
        remarks = session.note(former, f"{newest.name} was put back by {by}")
        return UndoOutcome(target.dbname, newest.name, former, remarks)
