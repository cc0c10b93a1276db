"""Copies of dumps at a place outside git, of which one that is wanted is brought here."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from urllib.parse import unquote

from msgspec.structs import replace

from ppr_assets.copies.contents import Contents
from ppr_assets.errors import DumpDamaged, DumpMissing, PreconditionFailed, SettingsError
from ppr_assets.operations.sources.folder import is_plain_folder
from ppr_assets.operations.sources.wanted import FoundDump, Wanted, choose
from ppr_assets.progress import counted, stage
from ppr_assets.rules.naming import copied_dump
from ppr_assets.settings import CopyUrl, DataRepoSettings
from ppr_assets.settings.copies import copy_folder, copy_url, is_copy_url
from ppr_assets.settings.kinds import UnusableValueError


def place_of_copies(settings: DataRepoSettings, source: str) -> CopyUrl | None:
    """What ``source`` names, if that is a place of copies: one of the settings, or by its scheme
    (with the keys that the settings have for it), or a folder in which copies lie. None otherwise.

    Raises :class:`SettingsError` for a URL that cannot be used.
    """
    for one in settings.copies.urls:
        if source in (one.shown, f"file://{one.shown}"):
            return one
    if is_copy_url(source):
        return _with_known_keys(settings, _given(source))
    folder = Path(unquote(source.removeprefix("file://")))
    if is_plain_folder(folder) and any(copied_dump(one.name) for one in folder.iterdir()):
        return copy_folder(str(folder.resolve()))
    return None


def _given(source: str) -> CopyUrl:
    try:
        return copy_url(source)
    except UnusableValueError as error:
        raise SettingsError(
            f"--from cannot be used, must be {copy_url.must_be}", hint=error.hint
        ) from None


def _with_known_keys(settings: DataRepoSettings, url: CopyUrl) -> CopyUrl:
    """Another prefix of a bucket that the settings name, with the keys and the server from there,
    where the URL itself has none."""
    for one in settings.copies.urls:
        if not url.options and one.kind == url.kind == "bucket" and one.bucket == url.bucket:
            return dataclasses.replace(url, options=one.options)
    return url


def in_copies(there: Contents, wanted: Wanted, scratch: Path) -> FoundDump:
    """The dump, decompressed in ``scratch``. Raises :class:`DumpMissing`, :class:`DumpDamaged` for
    one that is cut off or altered, and :class:`PreconditionFailed` without room for it."""
    place = there.place.shown
    if wanted.at is not None:
        raise DumpMissing(
            f"`{place}` holds copies and no commits, so there is none `{wanted.at}`",
            hint="DUMP or --before DATE choose one of the copies; `ppr-assets list --from URL` "
            "names them.",
        )
    given = wanted.dump.removesuffix(".zst") if wanted.dump else None
    if given in there.described and given not in there.dumps:
        raise missing(given, place)
    name = choose(there.dumps, None, replace(wanted, dump=given), f"`{place}`")
    manifest, path = there.manifest(name), scratch / name
    try:
        with path.open("wb") as file, stage("fetching the copy", manifest.bytes):
            for chunk in counted(there.chunks(name)):
                file.write(chunk)
    except OSError as error:
        raise PreconditionFailed(
            f"could not write the dump to `{scratch}`: {error.strerror or error}",
            hint="is the disk full? Nothing was changed.",
        ) from error
    return FoundDump(name, path, manifest, None, scratch, place=place)


def missing(dump: str, place: str) -> DumpDamaged:
    """Said of a copy of which only the manifest is left."""
    return DumpDamaged(
        f"the copy of {dump} is missing at `{place}`, only its manifest is there",
        hint="the next run copies the dump again, where git still has it.",
    )
