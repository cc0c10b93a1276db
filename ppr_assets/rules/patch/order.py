"""The order of a patch's statements, which every constraint agrees to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from ppr_assets.errors import PreconditionFailed
from ppr_assets.rules.patch.changes import Change, Reference, Row
from ppr_assets.rules.wording import few

_SHOWN = 5


def ordered(changes: Sequence[Change], references: Sequence[Reference]) -> list[Change]:
    """In an order that every constraint agrees to: what is referred to comes before what refers to
    it and goes after, and a value that must be the only one is free before it is taken.

    Raises :class:`PreconditionFailed` where there is no such order.
    """
    sorter: TopologicalSorter[int] = TopologicalSorter(dict.fromkeys(range(len(changes)), ()))
    for earlier, later in _successions(changes, references):
        sorter.add(later, earlier)
    try:
        sorter.prepare()
    except CycleError as error:
        circle = [changes[at].name for at in dict.fromkeys(error.args[1])]
        raise PreconditionFailed(
            f"rows refer to each other in a circle, so none can be the first: "
            f"{few(circle, _SHOWN)}",
            hint="a foreign key that is DEFERRABLE is looked at when all of them are there "
            "(`ALTER TABLE … ALTER CONSTRAINT … DEFERRABLE`).",
        ) from None
    order: list[Change] = []
    while sorter.is_active():
        ready = sorter.get_ready()
        order += sorted((changes[at] for at in ready), key=lambda one: (one.kind, one.table.key))
        sorter.done(*ready)
    return order


def _successions(
    changes: Sequence[Change], references: Sequence[Reference]
) -> Iterator[tuple[int, int]]:
    """Which change comes before which other one, by their numbers."""
    taken, freed = _unique_values(changes, references)
    hanging: defaultdict[str, list[Reference]] = defaultdict(list)
    for reference in references:
        if not reference.deferrable:
            hanging[reference.child].append(reference)
    for at, change in enumerate(changes):
        for one in hanging[change.table.key]:
            wanted = (one.parent, one.there, _values(change.after, one.columns))
            left = (one.parent, one.there, _values(change.before, one.columns))
            yield from ((other, at) for other in taken.get(wanted, ()) if other != at)
            yield from ((at, other) for other in freed.get(left, ()) if other != at)
    for value, takers in taken.items():
        for at in takers:
            yield from ((other, at) for other in freed.get(value, ()) if other != at)


_Value = tuple[str, tuple[int, ...], Row | None]
"""Of a table, at some places."""


def _unique_values(
    changes: Sequence[Change], references: Sequence[Reference]
) -> tuple[Mapping[_Value, Sequence[int]], Mapping[_Value, Sequence[int]]]:
    """Which changes take a value that only one row may have, or that is referred to, and which of
    them set one free, by their numbers."""
    places: defaultdict[str, set[tuple[int, ...]]] = defaultdict(set)
    for reference in references:
        places[reference.parent].add(reference.there)
    taken: defaultdict[_Value, list[int]] = defaultdict(list)
    freed: defaultdict[_Value, list[int]] = defaultdict(list)
    for at, change in enumerate(changes):
        table = change.table
        for some in {*places[table.key], *table.unique, table.known_by}:
            was, now = _values(change.before, some), _values(change.after, some)
            if was != now:
                if now is not None:
                    taken[table.key, some, now].append(at)
                if was is not None:
                    freed[table.key, some, was].append(at)
    return taken, freed


def _values(row: Row | None, places: Sequence[int]) -> Row | None:
    """None where one of them is NULL or unknown: it is then no other's equal."""
    values = tuple(row[at] for at in places) if row else (None,)
    return None if None in values or "NULL" in values else values
