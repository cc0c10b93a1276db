"""A server of another major version than the embedded one: Debian's, where it is installed.

It may have PostGIS, which the embedded one has not. In CI both must be there; elsewhere a test
that lacks one of them is skipped, and says what to install.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import NoReturn

import pytest
from psycopg import sql

from ppr_assets.postgres.embedded.accounts import account_for
from ppr_assets.settings import DatabaseSettings, Secret
from ppr_assets_tests.application import connect
from ppr_assets_tests.fix_nasty import fill_core
from ppr_assets_tests.fix_postgres import passable_folder

_PLACES = Path(__file__).parent / "nasty" / "postgis" / "places.sql"
_numbers = count(1)


@dataclass(frozen=True)
class DebianServer:
    major: int
    bin: Path
    socket_dir: Path

    def database_settings(self, dbname: str) -> DatabaseSettings:
        return DatabaseSettings(
            host=str(self.socket_dir),
            port=5432,
            user="postgres",
            dbname=dbname,
            sslmode=None,
            password=Secret(""),
        )

    def execute(self, statement: sql.Composed | str) -> None:
        with connect(self.database_settings("postgres"), autocommit=True) as session:
            session.execute(statement)


def missing(what: str, packages: str) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what}, and CI needs one")
    pytest.skip(f"{what} (Debian: apt-get install {packages})")


@contextmanager
def debian_cluster() -> Iterator[DebianServer]:
    """A fresh cluster of the newest server below /usr/lib/postgresql; in CI it must be there."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        missing("no server below /usr/lib/postgresql", "postgresql")
    binaries = found[-1].parent
    folder = passable_folder()
    data_dir = folder / "data"
    data_dir.mkdir(mode=0o700)
    account = account_for(folder / "new")  # whom root would hand an embedded server to
    if account is not None:
        os.chown(data_dir, account.uid, account.gid)

    def run(name: str, *arguments: str) -> None:
        argv = [str(binaries / name), *arguments]
        subprocess.run(
            account.command(argv) if account else argv,
            cwd=data_dir,
            check=True,
            stdout=subprocess.DEVNULL,
            **(account.privileges() if account else {}),
        )

    run(
        "initdb",
        "--pgdata=.",
        "--username=postgres",
        "--auth=trust",
        "--encoding=UTF8",
        "--locale=C.UTF-8",  # one that takes no other encoding, as servers mostly have
        "--no-sync",
    )
    options = f"-c listen_addresses='' -c unix_socket_directories={data_dir} -c fsync=off"
    run("pg_ctl", "start", "--pgdata=.", "--wait", "--log=log", f"--options={options}")
    try:
        yield DebianServer(int(binaries.parent.name), binaries, data_dir)
    finally:
        run("pg_ctl", "stop", "--pgdata=.", "--mode=fast", "--wait")
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def debian_server() -> Iterator[DebianServer]:
    """See :func:`debian_cluster`; one for all tests of a worker."""
    with debian_cluster() as server:
        yield server


@pytest.fixture
def debian_database(
    debian_server: DebianServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], DatabaseSettings]]:
    """A factory of empty databases there, dropped afterwards. Its tools stand first on PATH."""
    monkeypatch.setenv("PATH", f"{debian_server.bin}{os.pathsep}{os.environ['PATH']}")
    made: list[DatabaseSettings] = []

    def make() -> DatabaseSettings:
        name = f"test_{next(_numbers)}"
        debian_server.execute(f"CREATE DATABASE {name}")
        made.append(debian_server.database_settings(name))
        return made[-1]

    yield make
    for database in made:
        debian_server.execute(f"DROP DATABASE IF EXISTS {database.dbname} WITH (FORCE)")


def require_postgis(database: DatabaseSettings, major: int) -> None:
    """Skip the test where the server has no PostGIS; fail it in CI."""
    with connect(database) as session:
        query = "SELECT FROM pg_available_extensions WHERE name = 'postgis'"
        if not session.execute(query).rowcount:
            missing(f"no PostGIS for PostgreSQL {major}", f"postgresql-{major}-postgis-3")


@pytest.fixture
def postgis_database(
    debian_server: DebianServer, debian_database: Callable[[], DatabaseSettings]
) -> DatabaseSettings:
    """Places on the earth: geography, geometry, their indexes and views, and a reference system
    that was added to those that PostGIS brings along."""
    database = debian_database()
    require_postgis(database, debian_server.major)
    fill_core(database)
    with connect(database, autocommit=True) as session:
        session.execute(_PLACES.read_bytes())
    return database
