"""Which dump is meant, out of those that there are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from ppr_assets.errors import DumpMissing
from ppr_assets.rules.naming import LATEST, LATEST_PACKED, dump_moment

if TYPE_CHECKING:
    from ppr_assets.operations.published.view import View
    from ppr_assets.rules.recorded.manifest import Manifest


class Wanted(Struct, frozen=True):
    """Which dump. ``dump``: its name, or the path of a file. ``before``: the newest from before
    this moment. ``at``: as published at this commit. ``source``: another data repository, a place
    of copies, or a folder with dumps. With nothing given, the latest. ``offline``: the remote is
    not asked."""

    dump: str | None = None
    before: datetime | None = None
    at: str | None = None
    source: str | None = None
    offline: bool = False

    @property
    def latest(self) -> bool:
        """Whether nobody has chosen another than the newest of the source."""
        return (self.dump, self.before, self.at) == (None, None, None)


class FoundDump(Struct, frozen=True):
    """A dump whose bytes are at ``path``; ``commit`` is where it was found published, and ``view``
    why it was looked for there. ``place``: of a copy, where it came from."""

    name: str
    path: Path
    manifest: Manifest | None
    commit: str | None
    spill_folder: Path
    view: View | None = None
    place: str = ""

    @property
    def remarks(self) -> tuple[str, ...]:
        """Why it may not be the one that is thought."""
        return self.view.remarks if self.view else ()

    @property
    def asked_at(self) -> datetime | None:
        """When the remote was asked last for what is newest; None where a place was named."""
        return self.view.fetched_at if self.view else None

    @property
    def read_from(self) -> str:
        """Which bytes are read: git's, those of a file in the work tree, or of another file."""
        if self.place or self.commit is None:
            return self.origin if self.place else f"file `{self.path}`"
        in_git = self.path.is_relative_to(self.spill_folder)
        return self.origin if in_git else f"the work tree, as {self.origin} has it"

    @property
    def origin(self) -> str:
        if self.place:
            return f"copy at `{self.place}`"
        return f"commit {self.commit[:10]}" if self.commit else f"`{self.path.parent}`"


def choose(names: Sequence[str], latest: str | None, wanted: Wanted, where: str) -> str:
    """The name that is meant, out of ``names``. Raises :class:`DumpMissing`."""
    if not names:
        raise DumpMissing(
            f"there is no dump in {where}",
            hint="`ppr-assets dump` makes one of a database; --from takes one from elsewhere.",
        )
    if wanted.dump is not None:
        given = wanted.dump
        for name in (given, f"{given}.gz", f"{given}.sql", f"{given}.sql.gz"):
            if name in names:
                return name
        if given in (LATEST, LATEST_PACKED) and latest:
            return latest
        raise DumpMissing(
            f"there is no dump `{given}` in {where}, the newest is {max(names)}",
            hint="`ppr-assets list` names them; older ones are in the history: "
            "`ppr-assets list --history` names the commit for --at.",
        )
    if wanted.before is not None:
        limit = wanted.before
        older = [name for name in names if (moment := dump_moment(name)) and moment < limit]
        if not older:
            raise DumpMissing(
                f"there is no dump from before {limit:%Y-%m-%d %H:%M:%S} UTC in {where}, the "
                f"oldest is {min(names)}",
                hint="older ones are in the history: `ppr-assets list --history` names the commit "
                "for --at.",
            )
        return max(older)
    return latest or max(names)


def latest_link(given: str | None) -> str:
    """The symlink that leads to the latest dump: upstream had one for compressed dumps too."""
    return LATEST_PACKED if given == LATEST_PACKED else LATEST
