"""What a place of copies holds: dumps, their manifests, and the records of commits.

A copy counts once its manifest is there, which is written last and removed last.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

from msgspec import Struct

from ppr_assets.copies.packed import unpacked
from ppr_assets.copies.place import Place, PlacedObject
from ppr_assets.errors import DumpDamaged
from ppr_assets.progress import counted, stage
from ppr_assets.rules.naming import (
    copied_dump,
    copy_name,
    dump_moment,
    is_commit_record,
    manifest_name,
)
from ppr_assets.rules.recorded.commit import CommitRecord
from ppr_assets.rules.recorded.manifest import Manifest
from ppr_assets.settings import CopyUrl

_REPLACED = "remove that object there; the next run copies the dump again, where git still has it."


class Contents(Struct, frozen=True):
    """``objects`` by name, as they were listed once."""

    place: Place
    objects: Mapping[str, PlacedObject]

    @property
    def dumps(self) -> list[str]:
        """Those that are whole as far as names tell, oldest first."""
        return [dump for dump in self.described if copy_name(dump) in self.objects]

    @property
    def described(self) -> list[str]:
        """Those whose manifest is there, oldest first."""
        stems = (name.removesuffix(".json") for name in self.objects if name.endswith(".json"))
        return sorted(dump for stem in stems if dump_moment(dump := f"{stem}.sql") is not None)

    @property
    def unfinished(self) -> list[str]:
        """Those without a manifest."""
        found = map(copied_dump, self.objects)
        return sorted(d for d in found if d and manifest_name(d) not in self.objects)

    @property
    def records(self) -> list[str]:
        """The names of the records of commits, oldest first."""
        return sorted(filter(is_commit_record, self.objects))

    def data(self, name: str) -> bytes:
        return b"".join(self.place.read(name))

    def manifest(self, dump: str) -> Manifest:
        """Raises :class:`DumpDamaged` for one that cannot be read, or is another dump's."""
        text = self.data(manifest_name(dump)).decode("utf-8", "replace")
        where = f"`{manifest_name(dump)}` at `{self.place.shown}`"
        try:
            manifest = Manifest.from_json(text)
        except DumpDamaged as error:
            raise DumpDamaged(f"{where}: {error.message}", hint=_REPLACED) from error
        if manifest.dump != dump:
            raise DumpDamaged(f"{where} is that of {manifest.dump}", hint=_REPLACED)
        return manifest

    def record(self, name: str) -> CommitRecord:
        return CommitRecord.from_json(self.data(name).decode("utf-8", "replace"))

    def chunks(self, dump: str) -> Iterator[bytes]:
        """The dump's plain SQL. Raises :class:`DumpDamaged` for what is cut off or altered."""
        name = copy_name(dump)
        try:
            yield from unpacked(self.place.read(name), name)
        except DumpDamaged as error:
            raise DumpDamaged(
                f"{error.message}, at `{self.place.shown}`", hint=_REPLACED
            ) from error

    def require_equal(self, manifest: Manifest) -> None:
        """Read the copy of the dump back. Raises :class:`DumpDamaged` unless its bytes have the
        manifest's SHA-256."""
        digest = hashlib.sha256()
        with stage("reading the copy back", manifest.bytes):
            for chunk in counted(self.chunks(manifest.dump)):
                digest.update(chunk)
        self.require_same(manifest, digest.hexdigest())

    def require_same(self, manifest: Manifest, found: str) -> None:
        """Raises :class:`DumpDamaged` unless ``found`` is the manifest's SHA-256."""
        if found != manifest.sha256:
            raise DumpDamaged(
                f"`{copy_name(manifest.dump)}` at `{self.place.shown}` has SHA-256 {found[:12]}…, "
                f"the manifest says {manifest.sha256[:12]}…",
                hint=_REPLACED,
            )


def contents(place: Place) -> Contents:
    """Raises :class:`CopyFailed`."""
    return Contents(place, place.objects())


def open_place(url: CopyUrl) -> Place:
    """Loads the client of that kind of place, and asks nobody yet. Raises :class:`CopyFailed`."""
    if url.kind == "rclone":
        from ppr_assets.copies.rclone import RclonePlace

        return RclonePlace(url)
    from ppr_assets.copies.bucket import BucketPlace, FolderPlace

    return FolderPlace(url) if url.kind == "folder" else BucketPlace(url)
