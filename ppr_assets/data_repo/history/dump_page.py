"""The page beside the dumps: what the dump folder tells of all nights, and the files that show it.

Nothing here may stop a dump: a file that is not ours is left as it is, and a picture that cannot be
read, or that somebody has changed, is not believed; then the history of the branch is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date

from msgspec import Struct

from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.history.dump_folder import DumpFolder
from ppr_assets.data_repo.history.dump_history import dump_history, newest_manifests
from ppr_assets.data_repo.history.manifests import Described, manifests_here
from ppr_assets.data_repo.remote.missing_objects import read_small_files, small_files_here
from ppr_assets.errors import DataRepoError
from ppr_assets.rules.naming import PAGE, PICTURE, manifest_name, parts_folder
from ppr_assets.rules.page.past import Past, PastNight
from ppr_assets.rules.page.picture import carried, is_picture, picture
from ppr_assets.rules.page.readme import BEGIN, END, around_page, has_place, with_page
from ppr_assets.rules.page.words import KeptDump, Page
from ppr_assets.rules.recorded.manifest import Manifest

_ALL = 100_000
"""More manifests than any branch has."""


class Shown(Struct, frozen=True):
    """What stands in the folder once a commit is made: its dumps with what is told about each, the
    latest of them, and which are in parts."""

    described: Mapping[str, Described]
    latest: str | None
    in_parts: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls,
        folder: DumpFolder,
        described: Mapping[str, Described],
        latest: str | None,
        new_in_parts: str = "",
    ) -> Shown:
        parts = (dump for dump in described if parts_folder(dump) in folder.entries)
        return cls(described, latest, frozenset([*parts, new_in_parts]))

    def nights(self) -> list[PastNight]:
        """Of the dumps that are described; not of what is later than the latest, whose clock was
        wrong."""
        told = (one for one in self.described.values() if isinstance(one, Manifest))
        latest = self.latest or ""
        return [PastNight.of_manifest(one) for one in told if one.dump <= latest]

    def page(self, past: Past) -> Page:
        kept = [
            KeptDump(dump, told if isinstance(told, Manifest) else None, dump in self.in_parts)
            for dump, told in sorted(self.described.items(), reverse=True)
        ]
        latest = next((dump for dump in kept if dump.name == self.latest), None)
        return Page(kept, latest, past.with_(self.nights()).thinned())


def past_at(folder: DumpFolder) -> Past:
    """What is known of the nights before: what the picture carries, or else the history tells.
    Nothing where no picture can carry it: the history is not to be read each night."""
    if _is_others(folder, PICTURE):
        return Past()
    told = _text(folder, PICTURE)
    return carried(told or "") or past_in_history(folder.repo, folder.commit)


def past_in_history(repo: DataRepo, commit: str | None) -> Past:
    """As the commits tell it that published dumps, and the manifests that are here. A shallow clone
    knows only as far back as it reaches."""
    if commit is None:
        return Past()
    told = dump_history(repo, commit).values()
    past = Past().with_(
        PastNight.told(dump.name, dump.records, overridden=bool(dump.override))
        for dump in told
        if dump.records
    )
    past = past.thinned()
    kept = {night.moment for night in past.nights}
    blobs = newest_manifests(repo, commit, _ALL)
    names = [manifest_name(dump.name) for dump in told]
    found = manifests_here(repo, {name: blobs[name] for name in names if name in blobs})
    nights = (PastNight.of_manifest(one) for one in found.values() if isinstance(one, Manifest))
    return past.with_(night for night in nights if night.moment in kept)


def page_at(folder: DumpFolder) -> Page:
    """The page as the folder's own commit and all of its history tell it."""
    past = past_in_history(folder.repo, folder.commit)
    known = carried(_text(folder, PICTURE) or "") or Past()
    return _current(folder, known.with_(past.nights))


def _current(folder: DumpFolder, past: Past) -> Page:
    """By its newest dump, where nothing leads to one."""
    described = folder.described()
    latest = folder.leads_to if folder.leads_to in described else folder.newest
    return Shown.of(folder, described, latest).page(past)


def page_files(folder: DumpFolder, shown: Shown, refused: Iterable[date] = ()) -> dict[str, bytes]:
    """What the two files are to hold after a commit on ``folder``, by name; without those that are
    somebody else's."""
    return files_of_page(folder, shown.page(past_at(folder).with_((), refused)))


def files_of_page(folder: DumpFolder, page: Page) -> dict[str, bytes]:
    """The same of a page that is known."""
    found: dict[str, bytes] = {}
    if not _is_others(folder, PICTURE):
        found[PICTURE] = picture(page.past).encode()
    if not _is_others(folder, PAGE):
        content = _text(folder, PAGE)
        made = with_page(None if content is None else content.encode("utf-8", _RAW), page)
        assert made is not None  # it has a place for it
        found[PAGE] = made
    return found


def merged_page(
    merged: DumpFolder, before: DumpFolder, sides: Sequence[DumpFolder], conflicts: Iterable[str]
) -> dict[str, bytes]:
    """Those of the two files that both ``sides`` have changed since ``before``, as ``merged`` has
    to have them; without what people have to merge."""
    around = _around(before, sides)
    names = [
        name
        for name in conflicts
        if not any(_is_others(one, name) for one in sides) and (name != PAGE or around is not None)
    ]
    if not names:
        return {}
    past = Past()
    for side in sides:
        known = past_at(side)
        past = past.with_(known.nights, known.refused)
    entries = {**merged.entries, **({PAGE: around.entries[PAGE]} if around else {})}
    made = files_of_page(replace(merged, entries=entries), _current(merged, past))
    return {name: made[name] for name in names if name in made}


def _around(before: DumpFolder, sides: Sequence[DumpFolder]) -> DumpFolder | None:
    """The side whose words around the page hold; None where both have changed them, or a side has
    no page."""
    start, ours, theirs = (
        None if text is None else around_page(text.encode("utf-8", _RAW))
        for text in (_text(one, PAGE) for one in (before, *sides))
    )
    if ours is None or theirs is None:
        return None
    if ours == theirs or theirs == start:
        return sides[0]
    return sides[1] if ours == start else None


def not_ours(folder: DumpFolder) -> list[str]:
    """What is said of files that are in the page's place, with what to do."""
    remarks = []
    if _is_others(folder, PAGE):
        remarks.append(
            f"`{folder.path(PAGE)}` is not ours and stays as it is: to have the dumps listed in "
            f"it, commit it with the two lines `{BEGIN}` and `{END}`"
        )
    if _is_others(folder, PICTURE):
        remarks.append(
            f"`{folder.path(PICTURE)}` is not ours and stays as it is: to have the picture of the "
            "dumps there, rename it"
        )
    return remarks


_RAW = "surrogateescape"


def _is_others(folder: DumpFolder, name: str) -> bool:
    """Whether something stands in the file's place that we did not write: another kind of file, one
    that cannot be read, or one that differs in case alone, which is the same file on many systems.
    """
    if any(one != name and one.casefold() == name.casefold() for one in folder.entries):
        return True
    if name not in folder.entries:
        return False
    text = _text(folder, name)
    if text is None:
        return True
    return not (is_picture(text) if name == PICTURE else has_place(text.encode("utf-8", _RAW)))


def _text(folder: DumpFolder, name: str) -> str | None:
    """None where it is no file that can be read; a partial clone fetches it if it can."""
    if not folder.is_regular(name):
        return None
    sha, found = folder.entries[name].sha, small_files_here(folder.repo, [folder.entries[name].sha])
    if not found and folder.repo.partial:
        with suppress(DataRepoError):
            found = read_small_files(folder.repo, [sha])
    return found[sha].decode("utf-8", _RAW) if found else None
