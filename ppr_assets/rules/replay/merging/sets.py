"""Disjoint sets of records that are one, with the reason for each that joined."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping

from msgspec import Struct


class MergeDecision(Struct, frozen=True):
    """Why one telling's record is counted to another's: there is one for each that is."""

    id: str
    same_as: str
    reason: str


class Merged(Struct, frozen=True):
    """``records`` leads from each telling's id to the id of what it tells of: that of the oldest
    telling among those that are one."""

    records: Mapping[str, str]
    decisions: tuple[MergeDecision, ...]


class Sets:
    """Ids are given from the oldest to the newest; a set is known by its oldest."""

    def __init__(self, ids: Iterable[str]) -> None:
        self._age = {one: age for age, one in enumerate(dict.fromkeys(ids))}
        self._parent = {one: one for one in self._age}
        self._first: dict[Hashable, str] = {}
        self._joined: dict[str, list[tuple[str, str]]] = {}

    def _root(self, one: str) -> str:
        while (parent := self._parent[one]) != one:
            self._parent[one] = one = self._parent[parent]
        return one

    def are_one(self, one: str, other: str) -> bool:
        return self._root(one) == self._root(other)

    def join(self, one: str, other: str, reason: str) -> None:
        older, newer = sorted((self._root(one), self._root(other)), key=self._age.__getitem__)
        if older != newer:
            self._parent[newer] = older
            self._joined.setdefault(one, []).append((other, reason))
            self._joined.setdefault(other, []).append((one, reason))

    def share(self, one: str, key: Hashable, reason: str) -> None:
        """Joins all that have the key."""
        self.join(self._first.setdefault(key, one), one, reason)

    def merged(self) -> Merged:
        found = (
            one for root in self._joined if self._root(root) == root for one in self._led(root)
        )
        decisions = sorted(found, key=lambda one: self._age[one.id])
        return Merged({one: self._root(one) for one in self._parent}, tuple(decisions))

    def _led(self, root: str) -> Iterator[MergeDecision]:
        """From the oldest on, for each in its set the one that leads it there."""
        waiting = [(root, "")]
        while waiting:
            one, before = waiting.pop()
            for other, reason in self._joined[one]:
                if other != before:  # what joins them is a tree
                    yield MergeDecision(other, one, reason)
                    waiting.append((other, one))
