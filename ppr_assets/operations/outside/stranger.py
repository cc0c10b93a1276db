"""Who looks: somebody with the data repository's URL, and nothing else."""

from __future__ import annotations

from dataclasses import replace

from msgspec import Struct

from ppr_assets.data_repo.clone.remote_head import known_remote
from ppr_assets.data_repo.git.errors import scrub
from ppr_assets.data_repo.remote.address import parse_address
from ppr_assets.errors import SettingsError
from ppr_assets.settings import DataRepoSettings
from ppr_assets.settings.data_repo import PRIVATE


class Stranger(Struct, frozen=True):
    """``settings`` ask remotes with nothing to show, or (``private``) with the token."""

    settings: DataRepoSettings
    url: str
    private: bool

    @property
    def where(self) -> str:
        """The branch that is looked at, without anything secret."""
        return f"{scrub(self.url)}#{self.settings.branch}"


def stranger(settings: DataRepoSettings) -> Stranger | None:
    """None where there is no remote, and so nothing that others could get.

    Raises :class:`SettingsError` for an address that nobody can read without a key.
    """
    private = settings.public_url == PRIVATE
    url = (None if private else settings.public_url) or settings.url or _origin(settings)
    if url is None:
        return None
    folder = settings.path / url
    url = folder.resolve().as_uri() if folder.exists() else url
    if private:
        return Stranger(settings, url, private=True)
    return Stranger(
        replace(settings, token=None, as_a_stranger=True), _public(settings, url), private=False
    )


def _origin(settings: DataRepoSettings) -> str | None:
    remote = known_remote(settings)
    return remote.url if remote else None


def _public(settings: DataRepoSettings, url: str) -> str:
    """Of an address by ssh, the one by https at a forge."""
    address = parse_address(url, relative_to=settings.path)
    if address.scheme != "ssh":
        return url
    if address.web_url is None:
        raise SettingsError(
            f"DATA_REPO_URL is {scrub(url)}, which nobody can read without a key, so what others "
            "get cannot be looked at",
            hint="set DATA_REPO_PUBLIC_URL to the https:// URL where anybody may read it, or to "
            "`private` where nobody may.",
        )
    return f"{address.web_url}.git"
