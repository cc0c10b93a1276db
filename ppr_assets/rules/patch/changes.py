"""What makes some rows of a database what they are to be.

A value is a literal, as the server itself has written it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from ppr_assets.rules.wording import plural

Row = tuple[str | None, ...]
"""A literal for each column of the table, in their order; None where nobody knows the value, which
is then left as it is."""

Kind = Literal["insert", "update", "delete"]


class PatchColumn(Struct, frozen=True):
    """``quoted`` as the server quotes the name. ``plain``: of a type whose values ``=`` of
    pg_catalog compares; others are compared by their text. ``nullable``: it may be NULL.
    ``declared``: the domain, where ``type`` is the one below it."""

    name: str
    quoted: str
    type: str
    plain: bool
    nullable: bool = False
    declared: str = ""


class PatchTable(Struct, frozen=True):
    """A table of the living database. ``key`` is its table key, ``quoted`` its name with its
    schema; ``columns`` without those that are generated. ``known_by``: places of the columns that
    tell rows apart, by the index ``known_index``; ``unique``: of those that an index holds apart.
    ``identity``: a column that the server alone fills unless it is told otherwise. ``private``:
    places of columns that a publication policy withholds; their values are in no statement that
    somebody has to read."""

    key: str
    quoted: str
    columns: tuple[PatchColumn, ...]
    known_by: tuple[int, ...]
    known_index: str = ""
    unique: tuple[tuple[int, ...], ...] = ()
    partitioned: bool = False
    identity: bool = False
    private: frozenset[int] = frozenset()

    @property
    def only(self) -> str:
        """What the table's own rows are read and changed by, without those that inherit."""
        return self.quoted if self.partitioned else f"ONLY {self.quoted}"


class PatchReference(Struct, frozen=True):
    """A foreign key: what is at ``columns`` of the table ``child`` is at ``there`` of ``parent``
    (table keys). ``deferrable``: the server can look at it when all is done."""

    name: str
    child: str
    columns: tuple[int, ...]
    parent: str
    there: tuple[int, ...]
    deferrable: bool = False


class RowChange(Struct, frozen=True):
    """A row that is inserted (no ``before``), deleted (no ``after``) or updated. ``guard``: the
    places that have to be as they were, where not those that it sets or, of a deletion, all."""

    table: PatchTable
    before: Row | None
    after: Row | None
    guard: frozenset[int] | None = None

    @property
    def kind(self) -> Kind:
        if self.before is None:
            return "insert"
        return "update" if self.after else "delete"

    @property
    def row(self) -> Row:
        """One that has the key."""
        row = self.before or self.after
        assert row is not None
        return row

    @property
    def name(self) -> str:
        """``organization 'a1'``."""
        return f"{self.table.key} {', '.join(str(self.row[at]) for at in self.table.known_by)}"

    @property
    def set(self) -> Sequence[int]:
        """The places whose values are not as they were."""
        before, after = self.before or (), self.after or ()
        return [at for at, pair in enumerate(zip(before, after, strict=False)) if len({*pair}) > 1]

    @property
    def guarded(self) -> frozenset[int]:
        """The places that have to be as they were for it to be done."""
        if self.guard is not None:
            return self.guard
        return frozenset(self.set if self.after else range(len(self.table.columns)))


def difference(
    table: PatchTable, before: Row | None, after: Row | None, left: Collection[int] = ()
) -> RowChange | None:
    """What makes ``before`` of ``after``, with the places ``left`` as they are; None for nothing.
    Of a row that is inserted, all of ``after`` is taken: there is nothing to leave."""
    if before is None or after is None:
        return None if before is after else RowChange(table, before, after)
    known = zip(before, after, strict=True)
    after = tuple(was if at in left or new is None else new for at, (was, new) in enumerate(known))
    return RowChange(table, before, after) if after != before else None


def in_two_steps(change: RowChange, places: Collection[int]) -> list[RowChange]:
    """The same with NULL at the places between, of those that may be; nothing where that is no
    help. An update would have to write what is private once more, so that never waits.

    The first step guards the row, and the transaction locks it; the second guards no more than what
    waited, since a trigger may have made something else of the rest."""
    table, deletes = change.table, change.after is None
    never = table.private if change.kind == "update" else ()
    known = {
        at for at in {*places}.difference(never) if table.columns[at].nullable and change.row[at]
    }
    row = change.after or change.before
    assert row is not None
    between = tuple("NULL" if at in known else value for at, value in enumerate(row))
    first = RowChange(table, change.before, between, change.guarded if deletes else change.guard)
    second = replace(change, before=between, guard=frozenset(known) if deletes else None)
    steps = [first, second]
    return steps if known and all(one.kind != "update" or one.set for one in steps) else []


def counts(changes: Collection[RowChange]) -> Mapping[str, Mapping[Kind, int]]:
    """How many rows, by table and kind; a row that takes two steps is one."""
    rows: dict[tuple[str, Row], Kind] = {}
    for change in changes:
        row = change.table.key, tuple(change.row[at] for at in change.table.known_by)
        rows[row] = rows.get(row, "update") if change.kind == "update" else change.kind
    found: defaultdict[str, Counter[Kind]] = defaultdict(Counter)
    for (key, _), kind in rows.items():
        found[key][kind] += 1
    return {key: dict(found[key]) for key in sorted(found)}


def in_words(kinds: Mapping[Kind, int]) -> str:
    """``2 inserts, 1 update``."""
    told = ((kinds.get(kind, 0), kind) for kind in ("insert", "update", "delete"))
    return ", ".join(plural(count, kind) for count, kind in told if count)
