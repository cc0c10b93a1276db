"""What a dump in git holds, counted anew; also as a process of its own that is sent dumps.

To count rows keeps a processor busy for as long as git needs to put a dump together, and Python
counts on one only. So a long audit has several of these processes, each with a git of its own.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

from msgspec.structs import replace

from ppr_assets.data_repo.git.object_reader import ObjectMissing, ObjectReader
from ppr_assets.data_repo.history.dump_folder import StoredDump
from ppr_assets.errors import DataRepoError, DumpDamaged
from ppr_assets.operations.published.committed import joined_dump
from ppr_assets.plain_sql.parsing.layout import Layout, read_layout


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
    joined = joined_dump(reader, dump)
    chunks = joined.chunks(keys=True) if joined else reader.stream(dump.blob)
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
