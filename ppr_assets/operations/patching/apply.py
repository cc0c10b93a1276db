"""Apply a patch in one transaction, with the patch that takes it back on the disk before it counts.

The rows are locked and compared with what was planned, so that nobody's later change is lost, and
read once more when all is done: that is what the way back is made of, triggers included.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg
from msgspec import Struct

from ppr_assets.errors import Busy, PreconditionFailed, RestoreFailed
from ppr_assets.files import sync_folder, write_whole
from ppr_assets.operations.patching.plan import PatchPlan
from ppr_assets.postgres.patching.rows_in_sql import rows_now
from ppr_assets.postgres.sessions.computing import READING
from ppr_assets.postgres.sessions.connection import connect
from ppr_assets.postgres.sessions.failures import is_lost, server_failures
from ppr_assets.postgres.sessions.patience import LONG_SECONDS
from ppr_assets.postgres.sessions.session import WITHOUT_LIMITS, Connection, prepare
from ppr_assets.rules.patch.changes import PatchTable, Row, RowChange, difference
from ppr_assets.rules.patch.order import ordered
from ppr_assets.rules.patch.text import holds, statement
from ppr_assets.settings import DatabaseSettings

_ROWS = 500
"""Read, or changed, at once."""
_SETTINGS = READING | WITHOUT_LIMITS | {"lock_timeout": "1s"}
"""Who waits for us while we wait for somebody else does so no longer."""
_COLLIDED = ("40001", "40P01", "55P03")
"""SQLSTATEs: another row than was planned for, a deadlock, a lock that was not to be had."""

_Rows = dict[tuple[str, Row], Row]
"""By table key and the values of the row's key."""


class AppliedPatch(Struct, frozen=True):
    """``undo``: the file with the way back. ``otherwise``: rows of which a trigger has made
    something else than the dump has."""

    undo: Path
    otherwise: int


def apply_patch(
    target: DatabaseSettings,
    plan: PatchPlan,
    undo: Path,
    undo_text: Callable[[Sequence[RowChange]], str],
) -> AppliedPatch:
    """Do what was planned, all of it or nothing; ``undo`` is written by ``undo_text``.

    Raises :class:`Busy` where a row is not as it was planned for, or somebody works on it,
    :class:`PreconditionFailed` where the file cannot be written or a value is taken,
    :class:`RestoreFailed` where a constraint or a trigger refuses, and :class:`DatabaseFailed`.
    """
    if undo.exists():
        raise PreconditionFailed(
            f"`{undo}` is there already", hint="name another file, or move that one."
        )
    failures = server_failures(target.describe(), "applying the patch")
    with failures, _refusals(plan), connect(target) as connection:
        connection.patience_seconds = LONG_SECONDS
        prepare(connection, _SETTINGS, local=True)
        before = _rows(connection, plan.changes, lock=True)
        _require_as_planned(plan.changes, before)
        _run(connection, plan)
        after = _rows(connection, plan.changes, lock=False)
        _write(undo, undo_text(_undone(plan, before, after)))
        try:
            connection.commit()
        except BaseException as error:
            if isinstance(error, psycopg.Error) and not is_lost(error):
                undo.unlink(missing_ok=True)  # a commit that nobody answered may hold
            raise
    return AppliedPatch(undo, _otherwise(plan.changes, after))


def _run(connection: Connection, plan: PatchPlan) -> None:
    """With the search path of the database, which its triggers know it by; ours names schemas."""
    connection.execute("SET LOCAL search_path TO DEFAULT")
    lines = [*plan.frame.before(), *map(statement, plan.steps), *plan.frame.after()]
    for at in range(0, len(lines), _ROWS):
        connection.execute("\n".join(lines[at : at + _ROWS]).encode(), prepare=False)
    connection.execute("SET LOCAL search_path TO ''")


def _rows(connection: Connection, changes: Sequence[RowChange], *, lock: bool) -> _Rows:
    """As they are now; those that are there already locked, by whom ``lock`` is wanted."""
    wanted: defaultdict[tuple[str, bool], list[RowChange]] = defaultdict(list)
    for change in changes:
        wanted[change.table.key, lock and change.kind != "insert"].append(change)
    found: _Rows = {}
    for (key, locked), some in wanted.items():
        table = some[0].table
        for at in range(0, len(some), _ROWS):
            keys = [holds(table, one.row, table.known_by) for one in some[at : at + _ROWS]]
            for row in rows_now(connection, table, keys, lock=locked):
                found[key, _key(table, row)] = row
    return found


def _key(table: PatchTable, row: Row) -> Row:
    return tuple(row[at] for at in table.known_by)


def _now(change: RowChange, rows: _Rows) -> Row | None:
    return rows.get((change.table.key, _key(change.table, change.row)))


def _require_as_planned(changes: Sequence[RowChange], rows: _Rows) -> None:
    for change in changes:
        now, then = _now(change, rows), change.before
        if now is None or then is None:
            same = now is then
        else:
            places = change.set if change.after else range(len(now))
            same = all(now[at] == then[at] for at in places)
        if not same:
            raise Busy(
                f"somebody has changed {change.name} since the patch was made; nothing was changed",
                hint="run again: the patch is then made of what is there now.",
            )


def _undone(plan: PatchPlan, before: _Rows, after: _Rows) -> list[RowChange]:
    back = (
        difference(change.table, _now(change, after), _now(change, before))
        for change in plan.changes
    )
    return ordered([one for one in back if one], plan.references)


def _otherwise(changes: Sequence[RowChange], rows: _Rows) -> int:
    count = 0
    for change in changes:
        wanted, now = change.after, _now(change, rows)
        if wanted is None or now is None:
            count += wanted is not now
        else:
            places = change.set if change.before else range(len(now))
            count += any(wanted[at] not in (None, now[at]) for at in places)
    return count


def _write(undo: Path, text: str) -> None:
    try:
        write_whole(undo, text, beside=undo.with_name(f"{undo.name}.part"), mode=0o600)
        sync_folder(undo.parent)
    except OSError as error:
        raise PreconditionFailed(
            f"the undo patch `{undo}` cannot be written: {error.strerror}; nothing was changed",
            hint="name a file in a folder that you may write to, with --out.",
        ) from error


@contextmanager
def _refusals(plan: PatchPlan) -> Iterator[None]:
    """What the server says of other people's work and of its constraints, in our words: its own
    may quote a row."""
    try:
        yield
    except psycopg.Error as error:
        state, by = error.sqlstate or "", error.diag.constraint_name
        keys = {change.table.known_index for change in plan.changes}
        if state in _COLLIDED or (state == "23505" and by in keys):
            raise Busy(
                "somebody works on the same rows, or has changed them since the patch was made; "
                "nothing was changed",
                hint="run again: the patch is then made of what is there now.",
            ) from None
        if state == "23505":
            raise PreconditionFailed(
                f"another row here has a value that must be the only one ({by}); nothing was "
                "changed",
                hint="a row that the dump lacks may hold it: --delete removes such rows of what "
                "was chosen, or change it by hand.",
            ) from None
        if state.startswith(("23", "P0")):
            of = error.diag.column_name
            what = f"the constraint {by}" if by else f"column {of}" if of else "a trigger"
            raise RestoreFailed(
                f"{what} refuses the patch; nothing was changed",
                hint="the server's log says of which row; choose fewer rows, or fix it by hand.",
            ) from None
        raise
