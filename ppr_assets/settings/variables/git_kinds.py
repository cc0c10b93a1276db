"""What git accepts: addresses without secrets, branch names, authors, folders of a repository."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from urllib.parse import SplitResult, urlsplit

from ppr_assets.settings.variables.kinds import UnusableValueError, line, must_be


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
    if carries_credentials(text, parts):
        raise UnusableValueError(
            "Give the token in DATA_REPO_TOKEN, and the URL without user and password.", hidden=True
        )
    return text


def carries_credentials(text: str, parts: SplitResult | None) -> bool:
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
