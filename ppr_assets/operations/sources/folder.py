"""Dumps in a folder of files, which nothing vouches for but their manifests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from ppr_assets.errors import DumpDamaged, DumpMissing
from ppr_assets.operations.sources.wanted import FoundDump, Wanted, choose, latest_link
from ppr_assets.rules.naming import is_dump_name, manifest_name
from ppr_assets.rules.recorded.manifest import Manifest


def is_plain_folder(path: Path) -> bool:
    """A folder of files, as opposed to a clone or a bare repository."""
    return path.is_dir() and not (path / ".git").exists() and not (path / "HEAD").exists()


def dumps_in(folder: Path) -> list[str]:
    """Their names, oldest first. Raises :class:`DumpMissing`, and :class:`DumpDamaged` for a folder
    that is itself what pg_dump makes in another format."""
    if not folder.is_dir():
        raise DumpMissing(f"there is no folder `{folder}` to take a dump from")
    if (folder / "toc.dat").is_file():
        raise DumpDamaged(
            f"`{folder}` is in pg_dump's directory format, plain SQL is needed",
            hint=f"`pg_restore -f dump.sql {folder}` turns it into plain SQL; or make it without "
            "`-Fd`.",
        )
    return sorted(entry.name for entry in folder.iterdir() if is_dump_name(entry.name))


def in_folder(folder: Path, names: Sequence[str], wanted: Wanted, scratch: Path) -> FoundDump:
    given = Path(wanted.dump).name if wanted.dump is not None else None
    if given is not None and not names and not (folder / given).exists():
        raise DumpMissing(
            f"there is no file `{folder / given}`",
            hint="look at the path; `ppr-assets list` names the dumps of the data repository.",
        )
    if given is not None and given not in names and (folder / given).exists():
        name = given  # whatever it is called
    else:
        wanted, latest = replace(wanted, dump=given), latest_in(folder, names, given)
        name = choose(names, latest, wanted, f"`{folder}`")
    path = folder / name
    real = path.resolve().name if path.is_symlink() else name
    manifest = described_in(folder, real)
    return FoundDump(real if manifest else name, path, manifest, None, scratch)


def latest_in(folder: Path, names: Sequence[str], given: str | None = None) -> str | None:
    """The dump that the folder's link leads to; None where there is none."""
    link = folder / latest_link(given)
    latest = link.resolve().name if link.exists() else None
    return latest if latest in names else None


def described_in(folder: Path, dump: str) -> Manifest | None:
    """What the manifest beside the dump says; None without one. Raises :class:`DumpDamaged`."""
    described = folder / manifest_name(dump)
    if not described.is_file():
        return None
    return Manifest.from_json(described.read_text(encoding="utf-8", errors="replace"))
