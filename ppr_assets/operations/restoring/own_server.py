"""A published dump in a server of its own: for whoever looks into the data and has no server."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from msgspec import Struct

from ppr_assets.deadline import Deadline
from ppr_assets.operations.restoring.leftovers import cleanup
from ppr_assets.operations.restoring.loading import OnStage
from ppr_assets.operations.restoring.rehearsal import ON_REQUEST
from ppr_assets.operations.restoring.replacing import Terms
from ppr_assets.operations.restoring.restore import RestoreOutcome, restore
from ppr_assets.operations.sources.wanted import FoundDump
from ppr_assets.postgres import embedded
from ppr_assets.postgres.databases.comment import comment_of, comment_on
from ppr_assets.postgres.embedded import EmbeddedServer
from ppr_assets.postgres.sessions.connection import connect
from ppr_assets.rules.gate.replacement import WITHOUT_EXTENSIONS, Guard
from ppr_assets.settings import DatabaseSettings

DATABASE = "pantry_pirate_radio"
_REMARKS, _BETWEEN = ": ", "\n"
"""In the comment of the database."""


class Opened(Struct, frozen=True):
    """``target`` holds the ``dump``, with the ``remarks`` of the restore that brought it:
    ``restored`` just now, or, where that is None, at an earlier time."""

    dump: str
    server: EmbeddedServer
    target: DatabaseSettings
    remarks: Sequence[str]
    restored: RestoreOutcome | None = None


def open_dump(
    folder: Path,
    found: FoundDump,
    *,
    without_extensions: bool,
    deadline: Deadline,
    on_stage: OnStage,
) -> Opened:
    """Start the server of ``folder``, and restore the dump into it, unless it is there from an
    earlier time. What was there instead is kept as a former database, the only one, however few
    records come: nobody is served from here. The database's comment says which dump it holds, and
    what it lacks of it. A server that was started for what then failed, or was cancelled, is
    stopped.

    Raises what :func:`~ppr_assets.operations.restoring.restore.restore` raises.
    """
    server = embedded.start(folder)
    target = server.database_settings(DATABASE)
    says = f"{found.name} of {found.origin}, as it was published"
    with connect(server.database_settings(server.superuser)) as session:
        noted, _, remarks = (comment_of(session, DATABASE) or "").partition(_REMARKS)
    if noted == says and (without_extensions or ON_REQUEST not in remarks):
        told = remarks.split(_BETWEEN) if remarks else []
        return Opened(found.name, server, target, told)
    guard = Guard(held=False, without=WITHOUT_EXTENSIONS if without_extensions else ())
    with ExitStack() as undoing:
        if server.started_here:
            undoing.callback(embedded.stop, folder)
        for _ in cleanup(target):
            deadline.require("dropping former databases")
        outcome = restore(target, found, Terms(guard), deadline=deadline, on_stage=on_stage)
        told = outcome.remarks
        with connect(target, autocommit=True) as session:
            comment = f"{says}{_REMARKS}{_BETWEEN.join(told)}" if told else says
            session.execute(comment_on(DATABASE, comment))
        undoing.pop_all()
    return Opened(found.name, server, target, told, outcome)
