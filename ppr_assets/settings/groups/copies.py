"""Copies outside git of what is published: where they go, and which of them stay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ppr_assets.settings.groups.keep import KeepSettings
from ppr_assets.settings.variables import copy_kinds, kinds
from ppr_assets.settings.variables.variable import read_fields, several, variable


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

    urls: tuple[copy_kinds.CopyUrl, ...] = several(
        "PPR_COPY_URLS",
        copy_kinds.copy_urls,
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
