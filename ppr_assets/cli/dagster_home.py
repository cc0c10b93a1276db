"""Where Dagster keeps what it knows when the command line runs a job.

With DAGSTER_HOME set it is the operator's. Otherwise it is a folder of the project, with the
project's own ``dagster.yaml`` and, unless DAGSTER_POSTGRES_URL names another, the embedded server
as storage: a dump made on a laptop has its lineage all the same.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ppr_assets.postgres import embedded
from ppr_assets.settings import Settings, export

if TYPE_CHECKING:
    from dagster import DagsterInstance

LOCAL = Path(".local")
"""Everything that the project makes for itself in the working folder; git-ignored."""

STORAGE_DATABASE = "dagster"
_CONFIG = Path("dagster.yaml")


@contextmanager
def dagster_home(settings: Settings) -> Iterator[Path]:
    """Provide a DAGSTER_HOME, and stop what was started for it."""
    if settings.dagster_home is not None:
        yield settings.dagster_home
        return
    home = (LOCAL / "dagster").resolve()
    home.mkdir(parents=True, exist_ok=True)
    if not _CONFIG.exists():  # installed, not cloned: Dagster's own default, files in this folder
        yield home
        return
    shutil.copyfile(_CONFIG, home / _CONFIG.name)
    if settings.dagster_postgres_url is not None:  # perhaps from .env, which Dagster may not see
        export("DAGSTER_POSTGRES_URL", settings.dagster_postgres_url.reveal())
        yield home
        return
    server = embedded.start(LOCAL.resolve() / "postgres")
    try:
        server.create_database(STORAGE_DATABASE)
        export("DAGSTER_POSTGRES_URL", server.url(STORAGE_DATABASE))
        yield home
    finally:
        if server.started_here:
            server.stop()


@contextmanager
def dagster_instance(settings: Settings) -> Iterator[DagsterInstance]:
    """The instance whose storage keeps runs, events and lineage."""
    from dagster import DagsterInstance

    with dagster_home(settings) as home:
        export("DAGSTER_HOME", str(home))
        with DagsterInstance.from_config(str(home)) as instance:
            yield instance
