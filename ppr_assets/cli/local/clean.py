"""What ``make clean`` runs before it removes ``.local``; not a verb.

    python -m ppr_assets.cli.local.clean

The folder's server is stopped. Ends with 0 where nothing is lost that cannot be made again.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import git

from ppr_assets.cli.shared.local_server import LOCAL, SERVER
from ppr_assets.demo.playground import DATABASE, STORAGE_DATABASE
from ppr_assets.errors import Busy, PprError
from ppr_assets.failures import in_words
from ppr_assets.files import held_or
from ppr_assets.postgres import embedded
from ppr_assets.postgres.sessions.connection import connect
from ppr_assets.rules.wording import few

_SHOWN = 5

# What in `.local` is the playground's; anything else may be a real set-up's history.
_OWN = ["data-repo", "env", "publisher", "remote.git"]
_NAMES = frozenset([*_OWN, "dagster", "postgres", ".postgres.lock", "lock", "users"])
_DAGSTER = frozenset(["dagster.yaml", "logs", ".logs_queue", ".nux", ".telemetry", "storage"])
_DATABASES = re.compile(rf"{STORAGE_DATABASE}|sample_.*|{DATABASE}(_(before|restoring|drill)_.*)?")
"""The sample, its templates, and what a restore of it has kept; of others nothing is known."""


def stop_and_look() -> None:
    """Raises :class:`Busy` while somebody works in ``.local``, and :class:`PprError` where it holds
    anything but the demo's."""
    if not LOCAL.is_dir():
        return
    busy = Busy(f"busy: a demo, `make dev` or a dump works in `{LOCAL}`", hint="end it first.")
    with held_or(busy, LOCAL / "users"):
        try:
            found = [*foreign(LOCAL)]
        finally:
            embedded.stop(LOCAL / SERVER)
    if found:
        raise PprError(
            f"`{LOCAL}` holds more than the demo's, so nothing was removed: {few(found, _SHOWN)}",
            hint="a database `dagster` there is the history of real runs. Keep it with "
            f"`mv {LOCAL} SOMEWHERE`; `rm -r {LOCAL}` lets it go for good.",
        )


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


def main() -> None:
    try:
        stop_and_look()
    except Exception as error:  # noqa: BLE001 - the last one, and it ends
        told = in_words(error)
        click.echo(told.render(), err=True)
        sys.exit(told.exit_code)


if __name__ == "__main__":
    main()
