"""How the token reaches git: by a credential helper, for the remote's own origin alone.

The helper stands on git's command line and holds no secret; it reads the token from the
environment of that one call. Nothing is written to ``.git/config``, and helpers that the user has
configured are not asked (and cannot store the token) while ours answers for this origin.
"""

from __future__ import annotations

from pathlib import Path

from ppr_assets.data_repo.remote.address import parse_address
from ppr_assets.settings import DataRepoSettings

_VARIABLE = "PPR_ASSETS_DATA_REPO_TOKEN"
# Any user name goes with a token on most forges; GitHub's for tokens of an app is this one.
_HELPER = (
    '!f() { if test "$1" = get; then '
    f'echo username=x-access-token; echo "password=${_VARIABLE}"; fi; }}; f'
)


def credentials_for(settings: DataRepoSettings, url: str) -> tuple[tuple[str, ...], dict[str, str]]:
    """Options to stand before git's subcommand, and environment, for one call that asks ``url``.

    Both are empty without a token, and for remotes that are not asked by http(s).
    """
    origin = parse_address(url, relative_to=Path.cwd()).origin
    if not settings.token or origin is None:
        return (), {}
    name = f"credential.{origin}.helper"
    options = ("-c", f"{name}=", "-c", f"{name}={_HELPER}")
    return options, {_VARIABLE: settings.token.reveal()}
