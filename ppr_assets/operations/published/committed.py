"""The files of a dump as a commit has them: those of the work tree, or a copy out of git."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.git.tree import entry_at, read_entries, read_file, sha256_at
from ppr_assets.data_repo.git.tree_objects import Entry
from ppr_assets.data_repo.remote.missing_objects import bring
from ppr_assets.errors import DumpDamaged, DumpMissing, PreconditionFailed
from ppr_assets.plain_sql.dump_file import stored_bytes
from ppr_assets.plain_sql.parts.joined import JoinedDump, read_script, require_parts
from ppr_assets.plain_sql.parts.script import Part, Script
from ppr_assets.rules.manifest import Manifest
from ppr_assets.rules.naming import parts_folder


def dump_at(
    repo: DataRepo, commit: str, name: str, manifest: Manifest | None, folder: Path
) -> Path:
    """Where the dump ``name`` of ``commit`` is now: in the work tree, or else in ``folder``.

    Raises :class:`DumpMissing`, and :class:`PreconditionFailed` when ``folder`` has no room.
    """
    return _in_work_tree(repo, name, manifest) or _extracted(repo, commit, name, folder)


def brought(repo: DataRepo, commit: str, path: str) -> bool:
    """Have the file at ``path`` here, also in a partial clone; False if there is none."""
    entry = entry_at(repo, commit, path)
    if entry is not None:
        bring(repo, entry.sha)
    return entry is not None


def committed_sha256(repo: DataRepo, commit: str, name: str) -> str | None:
    """SHA-256 of the dump ``name`` in ``commit``, parts joined; None where that is not a file, or
    where its parts do not belong together."""
    if entry_at(repo, commit, f"{repo.dump_dir}/{parts_folder(name)}") is None:
        return sha256_at(repo, commit, f"{repo.dump_dir}/{name}")
    file = read_file(repo, commit, f"{repo.dump_dir}/{name}")
    digest = hashlib.sha256()
    try:
        script = Script.parse(file.data.decode("ascii", "replace") if file else "")
        if script.dump != name:
            return None
        parts = _parts(repo, commit, script)

        def read(part: Part) -> Iterator[bytes]:
            return repo.objects.stream(parts[part.name].sha)

        for chunk in JoinedDump(script, read).chunks():
            digest.update(chunk)
    except DumpDamaged:
        return None
    return digest.hexdigest()


def _in_work_tree(repo: DataRepo, name: str, manifest: Manifest | None) -> Path | None:
    """The dump's file in the work tree, to save a copy; what is in it is verified by its hash."""
    path = repo.path / repo.dump_dir / name
    if repo.bare or manifest is None or path.is_symlink() or not path.is_file():
        return None
    try:
        return path if stored_bytes(path) == manifest.bytes else None
    except DumpDamaged:  # of the parts, which the commit has whole
        return None


def _extracted(repo: DataRepo, commit: str, name: str, folder: Path) -> Path:
    """The dump's file out of git, and its parts where it has any."""
    path = _extract(repo, commit, name, folder)
    script = read_script(path)
    if script is not None:
        (folder / script.folder).mkdir()
        parts = _parts(repo, commit, script)
        bring(repo, *(part.sha for part in parts.values()))
        for part in parts:
            _extract(repo, commit, f"{script.folder}/{part}", folder)
    return path


def _parts(repo: DataRepo, commit: str, script: Script) -> Mapping[str, Entry]:
    """What stands in the folder of the parts, by name. Raises :class:`DumpDamaged` unless these are
    the parts of ``script``; their sizes are looked at when they are read."""
    prefix = f"{repo.dump_dir}/{script.folder}/"
    found = {
        os.fsdecode(path).removeprefix(prefix): entry
        for path, entry in read_entries(repo, commit, prefix).items()
    }
    files = {name for name, entry in found.items() if stat.S_ISREG(int(entry.mode, 8))}
    sizes = {part.name: part.bytes for part in script.parts if part.name in files}
    require_parts(script, sizes, others=found.keys() - sizes.keys())
    return found


def _extract(repo: DataRepo, commit: str, name: str, folder: Path) -> Path:
    entry = entry_at(repo, commit, f"{repo.dump_dir}/{name}")
    if (
        entry is None
        or entry.kind != "blob"
        or not brought(repo, commit, f"{repo.dump_dir}/{name}")
    ):
        raise DumpMissing(f"`{name}` is not a file in commit {commit[:10]}")
    path = folder / name
    try:
        with path.open("wb") as file:
            for piece in repo.objects.stream(entry.sha):
                file.write(piece)
    except OSError as error:
        raise PreconditionFailed(
            f"could not write the dump to `{folder}`: {error.strerror or error}",
            hint="is the disk full? Nothing was changed.",
        ) from error
    return path
