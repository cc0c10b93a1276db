"""A year of nights of one dump, written as a pack without a database: to dump each would take an
hour. Each night changes a hundredth of the rows of some tables, adds some and takes some away; each
is stored as the difference to the one before, as git stores it, by lines."""

from __future__ import annotations

import hashlib
import random
import struct
import subprocess
import zlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from pathlib import Path
from typing import BinaryIO

from ppr_assets.data_repo.git.objects import entry_head, number

_COMMIT, _TREE, _BLOB, _DIFFERENCE = 1, 2, 3, 6
_KINDS = {_COMMIT: "commit", _TREE: "tree", _BLOB: "blob"}
_CHAIN = 50
"""Differences in a row: git's own number."""
_COPY, _INSERT = 0x10000, 127
_CHANGED = (b"address", b"location", b"organization", b"phone", b"schedule", b"service")
_BEGUN = datetime(2025, 11, 1, 2, tzinfo=UTC)


def written_nights(folder: Path, dump: Path, nights: int) -> str:
    """Make the bare repository ``folder`` with a commit for each night. Returns the key of an
    organization that comes after a tenth of them, changes five times, and goes before the last."""
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(folder)], check=True)
    lines = dump.read_bytes().splitlines(keepends=True)
    organizations = _rows(lines, b"organization")
    record = lines.pop((organizations.start + organizations.stop) // 2)
    parent = ""
    with (folder / "objects" / "pack" / "pack-nights.pack").open("wb") as file:
        pack = _Pack(file, 4 * nights)
        for night in range(nights):
            old, lines = lines, [*lines]
            edits = _edits(lines, night, nights, record) if night else {}
            for at in sorted(edits, reverse=True):
                lines[at : at + 1] = edits[at]
            blob = pack.night(b"".join(lines), _difference(old, lines, edits), night)
            moment = _BEGUN + timedelta(days=night)
            name = f"pantry_pirate_radio_{moment:%Y-%m-%d_%H-%M-%S}.sql"
            tree = pack.whole(_TREE, _entry("100644", name, blob))  # older ones have retired
            root = pack.whole(_TREE, _entry("40000", "sql_dumps", tree))
            parent = pack.whole(_COMMIT, _commit(root, parent, moment))
        (folder / "objects" / "pack" / "pack-nights.idx").write_bytes(pack.index())
    subprocess.run(["git", "update-ref", "refs/heads/main", parent], cwd=folder, check=True)
    return record.partition(b"\t")[0].decode()


def _rows(lines: Sequence[bytes], table: bytes) -> range:
    start = next(
        at for at, one in enumerate(lines) if one.startswith(b"COPY public." + table + b" ")
    )
    return range(start + 1, lines.index(b"\\.\n", start))


def _edits(
    lines: Sequence[bytes], night: int, nights: int, record: bytes
) -> Mapping[int, Sequence[bytes]]:
    """What stands for a line, by its place."""
    chance = random.Random(night)
    edits: dict[int, list[bytes]] = {}
    for rows in (_rows(lines, table) for table in _CHANGED):
        for at in chance.sample(rows[:-1], len(rows) // 100):
            key, *values = lines[at].split(b"\t")
            values[2] = b"Updated in night %d. " % night + values[2][-180:]
            edits[at] = [b"\t".join((key, *values))]
        for at in chance.sample(rows[:-1], 10):
            edits[at] = [] if chance.random() < 0.5 else [lines[at], _made_up(lines[at], chance)]
    restrict = hashlib.sha256(b"%d" % night).hexdigest()[:63].encode()
    for at in (at for at, one in enumerate(lines) if one.startswith((b"\\r", b"\\u"))):
        edits[at] = [lines[at].partition(b" ")[0] + b" " + restrict + b"\n"]
    organizations = _rows(lines, b"organization")
    key = record.partition(b"\t")[0] + b"\t"
    there = next((at for at in organizations if lines[at].startswith(key)), None)
    tenth = max(nights // 10, 1)
    if there is not None and night % tenth == 0 and night // tenth in (2, 3, 5, 7, 8):
        edits[there] = [record.replace(b"\t", b"\tNight %d " % night, 2)]
    elif there is not None:
        edits.pop(there, None)
    if there is None and night == tenth:
        at = next(at for at in organizations if lines[at] > record)
        edits[at] = [record, lines[at]]
    if there is not None and night == nights - 1:
        edits[there] = []
    return edits


def _made_up(line: bytes, chance: random.Random) -> bytes:
    key, tab, rest = line.partition(b"\t")
    return key[:-12] + b"%012x" % chance.getrandbits(48) + tab + rest


def _difference(
    old: Sequence[bytes], new: Sequence[bytes], edits: Mapping[int, Sequence[bytes]]
) -> bytes:
    starts = [0, *accumulate(map(len, old))]
    out = [number(starts[-1]), number(sum(map(len, new)))]
    done = 0
    for at in sorted(edits):
        was, now = old[at], b"".join(edits[at])
        same = _same(was, now)
        tail = _same(was[same:][::-1], now[same:][::-1])
        out += _copied(done, starts[at] + same)
        text = now[same : len(now) - tail]
        for start in range(0, len(text), _INSERT):
            piece = text[start : start + _INSERT]
            out.append(bytes([len(piece)]) + piece)
        done = starts[at + 1] - tail
    return b"".join([*out, *_copied(done, starts[-1])])


def _same(one: bytes, other: bytes) -> int:
    pairs = zip(one, other, strict=False)
    return next(
        (at for at, (here, there) in enumerate(pairs) if here != there), min(len(one), len(other))
    )


def _copied(start: int, end: int) -> Iterator[bytes]:
    for at in range(start, end, _COPY):
        length = min(_COPY, end - at)
        numbers = at.to_bytes(4, "little") + (length % _COPY).to_bytes(2, "little")
        what = 128 | sum(1 << bit for bit, byte in enumerate(numbers) if byte)
        yield bytes([what, *(byte for byte in numbers if byte)])


def _entry(mode: str, name: str, sha: str) -> bytes:
    return f"{mode} {name}\0".encode() + bytes.fromhex(sha)


def _commit(tree: str, parent: str, moment: datetime) -> bytes:
    who = f"Nights <nights@example.com> {moment.timestamp():.0f} +0000"
    before = f"parent {parent}\n" if parent else ""
    return f"tree {tree}\n{before}author {who}\ncommitter {who}\n\nA night\n".encode()


class _Pack:
    def __init__(self, file: BinaryIO, objects: int) -> None:
        self._file = file
        self._sum = hashlib.sha1(usedforsecurity=False)
        self._last = self._begun = self._crc = 0
        self._objects: list[tuple[bytes, int, int]] = []
        self._write(b"PACK" + (2).to_bytes(4, "big") + objects.to_bytes(4, "big"))

    def whole(self, kind: int, data: bytes) -> str:
        self._begin(kind, len(data))
        self._write(zlib.compress(data, 6))
        return self._end(kind, data)

    def night(self, data: bytes, difference: bytes, night: int) -> str:
        last, self._last = self._last, self._file.tell()
        if night % (_CHAIN + 1) == 0:
            return self.whole(_BLOB, data)
        self._begin(_DIFFERENCE, len(difference))
        self._write(_back(self._last - last) + zlib.compress(difference, 6))
        return self._end(_BLOB, data)

    def index(self) -> bytes:
        """End the pack; its index, which git itself would need minutes for."""
        self._file.write(self._sum.digest())
        objects = sorted(self._objects)
        counts = [0] * 256
        for sha, _, _ in objects:
            counts[sha[0]] += 1
        numbers = [*accumulate(counts)]
        out = b"\xfftOc\0\0\0\2" + struct.pack(">256I", *numbers)
        out += b"".join(sha for sha, _, _ in objects)
        for column in (2, 1):
            out += struct.pack(f">{len(objects)}I", *(one[column] for one in objects))
        out += self._sum.digest()
        return out + hashlib.sha1(out, usedforsecurity=False).digest()

    def _begin(self, kind: int, size: int) -> None:
        self._begun, self._crc = self._file.tell(), 0
        self._write(entry_head(kind, size))

    def _end(self, kind: int, data: bytes) -> str:
        sha = hashlib.sha1(f"{_KINDS[kind]} {len(data)}\0".encode(), usedforsecurity=False)
        sha.update(data)
        self._objects.append((sha.digest(), self._begun, self._crc))
        return sha.hexdigest()

    def _write(self, data: bytes) -> None:
        self._sum.update(data)
        self._crc = zlib.crc32(data, self._crc)
        self._file.write(data)


def _back(distance: int) -> bytes:
    out = [distance & 127]
    while distance := distance >> 7:
        distance -= 1
        out.insert(0, 128 | distance & 127)
    return bytes(out)
