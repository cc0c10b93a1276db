"""Another data repository, looked into without having it: a bare clone that fetches what is read.

A data repository may hold sixty gigabytes, of which a restore needs one file. The clone starts
with commits alone, and git brings a tree or a file when it is asked for.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ppr_assets.data_repo.git.command import run
from ppr_assets.data_repo.git.errors import GitCommandFailed
from ppr_assets.data_repo.git.progress_lines import progress_option
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.remote.credentials import credentials_for
from ppr_assets.data_repo.remote.errors import unreachable
from ppr_assets.errors import GitTimeout
from ppr_assets.settings import DataRepoSettings


def temporary_clone(
    settings: DataRepoSettings, url: str, folder: Path, *, with_history: bool = False
) -> DataRepo:
    """A bare partial clone of ``url`` in ``folder`` (missing yet), of DATA_REPO_BRANCH alone.

    ``with_history`` brings older commits too. Raises :class:`RemoteUnreachable`, which is also
    what a branch that is not there ends in. A remote that knows no filters sends everything.
    """
    limit = settings.timeout_seconds
    options, secret = credentials_for(settings, url)
    alone = ("--bare", "--no-tags", "--single-branch", f"--branch={settings.branch}")
    wanted = (
        progress_option(),
        *alone,
        "--origin=origin",
        *(() if with_history else ("--depth=1",)),
    )
    # Of a path, git would take all by linking files; as a URL it is asked like any other remote.
    source = Path(url).resolve().as_uri() if Path(url).exists() else url
    try:
        clone = ("clone", "--filter=blob:none", *wanted, "--", source, folder.name)
        run(folder.parent, *options, *clone, timeout=limit, env=secret)
    except (GitCommandFailed, GitTimeout) as failure:
        raise unreachable(url, failure) from failure
    return DataRepo(
        settings=replace(settings, path=folder, url=url),
        path=folder,
        git_dir=folder,
        bare=True,
        linked=False,
        remote="origin",
        remote_url=url,
        web_url=None,
        partial=True,
    )
