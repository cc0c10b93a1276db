"""The data repository: where it is, what is published in it, and as whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ppr_assets.settings import git_kinds, table
from ppr_assets.settings.kinds import UnusableValueError
from ppr_assets.settings.secret import Secret


@dataclass(frozen=True)
class DataRepoSettings:
    """The clone of the data repository, its remote, and how commits are made in it.

    ``dump_dir`` is a posix path relative to the repository's root. ``timeout_seconds`` is the
    limit of one git call, ``warn_gigabytes`` and ``max_gigabytes`` (of 1e9 bytes) are those of the
    clone's size.
    """

    path: Path
    url: str | None
    branch: str
    token: Secret | None
    dump_dir: str
    push_enabled: bool
    author_name: str
    author_email: str
    timeout_seconds: float
    warn_gigabytes: float
    max_gigabytes: float

    @classmethod
    def read(cls, values: Mapping[str, str]) -> DataRepoSettings:
        path = table.DATA_REPO_PATH.read(values)
        dump_dir = table.SQL_DUMP_DIR.read(values)
        try:
            dump_dir = git_kinds.dump_folder(dump_dir, path)
        except UnusableValueError as error:
            raise table.SQL_DUMP_DIR.unusable(dump_dir, error) from None
        return cls(
            path=path,
            url=table.DATA_REPO_URL.read_if_set(values),
            branch=table.DATA_REPO_BRANCH.read(values),
            token=Secret.of(table.DATA_REPO_TOKEN.read_if_set(values)),
            dump_dir=dump_dir,
            push_enabled=table.PUBLISHER_PUSH_ENABLED.read(values),
            author_name=table.GIT_USER_NAME.read(values),
            author_email=table.GIT_USER_EMAIL.read(values),
            timeout_seconds=table.DATA_REPO_TIMEOUT_SECONDS.read(values),
            warn_gigabytes=table.DATA_REPO_WARN_GB.read(values),
            max_gigabytes=table.DATA_REPO_MAX_GB.read(values),
        )
