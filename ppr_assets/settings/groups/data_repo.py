"""The data repository: where it is, what is published in it, and as whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from ppr_assets.settings.groups.copies import CopySettings
from ppr_assets.settings.variables import git_kinds, kinds
from ppr_assets.settings.variables.secret import Secret
from ppr_assets.settings.variables.variable import (
    optional,
    read_fields,
    secret,
    variable,
    variable_of,
)


@dataclass(frozen=True)
class DataRepoSettings:
    """The clone of the data repository, its remote, and how commits are made in it.

    ``dump_dir`` is a posix path relative to the repository's root. ``timeout_seconds`` is the
    limit of one git call, ``warn_gigabytes`` and ``max_gigabytes`` (of 1e9 bytes) are those of the
    clone's size. ``copies``: where what it publishes goes as well. ``as_a_stranger``: remotes are
    asked without the token and without whatever else this user could show or has configured.
    """

    path: Path = variable(
        "DATA_REPO_PATH", "/data-repo", kinds.folder, "the clone of the data repository"
    )
    url: str | None = optional(
        "DATA_REPO_URL", git_kinds.git_url, "where a missing clone is made from"
    )
    public_url: str | None = optional(
        "DATA_REPO_PUBLIC_URL",
        git_kinds.public_url,
        "where strangers read the data repository, to be looked at as they see it, where that is "
        "not DATA_REPO_URL; `private`: nobody may without the token, which is then used",
    )
    branch: str = variable(
        "DATA_REPO_BRANCH", "main", git_kinds.branch, "the branch that dumps are committed to"
    )
    token: Secret | None = secret(
        "DATA_REPO_TOKEN",
        kinds.token,
        "the token to fetch and push with; goes only through git's credential mechanism",
    )
    dump_dir: str = variable(
        "SQL_DUMP_DIR",
        "./sql_dumps",
        git_kinds.posix_path,
        "where the dumps lie, relative to DATA_REPO_PATH",
    )
    page: bool = variable(
        "SQL_DUMP_PAGE",
        "true",
        kinds.boolean,
        "each dump's commit also renews `README.md` and `dumps.svg` beside the dumps, where they "
        "are ours",
    )
    push_enabled: bool = variable(
        "PUBLISHER_PUSH_ENABLED", "false", kinds.boolean, "commit always, push only when true"
    )
    author_name: str = variable(
        "GIT_USER_NAME",
        "Pantry Pirate Radio Publisher",
        git_kinds.person,
        "the author of the commits",
    )
    author_email: str = variable(
        "GIT_USER_EMAIL",
        "pantry-pirate-radio@example.com",
        git_kinds.person.named("an address on one line without `<` and `>`"),
        "the author's address",
    )
    timeout_seconds: float = variable(
        "DATA_REPO_TIMEOUT_SECONDS", "600", kinds.seconds, "the time limit of one git call"
    )
    warn_gigabytes: float = variable(
        "DATA_REPO_WARN_GB",
        "5",
        kinds.gigabytes,
        "the check `repo_size` warns from this size of the clone on",
    )
    max_gigabytes: float = variable(
        "DATA_REPO_MAX_GB",
        "10",
        kinds.gigabytes,
        "the check `repo_size` fails from this size of the clone on",
    )
    copies: CopySettings = field(default_factory=CopySettings)
    as_a_stranger: bool = False

    @classmethod
    def read(cls, values: Mapping[str, str]) -> DataRepoSettings:
        found = read_fields(cls, values)
        try:
            folder = git_kinds.dump_folder(found.dump_dir, found.path)
        except kinds.UnusableValueError as error:
            declared = variable_of(cls, "dump_dir")
            raise declared.unusable(declared.text(values) or declared.default, error) from None
        return replace(found, dump_dir=folder, copies=CopySettings.read(values))
