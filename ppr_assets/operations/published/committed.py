"""A dump as a commit has it, in one file or in parts: its bytes; and its files, which are those of
the work tree or a copy out of git.
"""

from __future__ import annotations

import hashlib
import os
import stat
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from ppr_assets.data_repo.git.object_reader import SMALL_BYTES, ObjectReader
from ppr_assets.data_repo.git.tree import (
    TreeEntry,
    read_entries,
    read_tree,
    sha256_at,
    why_missing,
)
from ppr_assets.data_repo.history.dump_folder import DumpFolder, StoredDump
from ppr_assets.data_repo.remote.missing_objects import bring
from ppr_assets.errors import DumpDamaged, DumpMissing, PreconditionFailed
from ppr_assets.plain_sql.dump_file import stored_bytes
from ppr_assets.plain_sql.parts.joined import JoinedDump, read_script, require_parts
from ppr_assets.plain_sql.parts.script import FIRST_LINES, Part, Script
from ppr_assets.progress import counted, stage
from ppr_assets.rules.naming import parts_folder
from ppr_assets.rules.recorded.manifest import Manifest


def dump_at(committed: DumpFolder, name: str, manifest: Manifest | None, scratch: Path) -> Path:
    """Where the dump ``name`` of a commit is now: in the work tree, or else in ``scratch``.

    Raises :class:`DumpMissing`, and :class:`PreconditionFailed` when ``scratch`` has no room.
    """
    there = _in_work_tree(committed, name, manifest)
    if there is not None:
        return there
    with stage("reading the dump out of git", manifest.bytes if manifest else None):
        return _extracted(committed, name, scratch)


def brought(committed: DumpFolder, name: str) -> bool:
    """Have the file ``name`` here, also in a partial clone; False if there is none."""
    sha = committed.sha(name)
    if sha is not None:
        bring(committed.repo, sha)
    return sha is not None


def committed_sha256(committed: DumpFolder, name: str) -> str | None:
    """SHA-256 of the dump ``name``, parts joined; None where that is not a file, or where its parts
    do not belong together."""
    repo = committed.repo
    if parts_folder(name) not in committed.entries:
        return sha256_at(repo, committed.commit or "", committed.path(name))
    digest = hashlib.sha256()
    try:
        with why_missing(repo):
            for chunk in dump_bytes(repo.objects, committed.stored(name)):
                digest.update(chunk)
    except DumpDamaged:
        return None
    return digest.hexdigest()


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
    sizes = {name: reader.size_of(one.sha) for name, one in entries.items() if _is_file(one)}
    require_parts(script, sizes, others=entries.keys() - sizes.keys())
    if script.dump != dump.name:
        raise DumpDamaged(f"its script includes the parts of `{script.dump}`")

    def read(part: Part) -> Iterator[bytes]:
        return reader.stream(entries[part.name].sha)

    return JoinedDump(script, read)


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


def _script(reader: ObjectReader, blob: str) -> Script | None:
    if reader.size_of(blob) > SMALL_BYTES:
        return None
    data = reader.read(blob).data
    return Script.parse(data.decode("ascii", "replace")) if data.startswith(FIRST_LINES) else None


def _in_work_tree(committed: DumpFolder, name: str, manifest: Manifest | None) -> Path | None:
    """The dump's file in the work tree, to save a copy; what is in it is verified by its hash."""
    path = committed.repo.path / committed.path(name)
    if committed.repo.bare or manifest is None or path.is_symlink() or not path.is_file():
        return None
    try:
        return path if stored_bytes(path) == manifest.bytes else None
    except DumpDamaged:  # of the parts, which the commit has whole
        return None


def _extracted(committed: DumpFolder, name: str, scratch: Path) -> Path:
    """The dump's file out of git, and its parts where it has any."""
    path = _extract(committed, name, committed.entries.get(name), scratch)
    script = read_script(path)
    if script is not None:
        (scratch / script.folder).mkdir()
        parts = _parts(committed, script)
        bring(committed.repo, *(part.sha for part in parts.values()))
        for part, entry in parts.items():
            _extract(committed, f"{script.folder}/{part}", entry, scratch)
    return path


def _parts(committed: DumpFolder, script: Script) -> Mapping[str, TreeEntry]:
    """What stands in the folder of the parts, by name. Raises :class:`DumpDamaged` unless these are
    the parts of ``script``; their sizes are looked at when they are read."""
    prefix = committed.path(f"{script.folder}/")
    found = {
        os.fsdecode(path).removeprefix(prefix): entry
        for path, entry in read_entries(committed.repo, committed.commit or "", prefix).items()
    }
    files = {name for name, entry in found.items() if _is_file(entry)}
    sizes = {part.name: part.bytes for part in script.parts if part.name in files}
    require_parts(script, sizes, others=found.keys() - sizes.keys())
    return found


def _is_file(entry: TreeEntry) -> bool:
    return stat.S_ISREG(int(entry.mode, 8))


def _extract(committed: DumpFolder, name: str, entry: TreeEntry | None, scratch: Path) -> Path:
    if entry is None or entry.kind != "blob":
        raise DumpMissing(
            f"`{name}` is not a file in commit {(committed.commit or '')[:10]}",
            hint="`ppr-assets list` names the dumps that are; take another one.",
        )
    bring(committed.repo, entry.sha)
    path = scratch / name
    try:
        with path.open("wb") as file:
            for piece in counted(committed.repo.objects.stream(entry.sha)):
                file.write(piece)
    except OSError as error:
        raise PreconditionFailed(
            f"could not write the dump to `{scratch}`: {error.strerror or error}",
            hint="is the disk full? Nothing was changed.",
        ) from error
    return path
