"""A real server for the tests, and databases that a test may destroy."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any, Protocol

import pytest
from psycopg import Connection, OperationalError, sql

from ppr_assets.demo.sample import fill
from ppr_assets.files import held
from ppr_assets.postgres import embedded
from ppr_assets.postgres.embedded import EMBEDDED_BIN, EmbeddedServer
from ppr_assets.postgres.sessions.libpq import client_environment
from ppr_assets.postgres.sessions.patience import PatientConnection
from ppr_assets.settings import DatabaseSettings
from ppr_assets_tests import lenient_policy  # noqa: F401 - the databases of tests are made up
from ppr_assets_tests.application import KEPT, connect

OWNER = "pantry_pirate_radio"
"""An ordinary role that owns its databases: what a test does needs no more rights than a user's."""

SMALL = 200
"""Organizations of the ``database`` fixture: 6,000 rows, filled once in 1 s."""


class SampleDatabase(Protocol):
    """Makes a database with a sample; the same sample twice costs only a copy (0.1 s).

    Without ``private`` it is as somebody has it who restored a dump: nothing in it is withheld.
    """

    def __call__(
        self, organizations: int = SMALL, seed: int = 1, *, private: bool = False
    ) -> DatabaseSettings: ...


class Databases:
    """Names, makes and drops databases of one server, in a session that is kept.

    One in which nobody has written is what it was copied from, and is kept for the next test that
    asks for the same: to make another one and drop it takes as long as ten connections. ``samples``
    is a folder in which all workers find what one of them has filled.
    """

    def __init__(self, server: EmbeddedServer, samples: Path) -> None:
        self.server = server
        self._samples = samples
        self._numbers = count(1)
        self._written: dict[str, int] = {}
        """The number of the next transaction that writes, when each was made."""
        self._unwritten: dict[str, DatabaseSettings] = {}
        """Those that are kept, by their template."""
        self._templates: dict[tuple[int, int, bool], str] = {}
        self.copied_from: dict[str, str] = {}
        """The template of each database, by their names."""
        self.handed_over: dict[str, DatabaseSettings] = {}
        """Of each template, the copy in which everything is another role's: see MakeTarget."""
        self._kept = self._connected()
        self._at = server.database_settings("postgres")
        KEPT[self._at.host, self._at.port] = self._session

    def template(self, organizations: int, seed: int, *, private: bool = False) -> str:
        """The database that copies of this sample are made from; filled when first asked for.

        It is what psql makes of a dump, after which PostgreSQL words its definitions in one way for
        good: a dump of a copy and of what is restored from it are the same bytes.
        """
        sample = organizations, seed, private
        if sample not in self._templates:
            name = f"template_{organizations}_{seed}{'_private' if private else ''}"
            dump = self._samples / f"{name}.sql"
            with held(dump.with_suffix(".lock"), wait_seconds=None):
                if not dump.exists():
                    filled = self._made(f"{name}_filled")
                    fill(filled, organizations=organizations, seed=seed, published_only=not private)
                    begun = dump.with_suffix(".begun")
                    _run_tool(filled, "pg_dump", f"--file={begun}")
                    begun.rename(dump)
                    self.drop(filled)
            settled = self._made(name)
            _run_tool(settled, "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", f"--file={dump}")
            self._templates[sample] = name
        return self._templates[sample]

    def _made(self, name: str) -> DatabaseSettings:
        self.server.create_database(name, owner=OWNER)
        return self.server.database_settings(name, OWNER)

    def create(self, template: str = "template1") -> DatabaseSettings:
        if (kept := self._unwritten.pop(template, None)) is not None:
            return kept
        name = f"test_{next(self._numbers)}"
        self.copied_from[name] = template
        session = self._session()
        session.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {} STRATEGY file_copy").format(
                *map(sql.Identifier, (name, template, OWNER))
            )
        )
        self._written[name] = _next_write(session)
        return self.server.database_settings(name, OWNER)

    def drop(self, database: DatabaseSettings) -> None:
        """Drop it, with sessions that a test has left behind; also when a test dropped it first."""
        name, session = database.dbname, self._session()
        template = self.copied_from.get(name)
        if template and template not in self._unwritten and self._is_unwritten(session, name):
            self._unwritten[template] = self.server.database_settings(name, OWNER)
            return
        statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
        session.execute(statement.format(sql.Identifier(name)))

    def close(self) -> None:
        del KEPT[self._at.host, self._at.port]
        self._kept.close()

    def _is_unwritten(self, session: Connection[Any], name: str) -> bool:
        """Nobody has written anywhere in the server meanwhile, and nobody is about to in this."""
        if _next_write(session) != self._written[name]:
            return False
        found = session.execute("SELECT FROM pg_stat_activity WHERE datname = %s", [name])
        return found.fetchone() is None

    def _session(self) -> PatientConnection:
        """The one that is kept; another one where a test has ended all sessions."""
        try:
            self._kept.execute("SELECT")
        except OperationalError:
            self._kept = self._connected()
        return self._kept

    def _connected(self) -> PatientConnection:
        session = connect(self.server.database_settings("postgres"), autocommit=True)
        session.execute("SET application_name TO 'tests'")  # it is none of the product's
        return session


def _next_write(session: Connection[Any]) -> int:
    """The number of the server's next transaction that writes; one that only reads takes none."""
    row = session.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint").fetchone()
    assert row is not None
    return int(row[0])


def _run_tool(database: DatabaseSettings, name: str, *options: str) -> None:
    command = [str(EMBEDDED_BIN / name), *options]
    subprocess.run(command, env=client_environment(database), capture_output=True, check=True)


@pytest.fixture(scope="session")
def embedded_server() -> Iterator[EmbeddedServer]:
    """One server for the session of a worker, in a folder of its own, gone at the end. Its tools
    stand first on PATH, before those of the machine.

    It leaves to the system when its files reach the disk: nobody pulls the plug on a test, and a
    killed server loses nothing by that. Nor does it clean up, which it would do in each database
    once a minute: a database of a test is gone by then.
    """
    folder = passable_folder()
    server = embedded.start(folder / "postgres")
    with connect(server.database_settings("postgres"), autocommit=True) as session:
        for setting in (
            "fsync TO off",
            "full_page_writes TO off",
            "max_wal_size TO '128MB'",
            "autovacuum TO off",
        ):
            session.execute(f"ALTER SYSTEM SET {setting}".encode())
        session.execute("SELECT pg_reload_conf()")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(EMBEDDED_BIN), prepend=os.pathsep)
        yield server
    server.stop()
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def databases(
    embedded_server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Databases]:
    with connect(embedded_server.database_settings("postgres")) as session:
        session.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(OWNER)))
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # that of all workers
    databases = Databases(embedded_server, folder)
    yield databases
    databases.close()


@pytest.fixture
def sample_database(databases: Databases) -> Iterator[SampleDatabase]:
    """A factory of databases with a sample of the wanted size and seed, dropped afterwards."""
    made: list[DatabaseSettings] = []

    def make(
        organizations: int = SMALL, seed: int = 1, *, private: bool = False
    ) -> DatabaseSettings:
        made.append(databases.create(databases.template(organizations, seed, private=private)))
        return made[-1]

    yield make
    for database in made:
        databases.drop(database)


@pytest.fixture
def empty_database(databases: Databases) -> Iterator[Callable[[], DatabaseSettings]]:
    """A factory of empty databases, dropped afterwards."""
    made: list[DatabaseSettings] = []

    def make() -> DatabaseSettings:
        made.append(databases.create())
        return made[-1]

    yield make
    for database in made:
        databases.drop(database)


@pytest.fixture
def database(sample_database: SampleDatabase) -> DatabaseSettings:
    """A fresh copy of a small sample."""
    return sample_database()


@pytest.fixture
def server_folder() -> Iterator[Path]:
    """A folder for servers of the test's own; what still runs in it is stopped at the end."""
    folder = passable_folder()
    yield folder
    for pid_file in folder.rglob("postmaster.pid"):
        embedded.stop(pid_file.parent)
    shutil.rmtree(folder)


def passable_folder() -> Path:
    """A new folder that the server's account may enter; pytest's own are closed to others.

    Only that matters to root, whose server runs under another account.
    """
    folder = Path(tempfile.mkdtemp(prefix="ppr_assets-test-"))
    folder.chmod(0o711)
    return folder
