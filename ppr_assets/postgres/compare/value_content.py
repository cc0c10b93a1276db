"""Whether sequences, materialized views and large objects are as a dump has them, whose definitions
say no more of them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping

import psycopg

from ppr_assets.plain_sql.parsing.byte_ranges import DumpFile
from ppr_assets.plain_sql.parsing.layout import Layout
from ppr_assets.plain_sql.parsing.pieces import QUALIFIED
from ppr_assets.postgres.sessions.session import Connection, failed

_SETVAL = re.compile(
    rb"SELECT pg_catalog\.setval\('((?:[^']|'')+)', (-?\d+), (true|false)\);", re.DOTALL
)
_REFRESH = re.compile(rb"REFRESH MATERIALIZED VIEW (" + QUALIFIED + rb");")

_OPEN = re.compile(rb"SELECT pg_catalog\.lo_open\('(\d+)', \d+\);")
_WRITE = re.compile(rb"SELECT pg_catalog\.lowrite\(0, '\\+x([0-9a-f]*)'\);")
_READ = 1024 * 1024
PIECE = 64 * 1024 * 1024
"""Bytes that the server is asked to hash at once: it holds them in memory, and refuses to take 1 GB
of one object."""


def value_differences(connection: Connection, layout: Layout, file: DumpFile) -> Iterator[str]:
    """Hold sequences' values, and that materialized views are filled, to the dump, as the session
    sees them. Raises :class:`RestoreFailed`."""
    for entry in layout.entries:
        if entry.kind not in ("SEQUENCE SET", "MATERIALIZED VIEW DATA"):
            continue
        text = file.read(entry.start, entry.end)
        what = f"{entry.kind.lower()} {entry.name}"
        try:
            if found := _SETVAL.search(text):
                yield from _sequence(connection, *found.groups())
            elif found := _REFRESH.search(text):
                yield from _filled(connection, found.group(1))
            else:
                yield f"{what} is not as pg_dump writes it, so it cannot be compared"
        except psycopg.Error as error:
            raise failed(f"the comparison of {what}", error) from error


def _sequence(connection: Connection, literal: bytes, value: bytes, called: bytes) -> Iterator[str]:
    name = literal.replace(b"''", b"'")  # qualified, and quoted where that is needed
    row = connection.execute(b"SELECT last_value, is_called FROM " + name).fetchone()
    assert row is not None
    want = (int(value), called == b"true")
    if row != want:
        yield (
            f"sequence {name.decode('utf-8', 'replace')} is at {_value(*row)}, "
            f"the dump has {_value(*want)}"
        )


def _value(value: int, called: bool) -> str:
    return str(value) if called else f"{value} (not drawn yet)"


def _filled(connection: Connection, name: bytes) -> Iterator[str]:
    literal = b"'" + name.replace(b"'", b"''") + b"'"
    query = b"SELECT relispopulated FROM pg_catalog.pg_class WHERE oid = " + literal
    row = connection.execute(query + b"::pg_catalog.regclass").fetchone()
    assert row is not None
    if not row[0]:
        yield f"materialized view {name.decode('utf-8', 'replace')} is not filled"


class _Digest:
    """The SHA-256 of the SHA-256 of each piece; the last one is short, or empty."""

    def __init__(self) -> None:
        self._whole = hashlib.sha256()
        self._piece = hashlib.sha256()
        self._room = PIECE

    def update(self, data: bytes) -> None:
        while len(data) >= self._room:
            self._piece.update(data[: self._room])
            data = data[self._room :]
            self._whole.update(self._piece.digest())
            self._piece, self._room = hashlib.sha256(), PIECE
        self._piece.update(data)
        self._room -= len(data)

    def digest(self) -> bytes:
        whole = self._whole.copy()
        whole.update(self._piece.digest())
        return whole.digest()


def large_object_differences(
    connection: Connection, layout: Layout, file: DumpFile
) -> Iterator[str]:
    """What a human reads; nothing when all are there, the same, and no others. Raises
    :class:`RestoreFailed`."""
    expected = _expected(layout, file)
    query = "SELECT oid::bigint FROM pg_catalog.pg_largeobject_metadata"
    found = {oid for (oid,) in connection.execute(query)}
    for oid in sorted(expected.keys() | found):
        if oid not in found:
            yield f"large object {oid} is missing"
        elif oid not in expected:
            yield f"large object {oid} is not in the dump"
        elif _hash(connection, oid) != expected[oid]:
            yield f"large object {oid} has other bytes than in the dump"


def _hash(connection: Connection, oid: int) -> bytes:
    query = (
        "SELECT pg_catalog.length(piece), pg_catalog.sha256(piece) "
        "FROM (SELECT pg_catalog.lo_get(%s::pg_catalog.oid, %s, %s) OFFSET 0) AS one (piece)"
    )
    whole = hashlib.sha256()
    position, size = 0, PIECE
    while size == PIECE:
        try:
            row = connection.execute(query, [oid, position, PIECE]).fetchone()
        except psycopg.Error as error:
            raise failed(f"the comparison of large object {oid}", error) from error
        assert row is not None
        size = row[0]
        whole.update(row[1])
        position += size
    return whole.digest()


def _expected(layout: Layout, file: DumpFile) -> Mapping[int, bytes]:
    """The digest of each, as the dump writes them: opened, written to in order, closed."""
    digests = {}
    current = _Digest()
    for entry in layout.entries:
        if entry.kind != "BLOBS":
            continue
        for start, end in file.pieces(entry.start, entry.end, _READ):
            for line in file.read(start, end).splitlines():
                if opened := _OPEN.fullmatch(line):
                    current = digests[int(opened.group(1))] = _Digest()
                elif written := _WRITE.fullmatch(line):
                    current.update(bytes.fromhex(written.group(1).decode()))
    return {oid: digest.digest() for oid, digest in digests.items()}
