"""Cut a finished dump into parts, so that each file is small enough for a forge."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from ppr_assets.errors import DumpFailed
from ppr_assets.files import sync_folder, write_whole
from ppr_assets.plain_sql.parts.cuts import Slice, slices
from ppr_assets.plain_sql.parts.script import Part, Script, key_of_slice, part_name

_CHUNK = 1024 * 1024


def split_dump(dump: Path, *, name: str, most: int) -> Script:
    """Write the parts of the dump at ``dump``, each of at most ``most`` bytes and fsynced, and put
    the script in the dump's place. The folder of the parts, beside it, is not there yet.

    Raises :class:`DumpFailed` where one row is larger than a part may be, or the disk is full; the
    dump itself is as it was then, and what was written of the parts is left to the caller.
    """
    script = Script(name, ())
    folder = dump.parent / script.folder
    beside = dump.with_name(f"{dump.name}.script")
    try:
        with dump.open("rb") as file:
            cuts, key = slices(_chunks(file, 0, os.fstat(file.fileno()).st_size), most=most)
            folder.mkdir()
            for number, cut in enumerate(cuts, 1):
                part = _write_part(file, folder / part_name(number), cut, key)
                script = replace(script, parts=(*script.parts, part))
        sync_folder(folder)
        write_whole(dump, script.render(), beside=beside)
    except OSError as error:
        raise DumpFailed(
            f"could not write the parts of the dump to `{folder}`: {error.strerror or error}",
            hint="is the disk full or read-only? Nothing was published.",
        ) from error
    return script


def _write_part(dump: BinaryIO, path: Path, cut: Slice, dumps_key: str | None) -> Part:
    """The slice with the lines around it. Between the first and the last part, which hold the
    dump's own ``\\restrict`` and its partner, the key is derived from the slice, as the dump's is
    from the dump: a part whose rows are the same is the same file."""
    key = dumps_key
    if key is not None and not (cut.wrapping.first or cut.wrapping.last):
        key = key_of_slice(cut.wrapping.statement, _chunks(dump, cut.start, cut.end))[: len(key)]
    before, after = cut.wrapping.before(key), cut.wrapping.after(key)
    digest = hashlib.sha256()
    with path.open("xb") as file:
        for chunk in chain([before], _chunks(dump, cut.start, cut.end), [after]):
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
        chunk = file.read(min(_CHUNK, end - start))
        start += len(chunk)
        yield chunk
