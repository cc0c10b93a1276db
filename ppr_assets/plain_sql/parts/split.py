"""Cut a finished dump into parts, so that each file is small enough for a forge."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from ppr_assets.errors import DumpFailed
from ppr_assets.files import sync_folder, write_whole
from ppr_assets.plain_sql.parsing.byte_ranges import CHUNK
from ppr_assets.plain_sql.parts.cuts import Slice, slices
from ppr_assets.plain_sql.parts.script import Part, Script, key_of_slice, part_name
from ppr_assets.rules.naming import parts_folder

_WRITERS = 2
"""Parts that are written at once, beside the search for the next cut: hashing takes longest."""


def split_dump(dump: Path, *, name: str, most: int) -> Script:
    """Write the parts of the dump at ``dump``, each of at most ``most`` bytes and fsynced, and put
    the script in the dump's place. The folder of the parts, beside it, is not there yet.

    Raises :class:`DumpFailed` where one row is larger than a part may be, or the disk is full; the
    dump itself is as it was then, and what was written of the parts is left to the caller.
    """
    folder = dump.parent / parts_folder(name)
    beside = dump.with_name(f"{dump.name}.script")
    try:
        folder.mkdir()
        with dump.open("rb") as file, ThreadPoolExecutor(_WRITERS) as writers:
            cuts = slices(_chunks(file, 0, os.fstat(file.fileno()).st_size), most=most)
            written = [
                writers.submit(_write_part, dump, folder / part_name(number), cut)
                for number, cut in enumerate(cuts, 1)
            ]
        script = Script(name, [part.result() for part in written])
        sync_folder(folder)
        write_whole(dump, script.render(), beside=beside)
    except OSError as error:
        raise DumpFailed(
            f"could not write the parts of the dump to `{folder}`: {error.strerror or error}",
            hint="is the disk full or read-only? Nothing was published.",
        ) from error
    return script


def _write_part(dump: Path, path: Path, cut: Slice) -> Part:
    """The slice with the lines around it. Between the first and the last part, which hold the
    dump's own ``\\restrict`` and its partner, the key is derived from the slice, as the dump's is
    from the dump: a part whose rows are the same is the same file."""
    key, wrapping = cut.dumps_key, cut.wrapping
    digest = hashlib.sha256()
    with dump.open("rb") as source, path.open("xb") as file:
        if key is not None and not (wrapping.first or wrapping.last):
            rows = _chunks(source, cut.start, cut.end)
            key = key_of_slice(wrapping.statement, rows)[: len(key)]
        before, after = wrapping.before(key), wrapping.after(key)
        for chunk in chain([before], _chunks(source, cut.start, cut.end), [after]):
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    start = len(before)
    end = start + cut.end - cut.start
    return Part(path.name, end + len(after), digest.hexdigest(), start, end)


def _chunks(file: BinaryIO, start: int, end: int) -> Iterator[bytes]:
    file.seek(start)
    while start < end:
        chunk = file.read(min(CHUNK, end - start))
        start += len(chunk)
        yield chunk
