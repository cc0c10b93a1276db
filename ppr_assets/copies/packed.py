"""A dump compressed with zstd, as a copy holds it.

By the standard library's own module, which Pythons before 3.14 have from its backport: maintained
by who maintains it there, so one day a dependency less.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from msgspec import Struct

from ppr_assets.errors import DumpDamaged, PreconditionFailed

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_OPTIONS = {int(zstd.CompressionParameter.checksum_flag): 1}


class Packed(Struct, frozen=True):
    """``path`` has ``bytes``; ``sha256`` is that of what was compressed."""

    path: Path
    bytes: int
    sha256: str


def pack(chunks: Iterable[bytes], path: Path) -> Packed:
    """Raises :class:`PreconditionFailed` where there is no room."""
    digest = hashlib.sha256()
    compressor = zstd.ZstdCompressor(options=_OPTIONS)
    try:
        with path.open("wb") as file:
            for chunk in chunks:
                digest.update(chunk)
                file.write(compressor.compress(chunk))
            file.write(compressor.flush())
            written = file.tell()
    except OSError as error:
        raise PreconditionFailed(
            f"could not write a compressed dump to `{path.parent}`: {error.strerror or error}",
            hint="is the disk full? What was published stands.",
        ) from error
    return Packed(path, written, digest.hexdigest())


def unpacked(chunks: Iterable[bytes], name: str) -> Iterator[bytes]:
    """What was compressed. Raises :class:`DumpDamaged` for what is cut off, altered or no zstd."""
    decompressor = zstd.ZstdDecompressor()
    try:
        for chunk in chunks:
            if decompressor.eof:
                raise DumpDamaged(f"`{name}` goes on after its end")
            yield decompressor.decompress(chunk)
            while not decompressor.needs_input and not decompressor.eof:
                yield decompressor.decompress(b"")
    except zstd.ZstdError as error:
        raise DumpDamaged(f"`{name}` is corrupt: {error}") from error
    if not decompressor.eof:
        raise DumpDamaged(f"`{name}` was cut off")
    if decompressor.unused_data:
        raise DumpDamaged(f"`{name}` goes on after its end")
