"""The manifests of dumps, read from their objects: many at once, and what is wrong with one."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.remote.missing_objects import read_small_files, small_files_here
from ppr_assets.errors import DataRepoError, DumpDamaged
from ppr_assets.rules.naming import manifest_name
from ppr_assets.rules.recorded.manifest import Manifest

_KEPT = 128

Described = Manifest | DumpDamaged | None
"""A dump's manifest, what is wrong with it, or None for a dump that has none."""


def read_manifests(repo: DataRepo, blobs: Mapping[str, str]) -> Mapping[str, Described]:
    """What ``blobs``, by whatever names, say as manifests. Those that a partial clone lacks are
    fetched in one request, and without a remote only those that are here can be read."""
    wanted, why = {*blobs.values()}, "the manifest is lost, or far too large for one"
    try:
        contents = read_small_files(repo, wanted)
    except DataRepoError as error:
        contents, why = (
            small_files_here(repo, wanted),
            f"the manifest cannot be read: {error.message}",
        )
    return {
        name: _parsed(contents[sha]) if sha in contents else DumpDamaged(why)
        for name, sha in blobs.items()
    }


def manifests_here(repo: DataRepo, blobs: Mapping[str, str]) -> Mapping[str, Described]:
    """The same of those alone that need not be fetched."""
    contents = small_files_here(repo, {*blobs.values()})
    return {name: _parsed(contents[sha]) for name, sha in blobs.items() if sha in contents}


def _parsed(content: bytes) -> Manifest | DumpDamaged:
    try:
        return _manifest(content)
    except DumpDamaged as error:
        return error


@lru_cache(maxsize=_KEPT)
def _manifest(content: bytes) -> Manifest:
    """A night asks for the same sixty several times."""
    return Manifest.from_json(content.decode("utf-8", "replace"))


def of_dump(dump: str, manifest: Described) -> Described:
    """Where the manifest is that of another dump, it does not describe this one."""
    if not isinstance(manifest, Manifest) or manifest.dump == dump:
        return manifest
    if manifest_name(manifest.dump) == manifest_name(dump):
        return None  # a copy in gzip lies beside a dump, and has none of its own
    return DumpDamaged(f"the manifest is that of {manifest.dump}")
