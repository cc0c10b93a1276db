"""git's pack files as they are on the disk: an object is in them whole, or as the difference to
another one of the same pack. git itself puts each together before it gives it out.

The format is ``gitformat-pack(5)``. Whatever is not as it says is a :class:`ValueError` here:
whoever reads asks git for that object, which has the words for what is broken.
"""

from __future__ import annotations

import mmap
import struct
import zlib
from bisect import bisect_left
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from ppr_assets.data_repo.git.repository import DataRepo

_BLOB, _FROM_OFFSET, _FROM_NAME = 3, 6, 7
_INDEX_HEAD = b"\xfftOc\x00\x00\x00\x02"
_NUMBER, _LONG = struct.Struct(">I"), struct.Struct(">Q")
_FANOUT = len(_INDEX_HEAD)
_NAMES = _FANOUT + 256 * _NUMBER.size
_LARGE = 1 << 31
_BYTES = {"sha1": 20, "sha256": 32}


class PackEntry(Struct, frozen=True):
    """``base``: where in the pack that stands which this is a difference to, None for a file that
    is there whole. ``size``: of what is stored, in bytes, which begins at ``start``, deflated."""

    base: int | None
    size: int
    start: int


class PackFile:
    """A pack, by its index. It stays readable when git has replaced it meanwhile."""

    def __init__(self, index: Path, object_format: str) -> None:
        self._width = _BYTES[object_format]
        self._index, self._data = _mapped(index), _mapped(index.with_suffix(".pack"))
        if self._index[:_FANOUT] != _INDEX_HEAD or self._data[:4] != b"PACK":
            raise ValueError(f"`{index}` is not an index of version 2, or its pack is not one")
        self._count = self._number(_NAMES - _NUMBER.size)

    def offset_of(self, sha: str) -> int | None:
        """Where the object begins; None where it is not in this pack."""
        return self._offset_of(bytes.fromhex(sha))

    def entry(self, offset: int) -> PackEntry:
        """What begins there."""
        at, byte = offset + 1, self._data[offset]
        kind, size, shift = byte >> 4 & 7, byte & 15, 4
        while byte & 128:
            byte = self._data[at]
            size |= (byte & 127) << shift
            at, shift = at + 1, shift + 7
        if kind == _FROM_OFFSET:
            byte = self._data[at]
            back = byte & 127
            at += 1
            while byte & 128:
                byte = self._data[at]
                back, at = (back + 1) << 7 | byte & 127, at + 1
            return PackEntry(offset - back, size, at)
        if kind == _FROM_NAME:
            base = self._offset_of(self._data[at : at + self._width])
            if base is None:
                raise ValueError("a difference to what is in another pack")
            return PackEntry(base, size, at + self._width)
        if kind != _BLOB:
            raise ValueError("no file")
        return PackEntry(None, size, at)

    def stored(self, entry: PackEntry) -> bytes:
        """Inflated."""
        most = entry.size + entry.size // 8 + 1024  # deflated; what is behind it would be copied
        try:
            with memoryview(self._data) as view, view[entry.start : entry.start + most] as rest:
                data = zlib.decompressobj().decompress(rest, entry.size + 1)
        except zlib.error as error:
            raise ValueError(str(error)) from error
        if len(data) != entry.size:
            raise ValueError(f"{len(data)} bytes instead of {entry.size}")
        return data

    def _offset_of(self, name: bytes) -> int | None:
        low = self._number(_FANOUT + _NUMBER.size * (name[0] - 1)) if name[0] else 0
        high = self._number(_FANOUT + _NUMBER.size * name[0])
        at = bisect_left(range(high), name, low, high, key=self._name)
        if at == high or self._name(at) != name:
            return None
        offsets = _NAMES + self._count * (self._width + _NUMBER.size)
        offset = self._number(offsets + at * _NUMBER.size)
        if offset < _LARGE:
            return offset
        large = offsets + self._count * _NUMBER.size + (offset - _LARGE) * _LONG.size
        return int(_LONG.unpack_from(self._index, large)[0])

    def _name(self, at: int) -> bytes:
        start = _NAMES + at * self._width
        return self._index[start : start + self._width]

    def _number(self, at: int) -> int:
        return int(_NUMBER.unpack_from(self._index, at)[0])


def pack_files(repo: DataRepo) -> Sequence[PackFile]:
    """Those of the clone itself that can be read; one that goes meanwhile is left out."""
    found = []
    for index in sorted((repo.git_dir / "objects" / "pack").glob("*.idx")):
        try:
            found.append(PackFile(index, repo.object_format))
        except (OSError, ValueError):
            continue
    return found


def _mapped(path: Path) -> mmap.mmap:
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
