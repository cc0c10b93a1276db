"""The dumps of one place, of whatever kind it is."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from ppr_assets.copies.contents import contents, open_place
from ppr_assets.data_repo.history.dump_folder import dump_folder
from ppr_assets.errors import DumpDamaged, DumpMissing
from ppr_assets.files import temporary
from ppr_assets.operations.published.listing import ListedDump, listed_at
from ppr_assets.operations.published.view import View
from ppr_assets.operations.published.work_tree import OtherFiles, other_files
from ppr_assets.operations.sources.copy import in_copies, missing, place_of_copies
from ppr_assets.operations.sources.folder import (
    described_in,
    dumps_in,
    in_folder,
    is_plain_folder,
    latest_in,
)
from ppr_assets.operations.sources.repository import opened, published
from ppr_assets.operations.sources.scratch import scratch_folder
from ppr_assets.operations.sources.wanted import FoundDump, Wanted
from ppr_assets.rules.recorded.manifest import Manifest
from ppr_assets.settings import CopyUrl, DataRepoSettings


class Shelf(Struct, frozen=True):
    """The dumps of one place, ``names`` oldest first; ``take`` has the bytes of one here. ``view``
    is what was looked at in the data repository, None where a commit or another place was named.
    ``beside`` tells what of a dump lies otherwise in the clone's work tree; ``listed`` what is told
    of each of them, newest first."""

    names: Sequence[str]
    take: Callable[[Wanted], FoundDump]
    listed: Callable[[], list[ListedDump]]
    view: View | None = None
    beside: Callable[[str], OtherFiles | None] = lambda _: None


@contextmanager
def found_dump(settings: DataRepoSettings, wanted: Wanted) -> Iterator[FoundDump]:
    """Find the dump; it is there until the context ends.

    Raises :class:`DumpMissing` saying which dumps there are, :class:`DataRepoError` and its kin,
    and :class:`DumpDamaged` for a manifest that cannot be read.
    """
    with opened_shelf(settings, wanted) as shelf:
        yield shelf.take(wanted)


@contextmanager
def opened_shelf(settings: DataRepoSettings, wanted: Wanted) -> Iterator[Shelf]:
    """All dumps of the place that is meant; what was taken is there until the context ends.

    Raises what :func:`found_dump` raises, the latter two when one is taken.
    """
    if (file := _file_meant(settings, wanted)) is not None:
        with scratch_folder(temporary()) as scratch:
            yield _files(file.parent.resolve(), scratch)
    elif wanted.source is not None and (url := place_of_copies(settings, wanted.source)):
        with scratch_folder(temporary()) as scratch:
            yield _copies(url, scratch)
    elif wanted.source is not None and Path(wanted.source).is_file():
        with scratch_folder(temporary()) as scratch:
            yield _only(Path(wanted.source), wanted, scratch)
    elif wanted.source is not None and is_plain_folder(Path(wanted.source)):
        with scratch_folder(temporary()) as scratch:
            yield _files(Path(wanted.source).resolve(), scratch)
    else:
        with opened(settings, wanted) as (repo, commit, scratch, view):
            yield Shelf(
                dump_folder(repo, commit).dumps,
                lambda one: replace(published(repo, commit, one, scratch), view=view),
                lambda: listed_at(repo, commit),
                view,
                lambda name: other_files(repo, name) if view else None,
            )


def _file_meant(settings: DataRepoSettings, wanted: Wanted) -> Path | None:
    """The file whose path was given; without a slash as well, but for the clone's own folder, where
    a name is that of the published dump."""
    if wanted.dump is None:
        return None
    file = Path(wanted.dump)
    if os.sep in wanted.dump:
        return file
    here = wanted.source is None and wanted.at is None and file.is_file()
    return file if here and not Path.cwd().is_relative_to(settings.path.resolve()) else None


def _only(file: Path, wanted: Wanted, scratch: Path) -> Shelf:
    """The dump that is this very file, whatever it is called."""
    if (wanted.dump, wanted.before, wanted.at) != (None, None, None):
        raise DumpMissing(
            f"`{file}` is a file, so there is nothing to choose from",
            hint="give --from FILE alone; DUMP, --before and --at choose from a folder or a data "
            "repository.",
        )
    shelf, name = _files(file.parent.resolve(), scratch), file.name
    return Shelf([name], lambda one: shelf.take(replace(one, dump=name)), shelf.listed)


def _files(folder: Path, scratch: Path) -> Shelf:
    names = dumps_in(folder)
    return Shelf(
        names,
        lambda one: in_folder(folder, names, one, scratch),
        lambda: _told(names, latest_in(folder, names), lambda name: described_in(folder, name)),
    )


def _copies(url: CopyUrl, scratch: Path) -> Shelf:
    """Those of which only the manifest is left as well, so that somebody hears of it."""
    there = contents(open_place(url))

    def described(name: str) -> Manifest:
        if name not in there.dumps:
            raise missing(name, url.shown)
        return there.manifest(name)

    latest = max(there.dumps, default=None)
    return Shelf(
        there.described,
        lambda one: in_copies(there, one, scratch),
        lambda: _told(there.described, latest, described),
    )


def _told(
    names: Sequence[str], latest: str | None, manifest: Callable[[str], Manifest | None]
) -> list[ListedDump]:
    """Where nothing says which is the latest, the last one is taken for that."""
    return [_listed(name, name == (latest or names[-1]), manifest) for name in reversed(names)]


def _listed(name: str, latest: bool, manifest: Callable[[str], Manifest | None]) -> ListedDump:
    try:
        return ListedDump(name, latest, manifest(name))
    except DumpDamaged as error:
        return ListedDump(name, latest, None, error=error)
