"""What the dumps of the nights before were like, as the manifests beside them tell it.

Those that stand in the folder are read, all in one go. Retired ones are not: each would have to be
looked for in the history, and what is kept reaches back further than they do.
"""

from __future__ import annotations

from ppr_assets.data_repo.history.dump_folder import DumpFolder
from ppr_assets.rules.manifest import Manifest
from ppr_assets.rules.profile.bounds import NIGHTS
from ppr_assets.rules.profile.columns import TableProfile
from ppr_assets.rules.profile.guard import let_pass
from ppr_assets.rules.profile.movements import Night


def nights_in(folder: DumpFolder) -> list[Night]:
    """Oldest first; of those from before there were profiles, the rows. What cannot be read is
    passed over."""
    told = [one for _, one in sorted(folder.described().items()) if isinstance(one, Manifest)]
    return [_night(manifest) for manifest in told[-NIGHTS:]]


def _night(manifest: Manifest) -> Night:
    profile = manifest.profile or {key: TableProfile(rows) for key, rows in manifest.rows.items()}
    return Night(profile, manifest.dump, let_pass(manifest.verdict))
