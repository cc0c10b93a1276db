"""Whether the large objects of a dump are in a database, byte by byte."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping

from ppr_assets.postgres.layout import Layout
from ppr_assets.postgres.load.dump_file import DumpFile
from ppr_assets.postgres.load.session import Connection

_OPEN = re.compile(rb"SELECT pg_catalog\.lo_open\('(\d+)', \d+\);")
_WRITE = re.compile(rb"SELECT pg_catalog\.lowrite\(0, '\\+x([0-9a-f]*)'\);")
_PIECE = 1024 * 1024


def large_object_differences(
    connection: Connection, layout: Layout, file: DumpFile
) -> Iterator[str]:
    """What a human reads; nothing when all are there, the same, and no others."""
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
    row = connection.execute("SELECT sha256(lo_get(%s::oid))", [oid]).fetchone()
    assert row is not None
    return bytes(row[0])


def _expected(layout: Layout, file: DumpFile) -> Mapping[int, bytes]:
    """The SHA-256 of each, as the dump writes them: opened, written to in order, closed."""
    digests = {}
    current = hashlib.sha256()
    for entry in layout.entries:
        if entry.kind != "BLOBS":
            continue
        for start, end in file.pieces(entry.start, entry.end, _PIECE):
            for line in file.read(start, end).splitlines():
                if opened := _OPEN.fullmatch(line):
                    current = digests[int(opened.group(1))] = hashlib.sha256()
                elif written := _WRITE.fullmatch(line):
                    current.update(bytes.fromhex(written.group(1).decode()))
    return {oid: digest.digest() for oid, digest in digests.items()}
