"""The difference between two versions of a file of sorted lines, as git stores one.

git looks through both files for whatever they share, which takes it two seconds of a processor for
80 MB. Of rows that are sorted alike nearly all go on as they did, line after line.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import BinaryIO

from ppr_assets.data_repo.git.objects import number

Instruction = tuple[int, int] | bytes
"""Copy from where on in the old file, so many bytes; or bytes that are new."""

_FIRST_BLOCK, _BLOCK = 1 << 10, 1 << 16
_COPY = 1 << 20
_INSERT = 127
_FIRST_LOOK, _LAST_LOOK = 1 << 12, 1 << 22
"""How far, in bytes, a line that both have is looked for behind a difference."""
_SHORT = 16
"""Bytes of a line that may well stand in many places."""


class Content:
    """The bytes of an open file, each read where it is asked for."""

    def __init__(self, file: BinaryIO) -> None:
        self._descriptor = file.fileno()
        self._size = os.fstat(self._descriptor).st_size

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, part: slice) -> bytes:
        start, stop, _ = part.indices(self._size)
        found = os.pread(self._descriptor, stop - start, start)
        if len(found) < stop - start:
            raise OSError("the file has become shorter while it was read")
        return found


def differences(old: Content, new: Content) -> Iterator[Instruction]:
    """How to make ``new`` of ``old``, in the order of both. Raises :class:`OSError`."""
    here = there = 0
    while there < len(new):
        if same := _alike(old, here, new, there):
            yield here, same
            here, there = here + same, there + same
        else:
            here, after = _next_alike(old, here, new, there)
            yield new[there:after]
            there = after


def rendered(sizes: tuple[int, int], instructions: Iterator[Instruction]) -> bytes:
    """The difference as ``gitformat-pack(5)`` has it; ``sizes`` of the old and the new file."""
    out = [number(size) for size in sizes]
    for one in instructions:
        if isinstance(one, bytes):
            pieces = (one[at : at + _INSERT] for at in range(0, len(one), _INSERT))
            out += (bytes([len(piece)]) + piece for piece in pieces)
        else:
            start, length = one
            numbers = start.to_bytes(4, "little") + length.to_bytes(3, "little")
            what = 128 | sum(1 << bit for bit, byte in enumerate(numbers) if byte)
            out.append(bytes([what, *filter(None, numbers)]))
    return b"".join(out)


def _alike(old: Content, here: int, new: Content, there: int) -> int:
    """How many bytes both go on alike, of as many as one instruction copies."""
    end, at, block = min(len(old) - here, len(new) - there, _COPY), 0, _FIRST_BLOCK
    while at < end:
        size, block = min(block, end - at), min(2 * block, _BLOCK)
        one = old[here + at : here + at + size]
        other = new[there + at : there + at + size]
        if one != other:
            return at + _alike_at_the_beginning(one, other)
        at += size
    return end


def _next_alike(old: Content, here: int, new: Content, there: int) -> tuple[int, int]:
    """Where both go on alike: at a line, or in the one before it, where that ends alike."""
    look = _FIRST_LOOK
    while True:
        was, now = old[here : here + look], new[there : there + look]
        places: dict[bytes, int] = {}
        for at, line in _lines(was):
            places.setdefault(line, at)
        for after, line in _lines(now):
            if line in places:
                before = places[line]
                tail = _alike_at_the_end(was[:before], now[:after])
                return here + before - tail, there + after - tail
        if look >= _LAST_LOOK or (len(was) < look and len(now) < look):
            return here + len(was), there + len(now)
        look *= 4


def _lines(text: bytes) -> Iterator[tuple[int, bytes]]:
    """Whole lines that are long enough, each with its place, but for the first, which has begun."""
    at = text.find(b"\n") + 1
    for line in text[at:].splitlines(keepends=True) if at else ():
        if len(line) > _SHORT and line.endswith(b"\n"):
            yield at, line
        at += len(line)


def _alike_at_the_beginning(one: bytes, other: bytes) -> int:
    return _largest(min(len(one), len(other)), lambda some: one[:some] == other[:some])


def _alike_at_the_end(one: bytes, other: bytes) -> int:
    most = min(len(one), len(other))
    return _largest(most, lambda some: one[len(one) - some :] == other[len(other) - some :])


def _largest(most: int, holds: Callable[[int], bool]) -> int:
    """Of the numbers up to ``most`` for which it holds, which are the smaller ones."""
    low, high = 0, most + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low
