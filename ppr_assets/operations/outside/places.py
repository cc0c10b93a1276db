"""Each place of copies: is there one of the dump that others get, and is it whole?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from ppr_assets.copies.contents import Contents, contents, open_place
from ppr_assets.errors import CopyFailed, DumpDamaged, PprError
from ppr_assets.operations.outside.branch import PublicDump
from ppr_assets.operations.outside.findings import Finding
from ppr_assets.operations.outside.memory import Memory
from ppr_assets.rules.naming import copy_name
from ppr_assets.rules.recorded.manifest import Manifest
from ppr_assets.settings import CopyUrl, Settings


class PlaceSeen(Struct, frozen=True):
    """``newest``: the copy that a restore from there brings; None where none was found."""

    finding: Finding
    newest: str | None = None

    @property
    def place(self) -> str:
        return self.finding.subject


def look_at_places(
    settings: Settings, dump: PublicDump | None, memory: Memory, at: datetime
) -> Sequence[PlaceSeen]:
    """``dump`` is what others get from the branch, None where that could not be learned."""
    hours = settings.alerts.undelivered_hours
    due = dump if dump and at - dump.moment >= timedelta(hours=hours) else None
    return [_look_at(url, dump, due, memory) for url in settings.data_repo.copies.urls]


def _look_at(
    url: CopyUrl, dump: PublicDump | None, due: PublicDump | None, memory: Memory
) -> PlaceSeen:
    newest: str | None = None
    error: PprError | None = None
    try:
        there = contents(open_place(url))
        newest = max(there.dumps, default=None)
        if newest is not None:
            _require_whole(there, there.manifest(newest), dump, memory)
        if due is not None and (newest is None or newest < due.name):
            error = _lacks(url.shown, newest, due)
    except (CopyFailed, DumpDamaged) as failure:
        error = failure
    return PlaceSeen(Finding(url.shown, error), newest)


def _require_whole(
    there: Contents, manifest: Manifest, dump: PublicDump | None, memory: Memory
) -> None:
    """Raise :class:`DumpDamaged` unless the copy is what its manifest and the branch say."""
    name, where = manifest.dump, there.place.shown
    if dump and dump.name == name and dump.manifest and dump.manifest.sha256 != manifest.sha256:
        raise DumpDamaged(f"the copy of {name} at `{where}` is not the one that others get")
    found = there.objects[copy_name(name)]
    what = f"{name} {manifest.sha256} {found.bytes} {found.tag}"
    if not memory.knows(where, what):
        there.require_equal(manifest)
        memory.whole[where] = what


def _lacks(place: str, newest: str | None, due: PublicDump) -> CopyFailed:
    has = f"its newest copy is {newest}" if newest else "it has no copy"
    return CopyFailed(
        f"`{place}` lacks {due.name} of {due.moment:%Y-%m-%d %H:%M} UTC, which others get: {has}",
        hint="the next `ppr-assets dump` copies what is missing, or says what is in the way.",
    )
