"""Many large files that git has stored as differences to one another, each with what it has of the
one before.

git would put each together and hand it on through a pipe. Here its bytes are copied once, into
memory that is used again and again, and nobody has to look at what was only copied.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from msgspec import Struct

from ppr_assets.data_repo.git.pack_files import PackEntry, PackFile

Node = tuple[PackFile, int]
"""An object by its place."""

Copy = tuple[int, int, int]
"""From where on in a file, from where on in its base, and how many bytes."""


class StoredFile(Struct, frozen=True):
    """``blob`` is None for one that nobody asked for, which others are differences to. ``data``
    holds until the next one comes. ``base`` came before it, or is None; ``copies`` of that, in the
    order of the file: all other bytes are new."""

    node: Node
    blob: str | None
    data: bytearray
    base: Node | None
    copies: Sequence[Copy]


class StoredFiles:
    """``blobs`` as ``packs`` have them, when they are iterated over. ``elsewhere`` are those that
    have not come: in the end those that are in no pack, or of which something cannot be read."""

    def __init__(self, packs: Sequence[PackFile], blobs: Collection[str]) -> None:
        self.elsewhere = set(blobs)
        self._entries: dict[Node, PackEntry] = {}
        self._names: dict[Node, str] = {}
        self._below: dict[Node | None, list[Node]] = {}
        for blob in dict.fromkeys(blobs):
            places = ((pack, pack.offset_of(blob)) for pack in packs)
            node = next(((pack, at) for pack, at in places if at is not None), None)
            if node is not None:
                self._names[node] = blob
                self._enter(node)

    def __iter__(self) -> Iterator[StoredFile]:
        """Of two branches the smaller one first: so few bases have to be kept at once."""
        weights = self._weights()
        waiting = [*self._below.get(None, ())]
        kept: dict[Node | None, tuple[bytearray, int]] = {}  # with how many are still to come
        spare: list[bytearray] = []
        while waiting:
            node = waiting.pop()
            base = self._base(node)
            data = spare.pop() if spare else bytearray()
            try:
                copies = self._put_together(node, kept[base][0] if base else None, data)
            except (ValueError, IndexError):  # with all that are differences to it
                below = []
                spare.append(data)
            else:
                below = sorted(self._below.get(node, ()), key=weights.__getitem__, reverse=True)
                self.elsewhere.discard(blob := self._names.get(node, ""))
                yield StoredFile(node, blob or None, data, base, copies)
                if below:
                    kept[node] = data, len(below)
                else:
                    spare.append(data)
            waiting += below
            if base:
                was, left = kept.pop(base)
                if left > 1:
                    kept[base] = was, left - 1
                else:
                    spare.append(was)

    def _enter(self, node: Node) -> None:
        """Know it and what it is a difference to, so far as they are not known."""
        try:
            while node not in self._entries:
                self._entries[node] = node[0].entry(node[1])
                base = self._base(node)
                self._below.setdefault(base, []).append(node)
                if base is None:
                    return
                node = base
        except (ValueError, IndexError):
            return

    def _base(self, node: Node) -> Node | None:
        base = self._entries[node].base
        return None if base is None else (node[0], base)

    def _weights(self) -> dict[Node, int]:
        """How many are differences to each, or to those."""
        order = [*self._below.get(None, ())]
        for node in order:
            order += self._below.get(node, ())
        weights = dict.fromkeys(order, 1)
        for node in reversed(order):
            if base := self._base(node):
                weights[base] += weights[node]
        return weights

    def _put_together(self, node: Node, base: bytearray | None, into: bytearray) -> Sequence[Copy]:
        """Raises :class:`ValueError` and :class:`IndexError` for what is no such difference."""
        stored = node[0].stored(self._entries[node])
        if base is None:
            into[:] = stored
            return ()
        needed, at = _number(stored, 0)
        size, at = _number(stored, at)
        if needed != len(base):
            raise ValueError(f"a difference to {needed} bytes, not to {len(base)}")
        _resize(into, size)
        with memoryview(base) as there, memoryview(into) as here:
            return _applied(stored, at, there, here)


def _applied(delta: bytes, at: int, base: memoryview, into: memoryview) -> Sequence[Copy]:
    copies: list[Copy] = []
    target = begun = first = 0  # a copy that goes on where the last one ended is the same one
    after = -1
    while at < len(delta):
        what = delta[at]
        at += 1
        if what < 128:
            into[target : target + what] = delta[at : at + what]
            at, target, length = at + what, target + what, what
            if not what:
                raise ValueError("an instruction that means nothing")
            continue
        source, length, at = _copied(delta, at, what)
        into[target : target + length] = base[source : source + length]
        if source != after or target != begun + after - first:
            if after >= 0:
                copies.append((begun, first, after - first))
            begun, first = target, source
        after, target = source + length, target + length
    if after >= 0:
        copies.append((begun, first, after - first))
    if target != len(into):
        raise ValueError(f"{target} bytes instead of {len(into)}")
    return copies


def _copied(delta: bytes, at: int, what: int) -> tuple[int, int, int]:
    """From where, how many bytes, and where the instruction ends."""
    source = length = 0
    for bit in range(4):
        if what & 1 << bit:
            source |= delta[at] << 8 * bit
            at += 1
    for bit in range(3):
        if what & 16 << bit:
            length |= delta[at] << 8 * bit
            at += 1
    return source, length or 0x10000, at


def _number(delta: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = delta[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def _resize(data: bytearray, size: int) -> None:
    if len(data) > size:
        del data[size:]
    else:
        data.extend(bytes(size - len(data)))
