"""What lies in the playground's folder and is not the playground's: a real set-up's history may."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import git

from ppr_assets.demo.playground import DATABASE, STORAGE_DATABASE
from ppr_assets.postgres import embedded
from ppr_assets.postgres.sessions.connection import connect

_OWN = ["data-repo", "env", "publisher", "remote.git"]
_NAMES = frozenset([*_OWN, "dagster", "postgres", ".postgres.lock", "lock", "users"])
_DAGSTER = frozenset(["dagster.yaml", "logs", ".logs_queue", ".nux", ".telemetry", "storage"])
_DATABASES = re.compile(rf"{STORAGE_DATABASE}|sample_.*|{DATABASE}(_(before|restoring|drill)_.*)?")
"""The sample, its templates, and what a restore of it has kept; of others nothing is known."""


def foreign(folder: Path) -> Iterator[str]:
    """Each thing that is not the playground's, in words. Starts the folder's server to look, and
    leaves it running.

    Raises :class:`PreconditionFailed` and :class:`DatabaseUnreachable` where it cannot be asked.
    """
    yield from (f"`{path}`" for path in sorted(folder.iterdir()) if path.name not in _NAMES)
    home = folder / "dagster"
    if home.is_dir():
        strange = sorted(path for path in home.iterdir() if path.name not in _DAGSTER)
        yield from (f"`{path}`, Dagster's own files" for path in strange)
    if (folder / "data-repo" / ".git").exists():
        with git.Repo(folder / "data-repo") as repo:
            remotes = {url for remote in repo.remotes for url in remote.urls}
        for url in sorted(remotes - {str(folder.resolve() / "remote.git")}):
            yield f"`{folder / 'data-repo'}`, a clone of {url}"
    yield from _databases(folder / "postgres")


def _databases(data_dir: Path) -> Iterator[str]:
    if not (data_dir / "PG_VERSION").exists():
        return
    server = embedded.start(data_dir)
    with connect(server.database_settings(server.superuser)) as session:
        found = session.execute(
            "SELECT datname FROM pg_catalog.pg_database WHERE NOT datistemplate ORDER BY 1"
        ).fetchall()
    for (name,) in found:
        if name not in (server.superuser, "postgres") and not _DATABASES.fullmatch(name):
            yield f"database {name} of `{data_dir}`"
