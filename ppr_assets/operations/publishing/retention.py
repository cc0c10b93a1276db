"""The keep rules on the data repository: which dumps at a commit stay, and which files go.

The folder belongs to others too. Only regular files with a dump's name are dumps here, and with
them goes nothing but their parts, and the manifest that describes them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from msgspec import Struct, field

from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.history.dump_folder import DumpFolder, dump_folder
from ppr_assets.data_repo.history.manifests import Described
from ppr_assets.errors import DataRepoError
from ppr_assets.rules.naming import (
    LATEST_PACKED,
    dump_moment,
    manifest_name,
    parts_folder,
)
from ppr_assets.rules.policy import FLOOR_TABLE
from ppr_assets.rules.recorded.manifest import Manifest
from ppr_assets.rules.retention import Fate, KeepRules, ShelvedDump, fates
from ppr_assets.settings import DumpSettings, KeepSettings


class Retention(Struct, frozen=True):
    """What the keep rules say about the dumps of a commit.

    ``fates`` newest first; ``paths`` are the files that go, from the repository's root; ``bytes``
    is what the retiring dumps take in a work tree, as far as their manifests tell.
    ``stale_link``: upstream's latest.sql.gz goes too, see :func:`_stale_link`. ``described``: what
    is told about those that stay, of which ``latest`` is the latest.
    """

    fates: Sequence[Fate]
    paths: Sequence[str]
    bytes: int
    stale_link: bool = False
    described: Mapping[str, Described] = field(default_factory=dict)
    latest: str | None = None

    @property
    def retired(self) -> list[str]:
        """The names of the dumps that go, newest first."""
        return [fate.dump.name for fate in self.fates if fate.retires]

    @property
    def kept(self) -> list[str]:
        """The names of the dumps that stay, newest first."""
        return [fate.dump.name for fate in self.fates if not fate.retires]


def keep_rules(keep: KeepSettings) -> KeepRules:
    return KeepRules(keep.last, keep.daily, keep.weekly, keep.monthly, keep.yearly)


def retention_at(
    repo: DataRepo, commit: str | None, settings: DumpSettings, *, new: Manifest | None = None
) -> Retention:
    """Judge the dumps at ``commit``, with the dump of ``new`` as the latest where it is given.

    A manifest that cannot be read or fetched keeps its dump, and is named. Raises
    :class:`DataRepoError` where latest.sql leads nowhere: nobody knows what must stay then.
    """
    folder = dump_folder(repo, commit)
    latest = new.dump if new else folder.latest
    told = dict(folder.described())
    if new is not None:
        told[new.dump] = new
    shelf = [shelved(name, manifest, latest, settings) for name, manifest in told.items()]
    judged = fates(shelf, keep_rules(settings.keep))
    retired = {fate.dump.name: told[fate.dump.name] for fate in judged if fate.retires}
    manifests = {name: told for name, told in retired.items() if isinstance(told, Manifest)}
    parts = [name for name in map(parts_folder, retired) if name in folder.entries]
    stale = _stale_link(folder, latest, retired)
    gone = [*retired, *parts, *map(manifest_name, manifests), *([LATEST_PACKED] if stale else [])]
    return Retention(
        fates=judged,
        paths=[folder.path(name) for name in gone],
        bytes=sum(manifest.bytes for manifest in manifests.values()),
        stale_link=stale,
        described={name: one for name, one in told.items() if name not in retired},
        latest=latest,
    )


def _stale_link(folder: DumpFolder, latest: str | None, retired: Collection[str]) -> bool:
    """Whether latest.sql.gz is there and leads to another dump than the latest, or to one that
    retires. Upstream's init prefers it to latest.sql, and would load old data."""
    if LATEST_PACKED not in folder.entries:
        return False
    try:
        target = folder.linked(LATEST_PACKED)
    except DataRepoError:  # a file of its own, or it leads nowhere
        target = None
    return target != latest or target in retired


def shelved(
    name: str, manifest: Described, latest: str | None, settings: DumpSettings
) -> ShelvedDump:
    """The dump as the keep rules see it."""
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
        above_floor=manifest.counts.get(FLOOR_TABLE, 0) >= settings.min_records,
        overridden=manifest.override is not None,
        previous=manifest.previous,
    )
