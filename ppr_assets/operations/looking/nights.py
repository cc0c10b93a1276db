"""The nights that a record is sought in, and what each of them has of it.

A night whose manifest has the same SHA-256 of the table's rows as another one is not read: the
record is the same there. The others stream out of git along its chains of differences.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from ppr_assets.data_repo.git.differences import Node, StoredFiles
from ppr_assets.data_repo.git.object_reader import ObjectMissing
from ppr_assets.data_repo.git.pack_files import pack_files
from ppr_assets.data_repo.git.reading_order import reading_order
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.git.tree import read_tree
from ppr_assets.data_repo.history.dump_folder import DumpFolders, StoredDump
from ppr_assets.data_repo.history.dump_history import PastDump
from ppr_assets.data_repo.history.manifests import read_manifests
from ppr_assets.data_repo.remote.missing_objects import bring_what_is_left
from ppr_assets.errors import DumpDamaged
from ppr_assets.operations.published.committed import dump_bytes, unpacked
from ppr_assets.plain_sql.tables.followed_record import Followed, follow_record, read_record
from ppr_assets.plain_sql.tables.one_record import (
    FoundRecord,
    SoughtRecord,
    find_record,
)
from ppr_assets.rules.naming import manifest_name
from ppr_assets.rules.recorded.manifest import Manifest


class TableNight(Struct, frozen=True):
    """``rows`` is the same for nights in which the table has the same rows, None without any;
    ``tables`` are those of the manifest, empty without one."""

    dump: PastDump
    stored: StoredDump
    rows: object
    tables: Collection[str] = ()


def nights_of(repo: DataRepo, dumps: Sequence[PastDump], table: str) -> list[TableNight]:
    folders = DumpFolders(repo)
    stored, described = {}, {}
    for dump in dumps:
        folder = folders.at(dump.published.commit)
        if dump.name in folder.entries:
            stored[dump.name] = folder.stored(dump.name)
            if (sha := folder.manifest_sha(dump.name)) is not None:
                described[dump.name] = sha
    told = read_manifests(repo, described)
    nights = []
    for dump in dumps:
        if dump.name not in stored:
            continue
        manifest = told.get(dump.name)
        rows: object = stored[dump.name]
        tables: Collection[str] = ()
        if isinstance(manifest, Manifest) and manifest_name(manifest.dump) == manifest_name(
            dump.name
        ):
            record = manifest.tables.get(table)
            rows = record.sha256 if record and record.rows else None
            tables = manifest.tables.keys()
        nights.append(TableNight(dump, stored[dump.name], rows, tables))
    return nights


def read_nights(
    repo: DataRepo, nights: Sequence[TableNight], sought: SoughtRecord, *, offline: bool
) -> Mapping[object, FoundRecord | str]:
    """By a night's rows: the record, or why it cannot be told."""
    blobs = {}
    for night in nights:
        parts = read_tree(repo.objects, night.stored.parts) if night.stored.parts else {}
        blobs[night.dump.name] = [night.stored.blob, *(one.sha for one in parts.values())]
    if not offline:
        bring_what_is_left(repo, {blob for of_night in blobs.values() for blob in of_night})
    whole: dict[str, list[TableNight]] = {}
    for night in nights:
        if night.stored.parts is None and not night.dump.name.endswith(".gz"):
            whole.setdefault(night.stored.blob, []).append(night)
    found = _followed(repo, whole, sought)
    order = reading_order(repo, [of_night[-1] for of_night in blobs.values()])
    place = {blob: at for at, blob in enumerate(order)}
    for night in sorted(nights, key=lambda one: place[blobs[one.dump.name][-1]]):
        if night.rows in found:
            continue
        try:
            one = find_record(_chunks(repo, night), sought)
        except (DumpDamaged, zlib.error) as error:
            found[night.rows] = str(error)
        except ObjectMissing:
            found[night.rows] = "its bytes are not in this clone"
        else:
            found[night.rows] = one
            sought = replace(sought, key=one.key or sought.key)
    return found


def _followed(
    repo: DataRepo, nights: Mapping[str, Sequence[TableNight]], sought: SoughtRecord
) -> dict[object, FoundRecord | str]:
    """Of those (by blob) that are packed, by their rows. One that is damaged is left out: whoever
    reads it from git says what is wrong."""
    found: dict[object, FoundRecord | str] = {}
    followed: dict[Node, Followed] = {}
    for file in StoredFiles(pack_files(repo), nights):
        before = followed.get(file.base) if file.base else None
        try:
            if before is None:
                one = read_record(file.data, sought)
            else:
                one = follow_record(before, file.data, file.copies, sought)
        except DumpDamaged:
            continue
        followed[file.node] = one
        sought = replace(sought, key=one.found.key or sought.key)
        for night in nights.get(file.blob or "", ()):
            found[night.rows] = one.found
    return found


def _chunks(repo: DataRepo, night: TableNight) -> Callable[[], Iterable[bytes]]:
    def chunks() -> Iterable[bytes]:
        stored = dump_bytes(repo.objects, night.stored)
        return unpacked(stored) if night.dump.name.endswith(".gz") else stored

    return chunks
