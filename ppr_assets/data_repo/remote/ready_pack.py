"""What a push is about to send, made ready beside other work: the newest dump as its difference to
the one before, or whole where there is none, in a pack that only the push is told of.

git takes a difference from a pack before it looks for one, and what is whole there as it is
compressed. Where there is none, or one to another dump than the remote has, it looks, as it would
have. Nothing in the clone depends on the pack.
"""

from __future__ import annotations

import filecmp
import hashlib
import os
import shutil
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO, Protocol

from isal import isal_zlib
from msgspec import Struct

from ppr_assets.data_repo.git.objects import entry_head, pack_head
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.remote.line_differences import Content, differences, rendered

_BLOB, _DIFFERENCE = 3, 7
_PIECE = 1 << 20
_SMALL = 1 << 18
"""Bytes among which git finds differences in no time."""
_ALL = 2_000_000_000
"""Bytes of all files up to which an index counts in the same numbers. A forge takes no file as
large, and of many parts the last are left to git."""
_MOST_NEW = 4
"""One in so many bytes may be new; git also finds what has moved."""
_EACH = 1000
"""Bytes that each difference counts beside its own: of very many, git is sooner done."""
_FAST = 2
"""The level at which a whole file is compressed: half a gigabyte a second."""

Pair = tuple["Version | None", Path]
"""A file as the remote has it, None where it has none, and its next version."""


class Version(Struct, frozen=True):
    """A file and the object that git has of it."""

    sha: str
    path: Path


@contextmanager
def made_ready(repo: DataRepo) -> Iterator[None]:
    """What is made ready in the block is gone after it, and what a killed run left before it."""
    remove = partial(shutil.rmtree, _folder(repo), ignore_errors=True)
    remove()
    try:
        yield
    finally:
        remove()


def make_ready(repo: DataRepo, pairs: Sequence[Pair]) -> bool:
    """Whether there is a pack now: of each pair the file as the remote has it, and its next version
    as the difference to that, or whole. There is none of small files, of those that have not
    changed and of what is beyond two gigabytes, nor at all where an old file has other bytes by now
    or a new one has too little of it in the same order.

    Raises :class:`OSError`. Asks git nothing, so that it may work beside others.
    """
    changed = [*_worth_it(pairs, shutil.disk_usage(repo.path).free // 2)]
    if not changed:
        return False
    folder = _folder(repo) / "pack"
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = folder / "unfinished"
    try:
        with unfinished.open("wb") as file:
            objects = sum(2 if old else 1 for old, _ in changed)
            pack = _Pack(file, repo.object_format, objects)
            if not all(pack.pair(old, new) if old else pack.whole(new) for old, new in changed):
                return False
            name, index = pack.end()
        unfinished.rename(folder / f"pack-{name}.pack")
        unfinished.write_bytes(index)
        unfinished.rename(folder / f"pack-{name}.idx")
    finally:
        unfinished.unlink(missing_ok=True)
    return True


def _worth_it(pairs: Sequence[Pair], room: int) -> Iterator[Pair]:
    """``room``: bytes, of which the new files themselves need as many."""
    total = 0
    for old, new in pairs:
        sizes = [path.stat().st_size for path in ([old.path, new] if old else [new])]
        fits = min(sizes) >= _SMALL and total + sum(sizes) < min(_ALL, room)
        if fits and not (old and filecmp.cmp(old.path, new, shallow=False)):
            total += sum(sizes)
            yield old, new


def ready(repo: DataRepo) -> Mapping[str, str]:
    """The environment in which git knows what was made ready."""
    folder = _folder(repo)
    if not folder.is_dir():
        return {}
    quoted = str(folder).replace("\\", "\\\\").replace('"', '\\"')
    return {"GIT_ALTERNATE_OBJECT_DIRECTORIES": f'"{quoted}"'}


def _folder(repo: DataRepo) -> Path:
    return repo.state_dir / "ready"


class _Deflate(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...

    def flush(self) -> bytes: ...


class _Pack:
    """Files whole, and others as the differences to them."""

    def __init__(self, file: BinaryIO, object_format: str, objects: int) -> None:
        self._file = file
        self._hash = partial(hashlib.new, object_format, usedforsecurity=False)
        self._sum = self._hash()
        self._size = self._crc = 0
        self._objects: list[tuple[bytes, int, int]] = []
        self._write(pack_head(objects))

    def pair(self, old: Version, new: Path) -> bool:
        """Both; False where the old file is not that object, the new one too different, or one of
        them there already, which would leave two ways to make it."""
        with old.path.open("rb") as was, new.open("rb") as now:
            # Nobody sends the old one, so it is not compressed.
            return (
                self._whole(was, zlib.compressobj(0)) == old.sha
                and self._difference(old.sha, Content(was), Content(now))
                and self._each_once()
            )

    def whole(self, new: Path) -> bool:
        """It alone; False where it is there already."""
        with new.open("rb") as file:
            self._whole(file, isal_zlib.compressobj(_FAST))
        return self._each_once()

    def end(self) -> tuple[str, bytes]:
        """Its name and its index."""
        checksum = self._sum.digest()
        self._file.write(checksum)
        names, checks, starts = zip(*sorted(self._objects), strict=True)
        out = b"\xfftOc" + (2).to_bytes(4, "big")
        out += b"".join(
            sum(name[0] <= first for name in names).to_bytes(4, "big") for first in range(256)
        )
        out += b"".join([*names, *(one.to_bytes(4, "big") for one in (*checks, *starts))])
        out += checksum
        return checksum.hex(), out + self._hash(out).digest()

    def _each_once(self) -> bool:
        return len({name for name, _, _ in self._objects}) == len(self._objects)

    def _whole(self, file: BinaryIO, deflate: _Deflate) -> str:
        """Its name, by its bytes."""
        size = os.fstat(file.fileno()).st_size
        start, name = self._begin(_BLOB, size), self._hash(b"blob %d\0" % size)
        while piece := file.read(_PIECE):
            name.update(piece)
            self._write(deflate.compress(piece))
        self._write(deflate.flush())
        self._objects.append((name.digest(), self._crc, start))
        return name.hexdigest()

    def _difference(self, base: str, old: Content, new: Content) -> bool:
        """Named by the bytes that it makes of the old file; False where too many are new, or in too
        many places."""
        name, left = self._hash(b"blob %d\0" % len(new)), len(new) // _MOST_NEW
        found = []
        for one in differences(old, new):
            if isinstance(one, bytes):
                name.update(one)
                left -= len(one) + _EACH
            else:
                name.update(old[one[0] : sum(one)])
            if left < 0:
                return False
            found.append(one)
        data = rendered((len(old), len(new)), iter(found))
        start = self._begin(_DIFFERENCE, len(data))
        self._write(bytes.fromhex(base) + zlib.compress(data))
        self._objects.append((name.digest(), self._crc, start))
        return True

    def _begin(self, kind: int, size: int) -> int:
        """Where it begins."""
        start, self._crc = self._size, 0
        self._write(entry_head(kind, size))
        return start

    def _write(self, data: bytes) -> None:
        self._sum.update(data)
        self._crc = zlib.crc32(data, self._crc)
        self._size += len(data)
        self._file.write(data)
