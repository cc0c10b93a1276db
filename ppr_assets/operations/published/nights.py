"""What the dumps of the nights before were like, as their manifests tell it.

What refuses a dump is held to those that stand in the folder, which an audit finds there again.
What is usual is learned from the last sixty, also from those that the keep rules have retired.
"""

from __future__ import annotations

from collections.abc import Iterable

from ppr_assets.data_repo.history.dump_folder import DumpFolder
from ppr_assets.data_repo.history.dump_history import newest_manifests
from ppr_assets.data_repo.history.manifests import Described, read_manifests
from ppr_assets.rules.naming import manifest_name
from ppr_assets.rules.profile.bounds import NIGHTS
from ppr_assets.rules.profile.columns import TableProfile
from ppr_assets.rules.profile.guard import let_pass
from ppr_assets.rules.profile.movements import EarlierNight
from ppr_assets.rules.recorded.manifest import Manifest


def nights_in(folder: DumpFolder) -> list[EarlierNight]:
    """Of the dumps that stand there, oldest first; of those from before there were profiles, the
    rows. What cannot be read is passed over."""
    return _nights(folder.described().values())


def nights_before(folder: DumpFolder) -> list[EarlierNight]:
    """The same with those that stood there, as far as the clone knows of them and has them, or the
    remote gives them."""
    described = folder.described()
    if folder.commit is None or len(described) >= NIGHTS:
        return nights_in(folder)
    standing = {manifest_name(dump) for dump in described}
    newest = newest_manifests(folder.repo, folder.commit, NIGHTS)
    retired = {name: blob for name, blob in newest.items() if name not in standing}
    return _nights([*read_manifests(folder.repo, retired).values(), *described.values()])


def _nights(described: Iterable[Described]) -> list[EarlierNight]:
    told = {one.dump: one for one in described if isinstance(one, Manifest)}
    return [_night(told[dump]) for dump in sorted(told)[-NIGHTS:]]


def _night(manifest: Manifest) -> EarlierNight:
    profile = manifest.profile or {key: TableProfile(rows) for key, rows in manifest.rows.items()}
    accepted = let_pass(manifest.verdict)
    return EarlierNight(profile, manifest.dump, accepted, manifest.schema, manifest.reworded)
