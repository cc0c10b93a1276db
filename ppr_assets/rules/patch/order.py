"""The order of a patch's statements, which every constraint agrees to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise, product

from ppr_assets.errors import PreconditionFailed
from ppr_assets.rules.patch.changes import Kind, PatchReference, Row, RowChange, in_two_steps
from ppr_assets.rules.wording import few

_SHOWN = 5


def ordered(changes: Sequence[RowChange], references: Sequence[PatchReference]) -> list[RowChange]:
    """In an order that every constraint agrees to: what is referred to comes before what refers to
    it and goes after, and a value that must be the only one is free before it is taken. Of rows
    that want each other first, some take two steps, with NULL between.

    Raises :class:`PreconditionFailed` where there is no such order.
    """
    steps = [[one] for one in changes]
    while True:
        numbered = [step for of_row in steps for step in of_row]
        links = _links(numbered, references)
        at = 0
        for of_row in steps:
            for after in range(at + 1, at + len(of_row)):
                links[after - 1, after].append([])  # a row's own steps follow each other
            at += len(of_row)
        order, circle = _sorted(numbered, links)
        if not circle:
            return [numbered[one] for one in order]
        blocked = {id(numbered[one]) for one in {*range(len(numbered))} - {*order}}
        table, kind, places = _way_out(numbered, circle, links)
        for of_row in steps:
            for step in [*of_row]:
                if (step.table.key, step.kind) == (table, kind) and id(step) in blocked:
                    where = of_row.index(step)
                    of_row[where : where + 1] = in_two_steps(step, places) or [step]


_Options = list[tuple[int, tuple[int, ...]]]
"""Changes by number, with the places of one that undo a link while they are NULL."""
_Links = defaultdict[tuple[int, int], list[_Options]]
"""Which change comes before which other one, by their numbers, with the options of each reason."""


def _sorted(steps: Sequence[RowChange], links: _Links) -> tuple[list[int], Sequence[int]]:
    """As many as possible in their order, by number, and a circle that stops the others."""
    sorter: TopologicalSorter[int] = TopologicalSorter(dict.fromkeys(range(len(steps)), ()))
    for earlier, later in links:
        sorter.add(later, earlier)
    circle: Sequence[int] = ()
    try:
        sorter.prepare()
    except CycleError as error:
        circle = error.args[1]
    order: list[int] = []
    while sorter.is_active() and (ready := sorter.get_ready()):
        order += sorted(ready, key=lambda one: (steps[one].kind, steps[one].table.key))
        sorter.done(*ready)
    return order, circle


def _way_out(
    steps: Sequence[RowChange], circle: Sequence[int], links: _Links
) -> tuple[str, Kind, tuple[int, ...]]:
    """Changes of which table and kind are to be done in two steps, and the places that wait. A link
    goes where each of its reasons can: those that one row is no help for, in the next round."""
    for link in pairwise(circle):
        ways = [
            [(at, places) for at, places in options if in_two_steps(steps[at], places)]
            for options in links[link]
        ]
        if all(ways):
            (at, _), *_ = ways[0]
            places = {one for way in ways for other, some in way if other == at for one in some}
            if in_two_steps(steps[at], places):
                return steps[at].table.key, steps[at].kind, tuple(sorted(places))
    names = [steps[at].name for at in dict.fromkeys(circle)]
    raise PreconditionFailed(
        f"rows refer to each other in a circle, or swap values that only one may have, so none can "
        f"be the first: {few(names, _SHOWN)}",
        hint="a foreign key that is DEFERRABLE is looked at when all of them are there "
        "(`ALTER TABLE … ALTER CONSTRAINT … DEFERRABLE`), and a column that may be NULL waits.",
    )


def _links(changes: Sequence[RowChange], references: Sequence[PatchReference]) -> _Links:
    links: _Links = defaultdict(list)
    taken, freed = _unique_values(changes, references)
    for at, one, change in _references_of(changes, references):
        wanted = (one.parent, one.there, _values(change.after, one.columns))
        left = (one.parent, one.there, _values(change.before, one.columns))
        found = [(other, at) for other in taken.get(wanted, ())]
        found += [(at, other) for other in freed.get(left, ())]
        for link in found:
            links[link].append([(at, one.columns)])
    for value, takers in taken.items():
        for at, other in product(takers, freed.get(value, ())):
            links[other, at].append([(at, value[1]), (other, value[1])])
    for link in [(one, other) for one, other in links if one == other]:
        del links[link]
    return links


def _references_of(
    changes: Sequence[RowChange], references: Sequence[PatchReference]
) -> Iterator[tuple[int, PatchReference, RowChange]]:
    """The foreign keys that are looked at with each change, and its number."""
    hanging: defaultdict[str, list[PatchReference]] = defaultdict(list)
    for reference in references:
        if not reference.deferrable:
            hanging[reference.child].append(reference)
    for at, change in enumerate(changes):
        yield from ((at, one, change) for one in hanging[change.table.key])


_Value = tuple[str, tuple[int, ...], Row | None]
"""Of a table, at some places."""


def _unique_values(
    changes: Sequence[RowChange], references: Sequence[PatchReference]
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
