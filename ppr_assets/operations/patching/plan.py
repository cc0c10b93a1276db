"""What has to change in the living database so that some rows are as a dump has them.

Chosen are the rows that were named and what hangs on them, in the dump and here; of what they refer
to, only what is missing here. Nothing is written: the transaction could not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import psycopg
from msgspec import Struct
from psycopg import IsolationLevel

from ppr_assets.errors import NoRecords, PreconditionFailed, QueryFailed
from ppr_assets.operations.looking.dump_tables import dump_tables
from ppr_assets.operations.patching.both_sides import BothSides
from ppr_assets.operations.sources.wanted import FoundDump
from ppr_assets.postgres.patching.living_tables import living_tables, user_triggers
from ppr_assets.postgres.patching.staged_rows import StagedRows
from ppr_assets.postgres.sessions.computing import READING
from ppr_assets.postgres.sessions.connection import connect
from ppr_assets.postgres.sessions.failures import server_failures
from ppr_assets.postgres.sessions.patience import LONG_SECONDS
from ppr_assets.postgres.sessions.session import WITHOUT_LIMITS, Connection, prepare
from ppr_assets.rules.naming import quote_identifier
from ppr_assets.rules.patch.changes import PatchReference, RowChange, difference
from ppr_assets.rules.patch.order import ordered
from ppr_assets.rules.patch.text import Frame, Trigger
from ppr_assets.rules.wording import few
from ppr_assets.settings import DatabaseSettings

_SHOWN = 8


class ChosenRows(Struct, frozen=True):
    """Of ``table`` (its key): all rows, those that the SQL condition ``where`` holds for, or the
    one with this ``key``. ``delete``: those that the dump lacks are to go. ``triggers``: those of
    the tables run."""

    table: str
    where: str | None = None
    key: str | None = None
    delete: bool = False
    triggers: bool = True

    def __str__(self) -> str:
        if self.key is not None:
            return f"{self.table} {self.key}"
        return f"{self.table} where {self.where}" if self.where else self.table


class PatchPlan(Struct, frozen=True):
    """``changes`` by row, and the ``steps`` that make them, in their order. ``lacking``: rows here
    that the dump does not have and that stay, by table. ``remarks`` are for a human.
    ``references``: the foreign keys of these tables; ``frame``: what stands around the statements,
    of the way back too."""

    changes: Sequence[RowChange]
    steps: Sequence[RowChange]
    lacking: Mapping[str, int]
    remarks: Sequence[str]
    references: Sequence[PatchReference]
    frame: Frame


def plan_patch(target: DatabaseSettings, found: FoundDump, chosen: ChosenRows) -> PatchPlan:
    """Compare in one snapshot. Raises :class:`DumpDamaged`; :class:`PreconditionFailed` where there
    is no such table or record, where its rows cannot be told apart, or where the patch would leave
    what refers to nothing; :class:`QueryFailed` for a condition that the server refuses;
    :class:`NoRecords` where a table would be left empty; and :class:`DatabaseFailed`."""
    failures = server_failures(target.describe(), "comparing with the dump")
    with dump_tables(found) as dump, failures, connect(target) as connection:
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        connection.patience_seconds = LONG_SECONDS
        prepare(connection, READING | WITHOUT_LIMITS, local=True)
        return _planned(connection, BothSides(living_tables(connection), dump, found), chosen)


def _planned(connection: Connection, both: BothSides, chosen: ChosenRows) -> PatchPlan:
    both.require(chosen.table)
    reached = _reached(chosen.table, both)
    dumped = {key: both.dumped[key] for key in reached}
    staged = StagedRows(connection, both.tables, dumped, both.living.references)
    _fill(staged, both)
    _choose(staged, both, chosen)
    staged.follow_down(chosen.table)
    staged.follow_up()
    for reference, count in staged.dangling():
        raise PreconditionFailed(
            f"{count} of the rows of {reference.child} refer to rows of {reference.parent} that "
            f"neither the database nor the dump has ({reference.name})",
            hint="bring those back first, by hand or from another dump, or choose fewer rows.",
        )
    if chosen.delete:
        _require_free(staged, both)
    changes, lacking = _changes(staged, delete=chosen.delete)
    involved = {change.table.key: change.table for change in changes}
    references = [one for one in both.living.references if one.child in involved]
    _require_rows(connection, changes)
    triggers = user_triggers(connection, involved.values())
    remarks = [*_remarks(both, changes), *_of_triggers(triggers, chosen)]
    without = () if chosen.triggers else triggers
    frame = Frame(any(one.deferrable for one in references), without)
    steps = ordered(changes, references)
    return PatchPlan(changes, steps, lacking, remarks, references, frame)


def _reached(table: str, both: BothSides) -> list[str]:
    """What may hang on the table, and what that refers to."""
    down, links = {table}, both.living.references
    for which, back in (("child", "parent"), ("parent", "child")):
        size = 0
        while size < len(down):
            size = len(down)
            down |= {
                getattr(one, which)
                for one in links
                if getattr(one, back) in down and getattr(one, which) in both.dumped
            }
    return sorted(down)


def _fill(staged: StagedRows, both: BothSides) -> None:
    try:
        staged.fill(both.dump.copied, both.dump.encoding)
    except (psycopg.DataError, psycopg.IntegrityError) as error:
        said = error.diag.message_primary if error.sqlstate == "22P04" else "a value is refused"
        raise PreconditionFailed(
            f"the rows of the dump do not fit the tables here ({staged.filling}): {said}",
            hint="was a column's type changed since? `ppr-assets restore --into OTHER` brings the "
            "dump with its own tables.",
        ) from None


def _choose(staged: StagedRows, both: BothSides, chosen: ChosenRows) -> None:
    table = both.tables[chosen.table]
    if chosen.key is None:
        with _condition_refused():
            staged.choose_where(chosen.table, chosen.where)
        return
    if len(table.known_by) > 1:
        names = ", ".join(table.columns[at].quoted for at in table.known_by)
        raise PreconditionFailed(
            f"rows of {chosen.table} are known by {names} together, and one value was given",
            hint=f"say it as `--table {chosen.table} --where '… AND …'`.",
        )
    try:
        there = staged.choose_key(chosen.table, chosen.key)
    except psycopg.DataError:
        type_ = table.columns[table.known_by[0]].type
        raise PreconditionFailed(
            f"`{chosen.key}` is not a key of {chosen.table}, which is a {type_}", hint=""
        ) from None
    if not there:
        raise PreconditionFailed(
            f"the dump has no {chosen.table} {chosen.key}",
            hint=f"`ppr-assets history {chosen.table} {chosen.key}` says which dumps have it.",
        )


@contextmanager
def _condition_refused() -> Iterator[None]:
    try:
        yield
    except psycopg.errors.InsufficientPrivilege:
        raise  # of the table, whatever the condition
    except (psycopg.ProgrammingError, psycopg.DataError, psycopg.InternalError) as error:
        raise QueryFailed(
            f"the server refuses the condition: {error.diag.message_primary}",
            hint="--where takes what WHERE takes, over the table's columns: "
            "`--where \"name like 'Daily%'\"`. It may not write.",
        ) from None


def _require_free(staged: StagedRows, both: BothSides) -> None:
    """Of tables that are not compared, no row may go because another one goes."""
    for reference, count in staged.held(both.living.references):
        raise PreconditionFailed(
            f"rows of {reference.parent} that the dump lacks cannot be deleted: {count} rows of "
            f"{reference.child} refer to them, which no dump would bring back ({reference.name})",
            hint="leave out --delete, choose fewer rows, or move those rows by hand first.",
        )


def _changes(staged: StagedRows, *, delete: bool) -> tuple[list[RowChange], Mapping[str, int]]:
    changes: list[RowChange] = []
    lacking: Counter[str] = Counter()
    for table, here, dumped in staged.differing():
        if dumped is None and not delete:
            lacking[table.key] += 1
        elif change := difference(table, here, dumped, left=table.private):
            changes.append(change)
    return changes, lacking


def _require_rows(connection: Connection, changes: Sequence[RowChange]) -> None:
    """A table that has rows is never emptied: that is a restore's business, which has a gate."""
    gone = Counter(change.table.key for change in changes if change.kind == "delete")
    come = Counter(change.table.key for change in changes if change.kind == "insert")
    for table in {change.table.key: change.table for change in changes}.values():
        if not gone[table.key] or come[table.key]:
            continue
        query = f"SELECT FROM {table.only} LIMIT 1 OFFSET {gone[table.key]}"
        if not connection.execute(query.encode()).rowcount:
            raise NoRecords(
                f"the patch would delete all {gone[table.key]} rows of {table.key}",
                hint="is it the right dump? Leave out --delete, or choose fewer rows.",
            )


def _of_triggers(triggers: Sequence[Trigger], chosen: ChosenRows) -> Iterator[str]:
    names = few(triggers, _SHOWN)
    if triggers and chosen.triggers:
        yield (
            f"triggers run on these tables, also when it is undone: {names}; what they write "
            "otherwise, or elsewhere, stays (see --without-triggers)"
        )
    elif triggers:
        yield (
            f"triggers that do not run, so that nobody else can write these tables meanwhile: "
            f"{names}"
        )


def _remarks(both: BothSides, changes: Sequence[RowChange]) -> Iterator[str]:
    tables = {change.table.key: change.table for change in changes}
    if both.unproven and changes:
        yield (
            f"{both.dump.name} has no manifest, so that nobody knows what was withheld from it: "
            "values may be no more than what a policy puts in their place"
        )
    inserted = {change.table.key for change in changes if change.kind == "insert"}
    for key, table in tables.items():
        for at in sorted(table.private):
            name = f"{key}.{table.columns[at].quoted}"
            yield f"{name} is withheld in dumps: it stays as it is, and new rows get what they have"
        names = {one.name for one in table.columns}
        if gone := [quote_identifier(one) for one in both.dumped[key] if one not in names]:
            yield f"{key} has no {', '.join(gone)} here: what the dump has there is left out"
        new = [one.quoted for one in table.columns if one.name not in both.dumped[key]]
        if new and key in inserted:
            yield f"the dump has no {', '.join(new)} of {key}: new rows get what is usual there"
        for one in table.columns:
            then = both.dump.tables[key].columns.get(one.name)
            if then and then.type and then.type != one.declared:
                yield f"{key}.{one.quoted} is {one.declared} here and {then.type} in the dump"
    hanging = {one.child for one in both.living.references if one.parent in tables}
    for key in sorted(hanging & both.apart.keys()):
        yield f"{key}, which refers to these rows, is left alone: {both.apart[key]}"
