"""What a dump in git holds, counted anew; also as a process of its own that is sent dumps.

To count rows keeps a processor busy for as long as git needs to put a dump together, and Python
counts on one only. So a long audit has several of these processes, each with a git of its own.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

from ppr_assets.data_repo.git.object_reader import SMALL_BYTES, ObjectMissing, ObjectReader
from ppr_assets.data_repo.git.tree_objects import read_tree
from ppr_assets.data_repo.history.dump_folder import StoredDump
from ppr_assets.errors import DataRepoError, DumpDamaged
from ppr_assets.plain_sql.parsing.layout import Layout, read_layout
from ppr_assets.plain_sql.parts.joined import JoinedDump, require_parts
from ppr_assets.plain_sql.parts.script import FIRST_LINES, Part, Script


def recount(reader: ObjectReader, dump: StoredDump) -> Layout | str:
    """What the dump holds, of its entries only those with rows; or why that cannot be told.

    Raises what the reader raises, except for an object that is not there.
    """
    try:
        layout = _layout(reader, dump)
    except DumpDamaged as error:
        return error.message
    except ObjectMissing:
        return "its bytes are not in this clone, so nobody can tell (a full clone has them)"
    return replace(layout, entries=tuple(entry for entry in layout.entries if entry.copy))


def _layout(reader: ObjectReader, dump: StoredDump) -> Layout:
    joined = _joined(reader, dump)
    chunks = joined.chunks() if joined else reader.stream(dump.blob)
    try:
        # Rows of dumps made here are sorted, so nothing is ever written to the folder.
        layout = read_layout(chunks, sorted_rows=True, spill_folder=Path())
    except DumpDamaged:
        if joined:
            joined.require_parts()  # which part it is says more than what is wrong in it
        raise
    if joined:
        joined.require_wrapped(layout)
    return layout


def dump_bytes(reader: ObjectReader, dump: StoredDump) -> Iterator[bytes]:
    """All of the dump, whether in parts or not. Raises what the reader raises, and
    :class:`DumpDamaged` for parts that do not belong to it."""
    joined = _joined(reader, dump)
    yield from joined.chunks() if joined else reader.stream(dump.blob)


def _joined(reader: ObjectReader, dump: StoredDump) -> JoinedDump | None:
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


def main(descriptor: int, clone: Path, timeout_seconds: float) -> None:
    """Answer each :class:`StoredDump` that comes over ``descriptor`` until the other end closes."""
    with (
        suppress(EOFError),
        Connection(descriptor) as asker,
        ObjectReader(clone, timeout_seconds) as reader,
    ):
        while True:
            asker.send(_answer(reader, asker.recv()))


def _answer(reader: ObjectReader, dump: StoredDump) -> Layout | str | DataRepoError:
    try:
        return recount(reader, dump)
    except DataRepoError as error:
        return DataRepoError(error.message, hint=error.hint)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]))
