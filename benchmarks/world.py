"""The sample database and the repositories that all contestants work on."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import git

from benchmarks.measure import clean_environment
from ppr_assets.demo import playground as world
from ppr_assets.demo.playground import DATABASE, ROLE, Playground
from ppr_assets.postgres.embedded import EMBEDDED_BIN
from ppr_assets.postgres.sessions.connection import connect

PG_DUMP = str(EMBEDDED_BIN / "pg_dump")
PPR_ASSETS = str(Path(sys.executable).with_name("ppr-assets"))


class Arena:
    """A playground, and clones for the peers with bare remotes of their own."""

    def __init__(self, folder: Path, organizations: int) -> None:
        self.playground: Playground = world.open_playground(folder)
        self.organizations = organizations
        world.fill_database(self.playground, organizations=organizations)
        world.fresh_data_repository(self.playground)

    def environment(self) -> dict[str, str]:
        return clean_environment(
            PGHOST=str(self.playground.server.socket_dir),
            PGPORT=str(self.playground.server.port),
            PGUSER=ROLE,
            PGDATABASE=DATABASE,
            **self.playground.variables(),
        )

    def peer_clone(self, name: str) -> Path:
        """A clone with a remote of its own, as empty as ours."""
        remote, clone = (self.playground.folder / f"{name}{end}" for end in (".git", ""))
        for folder in (remote, clone):
            shutil.rmtree(folder, ignore_errors=True)
        git.Repo.clone_from(str(self.playground.remote), remote, bare=True).close()
        git.Repo.clone_from(str(remote), clone).close()
        (clone / "sql_dumps").mkdir()
        return clone

    def change_one_percent(self, round_: int) -> None:
        """Another hundredth of the organizations each time, so that there is something to dump."""
        settings = self.playground.server.database_settings(DATABASE, user=ROLE)
        with connect(settings) as session:
            session.execute(
                "UPDATE public.organization SET description = %s || left(description, 200) "
                "WHERE abs(hashtext(id::text)) %% 100 = %s",
                [f"Updated in round {round_}. ", round_ % 100],
            )

    def stop(self) -> None:
        self.playground.server.stop()
