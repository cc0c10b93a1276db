"""How a remote is asked, and how the token reaches git: by a credential helper, for the remote's
own origin alone.

The helper stands on git's command line and holds no secret; it reads the token from the
environment of that one call. Nothing is written to ``.git/config``, and helpers that the user has
configured are not asked (and cannot store the token) while ours answers for this origin.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from math import inf
from pathlib import Path

from ppr_assets.data_repo.git.command import WITHOUT_UPKEEP, Output, run
from ppr_assets.data_repo.git.errors import GitCommandFailed
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.remote.address import parse_address
from ppr_assets.data_repo.remote.errors import unreachable
from ppr_assets.errors import GitTimeout
from ppr_assets.settings import DataRepoSettings

_VARIABLE = "PPR_ASSETS_DATA_REPO_TOKEN"
# Any user name goes with a token on most forges; GitHub's for tokens of an app is this one.
_HELPER = (
    '!f() { if test "$1" = get; then '
    f'echo username=x-access-token; echo "password=${_VARIABLE}"; fi; }}; f'
)

_AS_A_STRANGER = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_COUNT": "0",
    "GIT_CONFIG_PARAMETERS": "",
    "GIT_ASKPASS": "",
    "SSH_ASKPASS": "",
    "HOME": os.devnull,  # no .netrc, which git's HTTP reads
    "GIT_ALLOW_PROTOCOL": "file:git:http:https",
}
"""What this user has and a stranger has not: helpers, headers, rewritten addresses, keys."""


def credentials_for(settings: DataRepoSettings, url: str) -> tuple[tuple[str, ...], dict[str, str]]:
    """Options to stand before git's subcommand, and environment, for one call that asks ``url``.

    Both are empty without a token, and for remotes that are not asked by http(s). Who asks as a
    stranger has nothing to show.
    """
    if settings.as_a_stranger:
        return (), _AS_A_STRANGER
    origin = parse_address(url, relative_to=Path.cwd()).origin
    if not settings.token or origin is None:
        return (), {}
    name = f"credential.{origin}.helper"
    options = ("-c", f"{name}=", "-c", f"{name}={_HELPER}")
    return options, {_VARIABLE: settings.token.reveal()}


def ask(
    settings: DataRepoSettings, url: str, folder: Path, *args: str, called: str | None = None
) -> bytes:
    """What git prints that asks ``url`` from ``folder``, with the token at hand.

    Raises :class:`RemoteUnreachable`, by the name that the remote is ``called`` (by default its
    URL).
    """
    options, secret = credentials_for(settings, url)
    try:
        return run(folder, *options, *args, timeout=settings.timeout_seconds, env=secret).stdout
    except (GitCommandFailed, GitTimeout) as failure:
        raise unreachable(called or url, failure) from failure


def asking(
    repo: DataRepo,
    *args: str,
    stdin: bytes | None = None,
    ok: tuple[int, ...] = (0,),
    seconds: float = inf,
) -> bytes:
    """What git prints in the clone that may ask its remote, see :func:`over_network`.

    Raises :class:`RemoteUnreachable` when it fails.
    """
    try:
        return over_network(repo, *args, stdin=stdin, ok=ok, seconds=seconds).stdout
    except (GitCommandFailed, GitTimeout) as failure:
        raise unreachable(repo.remote or "", failure) from failure


def over_network(
    repo: DataRepo,
    *args: str,
    stdin: bytes | None = None,
    env: Mapping[str, str] | None = None,
    ok: tuple[int, ...] = (0,),
    seconds: float = inf,
) -> Output:
    """Run git with the token at hand, where the remote is one that asks for it; ``seconds`` is for
    a limit that is shorter than the configured one."""
    options, secret = credentials_for(repo.settings, repo.remote_url or "")
    limit = min(repo.settings.timeout_seconds, seconds)
    words, around = (*WITHOUT_UPKEEP, *options, *args), {**secret, **(env or {})}
    return run(repo.path, *words, timeout=limit, stdin=stdin, env=around, ok=ok)
