"""Where a browser finds commits, differences and files of a repository on a forge."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, urlsplit

_GITEA = ("gitea", "forgejo", "codeberg")


@dataclass(frozen=True)
class Pages:
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
