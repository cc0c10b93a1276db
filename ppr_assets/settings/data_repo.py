"""The data repository: where it is, what is published in it, and as whom.

Addresses, branch names and authors are what git accepts, and hold no secret.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from urllib.parse import SplitResult, urlsplit

from ppr_assets.settings import kinds
from ppr_assets.settings.copies import CopySettings
from ppr_assets.settings.kinds import UnusableValueError, line, must_be
from ppr_assets.settings.secret import Secret
from ppr_assets.settings.variable import (
    optional,
    read_fields,
    secret,
    variable,
    variable_of,
)


@must_be("a URL or path git can clone, without credentials")
def git_url(text: str) -> str:
    """Where git can clone from, without a secret in it (it would stand in ``.git/config``)."""
    hidden = "@" in text or "?" in text
    if text.startswith("-") or re.match(r"[\w+.-]*::", text) or re.search(r"\s", text):
        raise UnusableValueError(hidden=hidden)
    try:
        parts = urlsplit(line(text)) if "://" in text else None
    except (ValueError, UnusableValueError):
        raise UnusableValueError(hidden=hidden) from None
    if _carries_credentials(text, parts):
        raise UnusableValueError(
            "Give the token in DATA_REPO_TOKEN, and the URL without user and password.", hidden=True
        )
    return text


def _carries_credentials(text: str, parts: SplitResult | None) -> bool:
    """True for any user on http(s), where it may be a token; elsewhere only for a password."""
    if parts is None:
        return re.match(r"[^/@]*:[^/@]*@", text) is not None
    user, at, _ = parts.netloc.rpartition("@")
    if parts.scheme in ("http", "https"):
        return bool(at or parts.query)
    return ":" in user


PRIVATE = "private"
"""In the place of a URL for strangers: there are none."""


@must_be("a URL that git can clone without credentials, or `private`")
def public_url(text: str) -> str:
    """Where anybody may read, or :data:`PRIVATE`."""
    return text if text == PRIVATE else git_url(text)


@must_be("a branch name that git accepts")
def branch(text: str) -> str:
    """A branch's short name, by the rules of ``git check-ref-format --branch``."""
    refused = re.search(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//", text)
    parts = text.split("/")
    if (
        not text
        or refused
        or text.startswith(("-", "/"))
        or text.endswith(("/", "."))
        or text in ("@", "HEAD")
        or any(part.startswith(".") or part.endswith(".lock") for part in parts)
    ):
        raise UnusableValueError
    return text


@must_be("a name on one line without `<` and `>`")
def person(text: str) -> str:
    """A name or address git can write into a commit: no ``<>``, and not of punctuation alone."""
    if re.search(r"[<>]", line(text)) or not text.strip(" .,:;\"'\\"):
        raise UnusableValueError
    return text


@must_be("a folder inside DATA_REPO_PATH, other than its root and `.git`, without `..`")
def posix_path(text: str) -> str:
    """Whether it lies inside is for :func:`dump_folder`, which knows the repository."""
    return PurePosixPath(line(text)).as_posix()


def dump_folder(text: str, repository: Path) -> str:
    """The folder of the dumps as a posix path relative to the repository's root."""
    path = PurePosixPath(line(text))
    if path.is_absolute():
        if not path.is_relative_to(repository.as_posix()):
            raise UnusableValueError("An absolute folder has to lie inside DATA_REPO_PATH.")
        path = path.relative_to(repository.as_posix())
    if not path.parts or "\\" in text:
        raise UnusableValueError
    if any(part == ".." or part.lower() == ".git" for part in path.parts):
        raise UnusableValueError
    return path.as_posix()


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
    url: str | None = optional("DATA_REPO_URL", git_url, "where a missing clone is made from")
    public_url: str | None = optional(
        "DATA_REPO_PUBLIC_URL",
        public_url,
        "where strangers read the data repository, to be looked at as they see it, where that is "
        "not DATA_REPO_URL; `private`: nobody may without the token, which is then used",
    )
    branch: str = variable(
        "DATA_REPO_BRANCH", "main", branch, "the branch that dumps are committed to"
    )
    token: Secret | None = secret(
        "DATA_REPO_TOKEN",
        kinds.token,
        "the token to fetch and push with; goes only through git's credential mechanism",
    )
    dump_dir: str = variable(
        "SQL_DUMP_DIR",
        "./sql_dumps",
        posix_path,
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
        person,
        "the author of the commits",
    )
    author_email: str = variable(
        "GIT_USER_EMAIL",
        "pantry-pirate-radio@example.com",
        person.named("an address on one line without `<` and `>`"),
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
            folder = dump_folder(found.dump_dir, found.path)
        except kinds.UnusableValueError as error:
            declared = variable_of(cls, "dump_dir")
            raise declared.unusable(declared.text(values) or declared.default, error) from None
        return replace(found, dump_dir=folder, copies=CopySettings.read(values))
