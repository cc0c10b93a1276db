"""The newest dump as SQLite beside its copies: for readers, and none of the copies themselves."""

from __future__ import annotations

import hashlib

from ppr_assets.copies.packed import Packed, unpacked
from ppr_assets.copies.place import Place
from ppr_assets.errors import DumpDamaged
from ppr_assets.operations.copying.published_dumps import PublishedDumps
from ppr_assets.progress import stage
from ppr_assets.rules.naming import sqlite_copy_name, sqlite_metadata_name
from ppr_assets.rules.wording import size
from ppr_assets.settings import DumpSettings

_MAGIC = b"SQLite format 3\0"


def put_sqlite(place: Place, dumps: PublishedDumps, dump: str, settings: DumpSettings) -> int:
    """Write it once and read it back, with what Datasette reads of it; the bytes that were written,
    0 where both were there, whole. What a killed run has left is replaced, and one that lies there
    without the other: made today under another policy, the two would not agree.

    Raises :class:`DumpDamaged` where it is not what was written, :class:`CopyFailed`, and what
    :meth:`PublishedDumps.sqlite` raises.
    """
    name, described = sqlite_copy_name(dump), sqlite_metadata_name(dump)
    there = place.objects()
    if {name, described} <= there.keys() and _whole(place, name):
        return 0
    packed, metadata = dumps.sqlite(dump, settings)
    for left in (one for one in (described, name) if one in there):
        place.remove(left)
    place.put_new(described, metadata)
    with stage(f"writing {size(packed.bytes)} to {place.shown}"):
        place.put_new(name, packed.path)
    _require_same(place, name, packed)
    return packed.bytes + len(metadata)


def _whole(place: Place, name: str) -> bool:
    try:
        _read_back(place, name)
    except DumpDamaged:
        return False
    return True


def _require_same(place: Place, name: str, packed: Packed) -> None:
    if (found := _read_back(place, name)) != packed.sha256:
        raise DumpDamaged(
            f"`{name}` at `{place.shown}` has SHA-256 {found[:12]}…, {packed.sha256[:12]}… was "
            "written",
            hint="remove that object there; the next run writes it again.",
        )


def _read_back(place: Place, name: str) -> str:
    """Its SHA-256. Raises :class:`DumpDamaged` for what is cut off, altered or no SQLite."""
    digest, first = hashlib.sha256(), b""
    for chunk in unpacked(place.read(name), name):
        first = first or chunk[: len(_MAGIC)]
        digest.update(chunk)
    if first != _MAGIC:
        raise DumpDamaged(f"`{name}` at `{place.shown}` is not an SQLite file")
    return digest.hexdigest()
