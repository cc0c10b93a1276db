"""Another data repository, looked into without having it: a bare clone that fetches what is read.

A data repository may hold sixty gigabytes, of which a restore needs one file. The clone starts
with commits alone, and git brings a tree or a file when it is asked for.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ppr_assets.data_repo.git.progress_lines import progress_option
from ppr_assets.data_repo.git.repository import DataRepo, found_at
from ppr_assets.data_repo.remote.credentials import ask
from ppr_assets.settings import DataRepoSettings


def temporary_clone(
    settings: DataRepoSettings, url: str, folder: Path, *, with_history: bool = False
) -> DataRepo:
    """A bare partial clone of ``url`` in ``folder`` (missing yet), of DATA_REPO_BRANCH alone.

    ``with_history`` brings older commits too. Raises :class:`RemoteUnreachable`, which is also
    what a branch that is not there ends in. A remote that knows no filters sends everything.
    """
    alone = ("--bare", "--no-tags", "--single-branch", f"--branch={settings.branch}")
    wanted = (
        progress_option(),
        *alone,
        "--origin=origin",
        *(() if with_history else ("--depth=1",)),
    )
    # Of a path, git would take all by linking files; as a URL it is asked like any other remote.
    source = Path(url).resolve().as_uri() if Path(url).exists() else url
    clone = ("clone", "--filter=blob:none", *wanted, "--", source, folder.name)
    ask(settings, url, folder.parent, *clone)
    made = found_at(folder, timeout=settings.timeout_seconds)
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
        object_format=made.object_format,
    )
