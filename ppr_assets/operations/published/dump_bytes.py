"""The bytes of a dump out of git, whether it is one file or in parts."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

from ppr_assets.data_repo.git.object_reader import SMALL_BYTES, ObjectReader
from ppr_assets.data_repo.git.tree import read_tree
from ppr_assets.data_repo.history.dump_folder import StoredDump
from ppr_assets.errors import DumpDamaged
from ppr_assets.plain_sql.parts.joined import JoinedDump, require_parts
from ppr_assets.plain_sql.parts.script import FIRST_LINES, Part, Script


def dump_bytes(reader: ObjectReader, dump: StoredDump) -> Iterator[bytes]:
    """All of the dump, whether in parts or not. Raises what the reader raises, and
    :class:`DumpDamaged` for parts that do not belong to it."""
    joined = joined_dump(reader, dump)
    yield from joined.chunks() if joined else reader.stream(dump.blob)


def joined_dump(reader: ObjectReader, dump: StoredDump) -> JoinedDump | None:
    """None for a dump that is one file. Raises :class:`DumpDamaged` for parts that do not belong
    to it."""
    script = _script(reader, dump.blob)
    if script is None:
        if dump.parts is None:
            return None
        raise DumpDamaged("it is one file, and there is a folder of parts beside it")
    entries = read_tree(reader, dump.parts) if dump.parts else {}
    require_parts(script, {name: reader.size_of(entry.sha) for name, entry in entries.items()})
    if script.dump != dump.name:
        raise DumpDamaged(f"its script includes the parts of `{script.dump}`")

    def read(part: Part) -> Iterator[bytes]:
        return reader.stream(entries[part.name].sha)

    return JoinedDump(script, read)


def _script(reader: ObjectReader, blob: str) -> Script | None:
    if reader.size_of(blob) > SMALL_BYTES:
        return None
    data = reader.read(blob).data
    return Script.parse(data.decode("ascii", "replace")) if data.startswith(FIRST_LINES) else None


def unpacked(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Of a file in gzip. Raises ``zlib.error`` for a corrupt one."""
    unpack = zlib.decompressobj(wbits=31)
    for chunk in chunks:
        rest = chunk
        while rest:
            if unpack.eof:  # gzip puts several files in a row
                unpack = zlib.decompressobj(wbits=31)
            yield unpack.decompress(rest)
            rest = unpack.unused_data
