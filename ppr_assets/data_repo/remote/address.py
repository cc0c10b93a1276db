"""Addresses of remotes: whether two mean the same repository, and where a browser finds it, its
commits, differences and files."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote, urlsplit

from msgspec import Struct

_FORGES = ("github", "gitlab", "codeberg", "bitbucket", "gitea", "forgejo")
_GITEA = ("gitea", "forgejo", "codeberg")
_DEFAULT_PORTS = {"http": 80, "https": 443, "ssh": 22, "git": 9418}


class RemoteAddress(Struct, frozen=True):
    """A remote's URL taken apart; ``host`` is empty for a folder of this machine."""

    scheme: str
    host: str
    port: int | None
    path: str

    def same_place(self, other: RemoteAddress) -> bool:
        """True if both lead to one repository, be it once by ssh and once by https."""
        if (self.host, self.path) != (other.host, other.path):
            return False
        return self.scheme != other.scheme or self.port == other.port

    @property
    def origin(self) -> str | None:
        """``https://host:port``, what a token is given for; None where no token is used."""
        if self.scheme not in ("http", "https"):
            return None
        return f"{self.scheme}://{self._host_and_port}"

    @property
    def web_url(self) -> str | None:
        """The repository's page, if the host looks like a forge; commits are below ``/commit/``."""
        host = re.sub(r"^(alt)?ssh\.", "", self.host)
        if "/" not in self.path or not any(word in host for word in _FORGES):
            return None
        return f"https://{self._host_and_port if self.scheme == 'https' else host}/{self.path}"

    @property
    def _host_and_port(self) -> str:
        return f"{self.host}:{self.port}" if self.port else self.host


class Pages(Struct, frozen=True):
    """``web_url`` is the repository's own page. Which forge it is shows in the host's name."""

    web_url: str

    def commit(self, commit: str) -> str:
        if self._is("bitbucket"):
            return f"{self.web_url}/commits/{commit}"
        return f"{self._below}/commit/{commit}"

    def difference(self, before: str, after: str) -> str:
        if self._is("bitbucket"):
            return f"{self.web_url}/branches/compare/{after}%0D{before}"
        return f"{self._below}/compare/{before}...{after}"

    def file(self, commit: str, path: str) -> str:
        """``path`` is seen from the repository's root."""
        if self._is("bitbucket"):
            return f"{self.web_url}/src/{commit}/{quote(path)}"
        if self._is(*_GITEA):
            return f"{self.web_url}/src/commit/{commit}/{quote(path)}"
        return f"{self._below}/blob/{commit}/{quote(path)}"

    @property
    def _below(self) -> str:
        return f"{self.web_url}/-" if self._is("gitlab") else self.web_url

    def _is(self, *words: str) -> bool:
        host = urlsplit(self.web_url).hostname or ""
        return any(word in host for word in words)


def parse_address(url: str, *, relative_to: Path) -> RemoteAddress:
    """Take apart what git accepts: a URL, ``user@host:path``, or a folder.

    User and password are left out. A relative folder is one seen from ``relative_to``.
    """
    if "://" in url and not url.startswith("file://"):
        parts = urlsplit(url)
        scheme = parts.scheme.lower()
        port = None if parts.port == _DEFAULT_PORTS.get(scheme) else parts.port
        return RemoteAddress(scheme, (parts.hostname or "").lower(), port, _repository(parts.path))
    short = re.match(r"(?:[^/@]*@)?(\[[^\]]+\]|[^/:@]+):(?!/{2})(.*)", url)
    if short:
        return RemoteAddress("ssh", short[1].strip("[]").lower(), None, _repository(short[2]))
    folder = relative_to / url.removeprefix("file://")
    return RemoteAddress("file", "", None, str(folder.resolve()))


def _repository(path: str) -> str:
    return path.strip("/").removesuffix(".git")
