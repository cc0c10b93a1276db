"""The keep rules on the data repository: which dumps at a commit stay, and which files go.

The folder belongs to others too. Only regular files with a dump's name are dumps here, and with
them goes nothing but their parts, and the manifest that describes them.
"""

from __future__ import annotations

import stat
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.git.tree import latest_name, linked_dump, read_entries
from ppr_assets.data_repo.git.tree_objects import Entry
from ppr_assets.data_repo.remote.missing_objects import read_small_files
from ppr_assets.errors import DataRepoError, DumpDamaged
from ppr_assets.rules.manifest import Manifest
from ppr_assets.rules.naming import (
    LATEST_PACKED,
    dump_moment,
    is_dump_name,
    manifest_name,
    parts_folder,
)
from ppr_assets.rules.policy import FLOOR_TABLE
from ppr_assets.rules.retention import Fate, KeepRules, ShelvedDump, fates
from ppr_assets.settings import DumpSettings

_Told = Manifest | DumpDamaged | None
"""A dump's manifest, what is wrong with it, or None for a dump that has none."""


@dataclass(frozen=True)
class Retention:
    """What the keep rules say about the dumps of a commit.

    ``fates`` newest first; ``paths`` are the files that go, from the repository's root; ``bytes``
    is what the retiring dumps take in a work tree, as far as their manifests tell.
    ``stale_link``: upstream's latest.sql.gz goes too, see :func:`_stale_link`.
    """

    fates: Sequence[Fate]
    paths: Sequence[str]
    bytes: int
    stale_link: bool = False

    @property
    def retired(self) -> list[str]:
        """The names of the dumps that go, newest first."""
        return [fate.dump.name for fate in self.fates if fate.retires]

    @property
    def kept(self) -> list[str]:
        """The names of the dumps that stay, newest first."""
        return [fate.dump.name for fate in self.fates if not fate.retires]


def keep_rules(settings: DumpSettings) -> KeepRules:
    keep = settings.keep
    return KeepRules(keep.last, keep.daily, keep.weekly, keep.monthly, keep.yearly)


def retention_at(
    repo: DataRepo, commit: str | None, settings: DumpSettings, *, new: Manifest | None = None
) -> Retention:
    """Judge the dumps at ``commit``, with the dump of ``new`` as the latest where it is given.

    A manifest that cannot be read or fetched keeps its dump, and is named. Raises
    :class:`DataRepoError` where latest.sql leads nowhere: nobody knows what must stay then.
    """
    latest = new.dump if new else latest_name(repo, commit) if commit else None
    prefix = f"{repo.dump_dir}/"
    found = {
        path.decode("utf-8", "replace").removeprefix(prefix): entry
        for path, entry in (read_entries(repo, commit, prefix) if commit else {}).items()
    }
    files = {name: entry for name, entry in found.items() if stat.S_ISREG(int(entry.mode, 8))}
    told: dict[str, _Told] = dict(_described(repo, files))
    if new is not None:
        told[new.dump] = new
    shelf = [_shelved(name, manifest, latest, settings) for name, manifest in told.items()]
    judged = fates(shelf, keep_rules(settings))
    retired = {fate.dump.name: told[fate.dump.name] for fate in judged if fate.retires}
    manifests = {name: told for name, told in retired.items() if isinstance(told, Manifest)}
    parts = [folder for folder in map(parts_folder, retired) if folder in found]
    stale = commit is not None and _stale_link(repo, commit, found, latest, retired)
    gone = [*retired, *parts, *map(manifest_name, manifests), *([LATEST_PACKED] if stale else [])]
    return Retention(
        fates=judged,
        paths=[prefix + name for name in gone],
        bytes=sum(manifest.bytes for manifest in manifests.values()),
        stale_link=stale,
    )


def _stale_link(
    repo: DataRepo,
    commit: str,
    found: Collection[str],
    latest: str | None,
    retired: Collection[str],
) -> bool:
    """Whether latest.sql.gz is there and leads to another dump than the latest, or to one that
    retires. Upstream's init prefers it to latest.sql, and would load old data."""
    if LATEST_PACKED not in found:
        return False
    try:
        target = linked_dump(repo, commit, LATEST_PACKED)
    except DataRepoError:  # a file of its own, or it leads nowhere
        target = None
    return target != latest or target in retired


def _described(repo: DataRepo, files: Mapping[str, Entry]) -> Iterator[tuple[str, _Told]]:
    """The dumps among ``files``, each with what is known about it."""
    dumps = [name for name in files if is_dump_name(name)]
    named = {name: files[name] for name in map(manifest_name, dumps) if name in files}
    manifests = _manifests(repo, named)
    for dump in dumps:
        manifest = manifests.get(manifest_name(dump))
        if isinstance(manifest, Manifest) and manifest.dump != dump:
            if manifest_name(manifest.dump) == manifest_name(dump):
                manifest = None  # a copy in gzip lies beside a dump, and has none of its own
            else:
                manifest = DumpDamaged(f"the manifest is that of {manifest.dump}")
        yield dump, manifest


def _manifests(repo: DataRepo, files: Mapping[str, Entry]) -> Mapping[str, _Told]:
    try:
        contents = read_small_files(repo, {entry.sha for entry in files.values()})
    except DataRepoError as error:
        return dict.fromkeys(files, DumpDamaged(f"the manifest cannot be read: {error.message}"))
    return {name: _manifest(contents.get(entry.sha)) for name, entry in files.items()}


def _manifest(content: bytes | None) -> _Told:
    if content is None:
        return DumpDamaged("the manifest is lost, or far too large for one")
    try:
        return Manifest.from_json(content.decode("utf-8", "replace"))
    except DumpDamaged as error:
        return error


def _shelved(name: str, manifest: _Told, latest: str | None, settings: DumpSettings) -> ShelvedDump:
    moment = dump_moment(name)
    assert moment is not None  # only dumps are asked for
    if not isinstance(manifest, Manifest):
        damage = manifest.message if manifest else ""
        return ShelvedDump(name, moment, latest=name == latest, damage=damage)
    return ShelvedDump(
        name,
        moment,
        latest=name == latest,
        proven=manifest.proof is not None and manifest.proof.proven,
        above_floor=manifest.rows.get(FLOOR_TABLE, 0) >= settings.min_records,
        overridden=manifest.override is not None,
        previous=manifest.previous,
    )
