"""One record through all published nights: when it came, each change of it, and when it went."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from msgspec import Struct, field
from msgspec.structs import asdict, replace

from ppr_assets.data_repo.history.dump_history import dump_history
from ppr_assets.errors import DumpMissing, PolicyRefused, PreconditionFailed
from ppr_assets.operations.looking.nights import TableNight, nights_of, read_nights
from ppr_assets.operations.published.view import OnView, looked_at, unseen
from ppr_assets.operations.publishing.publication import policy_at
from ppr_assets.plain_sql.tables.one_record import (
    FoundRecord,
    Row,
    SoughtRecord,
    changed_columns,
)
from ppr_assets.rules.publication.planning import plan
from ppr_assets.rules.publication.policy import Policy
from ppr_assets.rules.publication.relations import Relation, RelationColumn
from ppr_assets.rules.wording import few
from ppr_assets.settings import Settings

_SHOWN = 12


class Event(Struct, frozen=True):
    """What became of the record in a dump. ``changes``: by column, before and after."""

    what: Literal["first seen", "changed", "gone", "back"]
    dump: str
    commit: str
    at: datetime
    changes: Mapping[str, tuple[str | None, str | None]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        changes = {name: [*values] for name, values in self.changes.items()}
        return {**asdict(self), "at": self.at.isoformat(), "changes": changes}


class RecordHistory(Struct, frozen=True):
    """``events`` oldest first. ``row``: the record as it was last; None where no dump has it.
    ``dumps``: how many were looked at; ``unread``: why others could not be, by name. ``withheld``
    are columns that the policy of today does not let out: nothing here tells of them."""

    events: Sequence[Event]
    row: Row | None
    dumps: int
    unread: Mapping[str, str]
    complete: bool
    withheld: Sequence[str]


def record_history(
    settings: Settings,
    sought: SoughtRecord,
    *,
    offline: bool = False,
    on_view: OnView = unseen,
) -> RecordHistory:
    """Raises :class:`DumpMissing` where no dump was published, :class:`PreconditionFailed` where
    none has rows of the table, :class:`PolicyRefused` where today's policy lets none of them out,
    and :class:`DataRepoError`."""
    with looked_at(settings.data_repo, offline=offline, on_view=on_view) as (repo, commit):
        past = dump_history(repo, commit) if commit else {}
        if not past:
            raise DumpMissing(
                f"no dump was published yet in `{repo.path}`",
                hint="`ppr-assets dump` makes one of a database.",
            )
        nights = nights_of(repo, [past[name] for name in sorted(past)], sought.table)
        first = {night.rows: night for night in reversed(nights) if night.rows is not None}
        found = read_nights(repo, [*first.values()], sought, offline=offline)
        policy = policy_at(repo, commit, settings.dump)
        withheld = _withheld(policy, sought.table, found.values())
        shown = {rows: _without(one, withheld) for rows, one in found.items()}
        told = _told(nights, shown, withheld, complete=not repo.shallow)
        _known(sought.table, nights, found.values(), told.dumps, told.unread)
        return told


def _known(
    table: str,
    nights: Sequence[TableNight],
    found: Iterable[FoundRecord | str],
    dumps: int,
    unread: Mapping[str, str],
) -> None:
    if any(table in night.tables for night in nights):
        return
    if any(isinstance(one, FoundRecord) and one.there for one in found):
        return
    if unread and not dumps:
        name, why = next(iter(unread.items()))
        raise PreconditionFailed(
            f"none of {len(unread)} dumps could be read, `{name}`: {why}",
            hint="without `--offline`, what a partial clone lacks is fetched; `ppr-assets audit` "
            "says what is wrong with each dump.",
        )
    newest = next((night.tables for night in reversed(nights) if night.tables), ())
    raise PreconditionFailed(
        f"none of {dumps} dumps has rows of a table `{table}`",
        hint="name a table that has rows of its own, for a partitioned one its partition"
        + (f": {few(sorted(newest), _SHOWN)}." if newest else "."),
    )


def _withheld(policy: Policy, table: str, found: Iterable[FoundRecord | str]) -> Sequence[str]:
    """Columns of the record. Raises :class:`PolicyRefused`."""
    records = [one for one in found if isinstance(one, FoundRecord) and one.row is not None]
    columns = dict.fromkeys(name for one in records for name in one.row or ())
    parents = tuple(dict.fromkeys(parent for one in records for parent in one.parents))
    known = tuple(RelationColumn(name, nullable=True) for name in columns)
    planned = plan(policy, [Relation(table, "table", known, parents)])
    undecided = {one.column for one in planned.unknown}
    if columns and (None in undecided or not planned.tables[table].rows):
        raise PolicyRefused(
            f"the rows of {table} are withheld by the policy of today",
            hint="`ppr-assets policy` says what is decided; what was published before is still in "
            "git's history.",
        )
    return [name for name in columns if name in undecided | planned.tables[table].changed.keys()]


def _without(one: FoundRecord | str, columns: Collection[str]) -> FoundRecord | str:
    if isinstance(one, str) or one.row is None:
        return one
    row = {name: value for name, value in one.row.items() if name not in columns}
    return replace(one, row=row)


def _told(
    nights: Sequence[TableNight],
    found: Mapping[object, FoundRecord | str],
    withheld: Sequence[str],
    *,
    complete: bool,
) -> RecordHistory:
    events: list[Event] = []
    unread: dict[str, str] = {}
    last: Row | None = None
    there = False
    for night in nights:
        one = found.get(night.rows)
        if isinstance(one, str):
            unread[night.dump.name] = one
            continue
        row = one.row if one else None
        if row is None and there:
            events.append(_event("gone", night))
        elif row is not None and not there:
            events.append(_event("back" if last else "first seen", night, last or row, row))
        elif row is not None and last is not None and row != last:
            events.append(_event("changed", night, last, row))
        there = row is not None
        last = row if row is not None else last
    return RecordHistory(events, last, len(nights) - len(unread), unread, complete, withheld)


def _event(
    what: Literal["first seen", "changed", "gone", "back"],
    night: TableNight,
    before: Row | None = None,
    after: Row | None = None,
) -> Event:
    before, after = before or {}, after or {}
    changes = {
        column: (before.get(column), after.get(column)) for column in changed_columns(before, after)
    }
    published = night.dump.published
    return Event(what, night.dump.name, published.commit, published.date, changes)
