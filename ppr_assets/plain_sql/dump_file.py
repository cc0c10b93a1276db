"""A dump as a file: is it one at all, and its bytes, decompressed or joined where need be."""

from __future__ import annotations

import gzip
import os
import shutil
import stat
import zlib
from collections.abc import Iterator
from io import FileIO
from pathlib import Path

from ppr_assets.errors import DumpDamaged, PreconditionFailed
from ppr_assets.plain_sql.first_bytes import HEAD_BYTES, impostor
from ppr_assets.plain_sql.parsing.byte_ranges import CHUNK, PlainDump
from ppr_assets.plain_sql.parts.joined import parts_on_disk, read_script

FETCH_AGAIN = (
    "nothing was changed. Fetch it again (`git checkout -- FILE` in the data repository, or a "
    "fresh clone), or take another dump: `ppr-assets list` names them, with `--from URL` those of "
    "another place."
)


def open_dump(path: Path, *, name: str) -> Iterator[bytes]:
    """The dump's SQL in chunks; ``name`` says whether ``path`` is compressed (``.gz``). The parts
    of a dump in parts are beside it.

    Raises :class:`DumpDamaged` before the first chunk if there is no dump to read (a folder, an
    empty file, a Git LFS pointer, a web page …), and later where a compressed file is cut off or
    corrupt, or the disk fails.
    """
    require_file(path, name=name)
    gzipped = name.endswith(".gz")
    try:
        with path.open("rb", buffering=0) as raw:
            head = raw.read(HEAD_BYTES)
            _require_dump(head, name, gzipped=gzipped)
            raw.seek(0)
            if joined := parts_on_disk(path):
                yield from joined.chunks()
                return
            if gzipped:
                yield from _decompressed(raw, name)
                return
            while chunk := raw.read(CHUNK):
                yield chunk
    except OSError as error:
        raise DumpDamaged(
            f"`{name}` cannot be read: {error.strerror or error}",
            hint="may this user read it, and is the disk healthy?",
        ) from error


def plain_dump(path: Path, *, name: str, folder: Path) -> PlainDump:
    """The dump as plain SQL that can be read at any byte: its file, the slices of its parts, or,
    of a compressed one, a copy in ``folder``.

    Raises :class:`DumpDamaged`, and :class:`PreconditionFailed` when the copy cannot be written.
    """
    if not name.endswith(".gz"):
        joined = parts_on_disk(path)
        return joined.slices(path.parent) if joined else path
    copy = folder / name.removesuffix(".gz")
    try:
        with copy.open("wb") as file:
            for chunk in open_dump(path, name=name):
                file.write(chunk)
    except OSError as error:
        raise PreconditionFailed(
            f"could not decompress `{name}` to `{folder}`: {error.strerror or error}",
            hint="is the disk full? Nothing was changed.",
        ) from error
    return copy


def stored_bytes(path: Path) -> int:
    """The size of the file at ``path``; of a dump in parts, that of all parts together.

    Raises :class:`DumpDamaged` where parts are missing.
    """
    joined = parts_on_disk(path)
    return joined.script.bytes if joined else path.stat().st_size


def remove_dump(path: Path) -> None:
    """Remove a dump's file, and its parts."""
    script = read_script(path)
    if script is not None:
        shutil.rmtree(path.parent / script.folder, ignore_errors=True)
    path.unlink()


def require_file(path: Path, *, name: str) -> None:
    """Raise :class:`DumpDamaged` unless ``path`` is a file with something in it, in its folder."""
    try:
        target = Path(os.path.realpath(path, strict=True))
        found = target.stat()
        folder = path.parent.resolve(strict=True)
    except OSError as error:
        leads = f" leads to `{path.readlink()}`, which" if path.is_symlink() else ""
        raise DumpDamaged(
            f"`{name}`{leads} cannot be read: {error.strerror}", hint=FETCH_AGAIN
        ) from error
    if path.is_symlink() and not target.is_relative_to(folder):
        raise DumpDamaged(
            f"`{name}` is a symlink out of its folder, to `{target}`",
            hint="nobody can tell what is there; link to a dump in the same folder.",
        )
    if not stat.S_ISREG(found.st_mode):
        what = "a folder" if target.is_dir() else "a device, pipe or socket"
        raise DumpDamaged(f"`{name}` is {what}, a file is needed", hint=FETCH_AGAIN)
    if found.st_size == 0:
        raise _empty(name)


def _decompressed(raw: FileIO, name: str) -> Iterator[bytes]:
    try:
        with gzip.GzipFile(fileobj=raw, mode="rb") as file:
            head = file.read(HEAD_BYTES)
            if not head:
                raise _empty(name, "decompressed ")
            _require_dump(head, name, gzipped=False)
            yield head
            while chunk := file.read(CHUNK):
                yield chunk
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        how = "was cut off at" if isinstance(error, EOFError) else f"is corrupt ({error}) before"
        raise DumpDamaged(
            f"`{name}` {how} byte {raw.tell()} of the compressed file", hint=FETCH_AGAIN
        ) from error


def _require_dump(head: bytes, name: str, *, gzipped: bool) -> None:
    found = impostor(head, gzipped=gzipped)
    if found:
        raise DumpDamaged(f"`{name}` {found.what}, at byte 0", hint=found.hint)


def _empty(name: str, how: str = "") -> DumpDamaged:
    return DumpDamaged(
        f"`{name}` is empty: it has 0 {how}bytes",
        hint=f"an interrupted download or a full disk leaves that; {FETCH_AGAIN}",
    )
