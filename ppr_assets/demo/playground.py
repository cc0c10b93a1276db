"""A world to try everything in: a sample database, a data repository, its remote, a publisher.

The demo, ``make dev`` on a laptop and the benchmarks work on it. Everything lies in one folder,
and nothing outside of it is touched. The programs are the real ones; only the data are made up.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import git
from msgspec import Struct
from psycopg import sql

from ppr_assets.demo.sample import SAMPLE_TABLES, fill
from ppr_assets.errors import Busy
from ppr_assets.files import held_or
from ppr_assets.postgres import embedded
from ppr_assets.postgres.embedded import EmbeddedServer
from ppr_assets.postgres.sessions.connection import connect
from ppr_assets.settings import Settings

ROLE = "pantry_pirate_radio"
DATABASE = "pantry_pirate_radio"
STORAGE_DATABASE = "playground_dagster"
"""Apart from that of real runs: an auditor shall not meet made-up ones among them."""
BRANCH = "main"
_PUBLISHER = git.Actor("HAARRRvest Publisher", "publisher@example.com")
_README = "# HAARRRvest (sample)\n\nPublic food-resource data, made up for trying things out.\n"


class Playground(Struct, frozen=True):
    """Where things lie below ``folder``. ``server`` runs until somebody stops it."""

    folder: Path
    server: EmbeddedServer

    @property
    def remote(self) -> Path:
        """The bare repository that stands for the forge."""
        return self.folder / "remote.git"

    @property
    def data_repo(self) -> Path:
        """The clone that dumps are committed in."""
        return self.folder / "data-repo"

    @property
    def publisher(self) -> Path:
        """The clone of the program that publishes data."""
        return self.folder / "publisher"

    @property
    def env_file(self) -> Path:
        """The variables that lead here, for ``ppr-assets --env-file``."""
        return self.folder / "env"

    def variables(self) -> Mapping[str, str]:
        return {
            "POSTGRES_HOST": str(self.server.socket_dir),
            "POSTGRES_PORT": str(self.server.port),
            "POSTGRES_USER": ROLE,
            "POSTGRES_DB": DATABASE,
            "POSTGRES_PASSWORD": "",
            "DATA_REPO_PATH": str(self.data_repo),
            "DATA_REPO_URL": str(self.remote),
            "DATA_REPO_BRANCH": BRANCH,
            "PUBLISHER_PUSH_ENABLED": "true",
            "DAGSTER_POSTGRES_URL": self.server.url(STORAGE_DATABASE),
        }

    def settings(self) -> Settings:
        """The settings of this playground and nothing else: no variable from outside counts."""
        return Settings.from_environment(self.variables(), dotenv=None)


@contextmanager
def playground_lock(folder: Path) -> Iterator[None]:
    """Hold the playground in ``folder``, made if needed. Raises :class:`Busy` if it is in use:
    the demo makes anew what ``make dev`` shows."""
    folder.mkdir(parents=True, exist_ok=True)
    busy = Busy(
        f"busy: another demo or `make dev` works in `{folder}`",
        hint="end it with Ctrl-C first; both use the same sample database.",
    )
    with held_or(busy, folder / "lock"):
        yield


def open_playground(folder: Path) -> Playground:
    """Start or find the server of ``folder``, and write the file of variables."""
    playground = Playground(folder.resolve(), embedded.start(folder / "postgres"))
    playground.server.create_database(STORAGE_DATABASE)
    lines = [f"{name}={value}\n" for name, value in playground.variables().items()]
    playground.env_file.write_text("".join(lines), encoding="utf-8")
    return playground


def fill_database(playground: Playground, *, organizations: int, seed: int = 1) -> int:
    """Make the sample database anew and return its number of records.

    It is copied from a template that is kept, so that doing it again takes no time.
    """
    server = playground.server
    template = f"sample_{organizations}_{seed}"
    if not _exists(server, template):
        unfinished = f"{template}_unfinished"
        _drop(server, unfinished)
        server.create_database(unfinished, owner=ROLE)
        fill(
            server.database_settings(unfinished, user=ROLE),
            organizations=organizations,
            seed=seed,
        )
        _run(server, "ALTER DATABASE {} RENAME TO {}", unfinished, template)
    _drop(server, DATABASE)
    _run(server, "ALTER ROLE {} CREATEDB", ROLE)  # dumps are proven beside the database
    _run(server, "CREATE DATABASE {} TEMPLATE {} OWNER {}", DATABASE, template, ROLE)
    return _count_records(server)


def fresh_data_repository(playground: Playground) -> str:
    """Make remote, clone and publisher anew; return the first publishing commit."""
    for folder in (playground.remote, playground.data_repo, playground.publisher):
        if folder.exists():
            shutil.rmtree(folder)
    git.Repo.init(playground.remote, bare=True, initial_branch=BRANCH)
    with git.Repo.init(playground.publisher, initial_branch=BRANCH) as repo:
        repo.create_remote("origin", str(playground.remote))
    commit = publish_data(playground, "Data update for 2026-11-22 02:00 UTC", _README)
    git.Repo.clone_from(str(playground.remote), playground.data_repo, branch=BRANCH).close()
    return commit


def publish_data(playground: Playground, subject: str, text: str) -> str:
    """Commit and push as the publisher does; return the commit."""
    with git.Repo(playground.publisher) as repo:
        (playground.publisher / "README.md").write_text(text, encoding="utf-8")
        repo.index.add(["README.md"])
        commit = repo.index.commit(subject, author=_PUBLISHER, committer=_PUBLISHER)
        repo.remote("origin").push(f"HEAD:{BRANCH}").raise_if_error()
        return commit.hexsha


def lose_a_third_of_the_organizations(playground: Playground) -> int:
    """What a scraper run gone wrong does; returns how many are left."""
    settings = playground.server.database_settings(DATABASE, user=ROLE)
    with connect(settings) as session:
        session.execute(
            "DELETE FROM public.organization WHERE id IN (SELECT id FROM public.organization "
            "ORDER BY id LIMIT (SELECT pg_catalog.count(*) / 3 FROM public.organization))"
        )
        row = session.execute("SELECT pg_catalog.count(*) FROM public.organization").fetchone()
        assert row is not None
        return int(row[0])


def _count_records(server: EmbeddedServer) -> int:
    counts = sql.SQL(" UNION ALL ").join(
        sql.SQL("SELECT pg_catalog.count(*) FROM public.{}").format(sql.Identifier(table))
        for table in SAMPLE_TABLES
    )
    with connect(server.database_settings(DATABASE)) as session:
        return sum(int(rows) for (rows,) in session.execute(counts))


def _exists(server: EmbeddedServer, dbname: str) -> bool:
    with connect(server.database_settings(server.superuser)) as session:
        found = session.execute("SELECT FROM pg_catalog.pg_database WHERE datname = %s", [dbname])
        return found.fetchone() is not None


def _drop(server: EmbeddedServer, dbname: str) -> None:
    _run(server, "DROP DATABASE IF EXISTS {} WITH (FORCE)", dbname)


def _run(server: EmbeddedServer, statement: str, *names: str) -> None:
    with connect(server.database_settings(server.superuser), autocommit=True) as session:
        query = sql.SQL(statement)  # statements of this module only
        session.execute(query.format(*map(sql.Identifier, names)))
