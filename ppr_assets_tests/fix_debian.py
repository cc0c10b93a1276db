"""A server of another major version than the embedded one: Debian's, where it is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ppr_assets.postgres.embedded.accounts import account_for
from ppr_assets.settings import DatabaseSettings, Secret
from ppr_assets_tests.fix_postgres import passable_folder


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


@pytest.fixture(scope="session")
def debian_server() -> Iterator[DebianServer]:
    """A fresh cluster of the newest server below /usr/lib/postgresql; in CI it must be there."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        if os.environ.get("CI") == "true":
            pytest.fail("no server below /usr/lib/postgresql, and CI needs one")
        pytest.skip("no server below /usr/lib/postgresql (Debian: apt-get install postgresql)")
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

    run("initdb", "--pgdata=.", "--username=postgres", "--auth=trust", "--encoding=UTF8")
    options = f"-c listen_addresses='' -c unix_socket_directories={data_dir}"
    run("pg_ctl", "start", "--pgdata=.", "--wait", "--log=log", f"--options={options}")
    try:
        yield DebianServer(int(binaries.parent.name), binaries, data_dir)
    finally:
        run("pg_ctl", "stop", "--pgdata=.", "--mode=fast", "--wait")
        shutil.rmtree(folder)
