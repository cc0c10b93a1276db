"""Where to clone the data repository from afresh, as somebody who has lost everything would."""

from __future__ import annotations

from ppr_assets.data_repo.clone.clone import open_data_repo
from ppr_assets.errors import DataRepoError
from ppr_assets.settings import DataRepoSettings


def remote_source(settings: DataRepoSettings) -> str:
    """DATA_REPO_URL, or the URL that the clone calls ``origin``; always a URL where it is a folder.

    A folder's path would be read in place, a URL is cloned. Raises :class:`DataRepoError` if there
    is not a remote.
    """
    url = settings.url
    if url is None:
        with open_data_repo(settings) as repo:
            url = repo.remote_url
    if url is None:
        raise DataRepoError(
            f"`{settings.path}` has no remote to take a dump from, and DATA_REPO_URL is not set",
            hint="a dump that only this machine has is lost with it: set DATA_REPO_URL, and "
            "PUBLISHER_PUSH_ENABLED=true.",
        )
    folder = settings.path / url
    return folder.resolve().as_uri() if folder.exists() else url
