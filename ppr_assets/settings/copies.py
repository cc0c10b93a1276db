"""Copies outside git of what is published: the places where they go, and which of them stay."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from ppr_assets.settings import kinds
from ppr_assets.settings.dump import KeepSettings
from ppr_assets.settings.kinds import UnusableValueError, line, must_be
from ppr_assets.settings.secret import Secret
from ppr_assets.settings.variable import read_fields, several, variable

BUCKETS = {
    "s3": ("access_key_id", "secret_access_key"),
    "gs": (),
    "az": ("account_name", "account_key"),
}
"""By scheme, what user and password of the URL stand for."""

_SECRET = re.compile(r"key|secret|token|sas|sig$|password|credential|account$", re.IGNORECASE)
_REMOTE = re.compile(r"[\w.+@ -]+", re.ASCII)
_NAME_A_REMOTE = (
    "Name a remote that `rclone config` has made, and not an on-the-fly one: what stands in that "
    "would be seen in the list of processes."
)


@dataclass(frozen=True)
class CopyUrl:
    """A place of copies. ``shown`` is its URL without what may be secret, and tells it from others;
    ``where`` is the folder's path, rclone's ``REMOTE:PATH``, or the bucket with its prefix as a
    URL. ``options`` are those of the URL, for the client of the bucket."""

    shown: str
    kind: Literal["folder", "bucket", "rclone"]
    where: str
    options: Mapping[str, str | Secret] = field(default_factory=dict, repr=False)

    @property
    def bucket(self) -> str:
        """The URL of the bucket alone."""
        return "/".join(self.where.split("/")[:3])


def is_copy_url(text: str) -> bool:
    """Whether it can only be a place of copies, and no data repository."""
    scheme, colon, _ = text.partition(":")
    return bool(colon) and (scheme == "rclone" or (scheme in BUCKETS and "://" in text))


@must_be("a folder, file://, s3://, gs:// or az:// URL, or rclone:REMOTE:PATH")
def copy_url(text: str) -> CopyUrl:
    if text.startswith("rclone:"):
        return _rclone(line(text))
    if "://" not in line(text):
        return copy_folder(text)
    try:
        parts = urlsplit(text)
    except ValueError:
        raise UnusableValueError(hidden=True) from None
    if parts.scheme == "file" and parts.netloc in ("", "localhost"):
        return copy_folder(unquote(parts.path))
    if parts.scheme in ("sftp", "ftp", "webdav"):
        raise UnusableValueError(
            "rclone goes there: make a remote with `rclone config`, and write rclone:REMOTE:PATH.",
            hidden=True,
        )
    user, at, bucket = parts.netloc.rpartition("@")
    names = BUCKETS.get(parts.scheme)
    if names is None or not bucket or parts.fragment or (at and not names):
        raise UnusableValueError(hidden=True)
    where = f"{parts.scheme}://{bucket}{parts.path.rstrip('/')}"
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    if at:
        name, _, password = user.partition(":")
        given |= dict(zip(names, (unquote(name), unquote(password)), strict=True))
    options = {key: Secret(value) if _SECRET.search(key) else value for key, value in given.items()}
    return CopyUrl(where, "bucket", where, options)


def copy_folder(text: str) -> CopyUrl:
    """A folder of files; raises what a kind raises for a path that depends on where one stands."""
    if not text.startswith(("/", "~")):
        raise UnusableValueError("Write the folder's whole path.")
    try:
        folder = str(Path(text).expanduser())
    except RuntimeError as error:
        raise UnusableValueError("There is no home folder here: write the whole path.") from error
    return CopyUrl(folder, "folder", folder)


@must_be(
    "places separated by blanks: folders, file://, s3://, gs:// or az:// URLs, rclone:REMOTE:PATH"
)
def copy_urls(text: str) -> tuple[CopyUrl, ...]:
    found = tuple(copy_url(one) for one in re.split(r"[\s,]+", text.strip()) if one)
    if len({one.shown for one in found}) < len(found):
        raise UnusableValueError("Each place once.")
    return found


def _rclone(text: str) -> CopyUrl:
    remote, colon, path = text.removeprefix("rclone:").partition(":")
    if not colon or remote.startswith("-") or not _REMOTE.fullmatch(remote):
        raise UnusableValueError(_NAME_A_REMOTE, hidden=True)
    where = f"{remote}:{path.rstrip('/') if path != '/' else path}"
    return CopyUrl(f"rclone:{where}", "rclone", where)


@dataclass(frozen=True)
class CopyKeepSettings(KeepSettings):
    """The same rules with a longer memory, since a copy takes a tenth of a dump's room."""

    last: int | None = variable(
        "PPR_COPY_KEEP_LAST",
        "7",
        kinds.keep,
        "how many of the last copies stay at each place of PPR_COPY_URLS, `all` for every one",
    )
    daily: int | None = variable(
        "PPR_COPY_KEEP_DAILY",
        "30",
        kinds.keep,
        "the newest copy of each of so many days (UTC) stays too",
    )
    weekly: int | None = variable(
        "PPR_COPY_KEEP_WEEKLY",
        "8",
        kinds.keep,
        "the newest copy of each of so many weeks, Monday to Sunday, stays too",
    )
    monthly: int | None = variable(
        "PPR_COPY_KEEP_MONTHLY",
        "24",
        kinds.keep,
        "the newest copy of each of so many months stays too",
    )
    yearly: int | None = variable(
        "PPR_COPY_KEEP_YEARLY",
        "all",
        kinds.keep,
        "the newest copy of each of so many years stays too",
    )


@dataclass(frozen=True)
class CopySettings:
    """``urls``: each place gets every published dump, with ``sqlite`` the newest as SQLite too;
    ``keep`` says which of them stay there."""

    urls: tuple[CopyUrl, ...] = several(
        "PPR_COPY_URLS",
        copy_urls,
        "where each published dump and its manifest are copied to as well, outside git: folders, "
        "`s3://`, `gs://` and `az://` URLs, `rclone:REMOTE:PATH`, separated by blanks",
        secret=True,
    )
    sqlite: bool = variable(
        "PPR_COPY_SQLITE",
        "false",
        kinds.boolean,
        "put the newest dump beside its copies as a SQLite file for Datasette too, compressed",
    )
    keep: CopyKeepSettings = field(default_factory=CopyKeepSettings)

    @classmethod
    def read(cls, values: Mapping[str, str]) -> CopySettings:
        return replace(read_fields(cls, values), keep=CopyKeepSettings.read(values))
