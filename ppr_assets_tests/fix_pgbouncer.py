"""PgBouncer before the tests' server, where it is installed (Debian: apt-get install pgbouncer)."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from ppr_assets.postgres.embedded.accounts import account_for
from ppr_assets.settings import DatabaseSettings
from ppr_assets_tests.fix_debian import missing
from ppr_assets_tests.fix_postgres import passable_folder

Pooled = Callable[..., DatabaseSettings]
"""``pooled(settings, mode="session", databases="one = dbname=one")``: settings that lead there."""

_CONFIG = """
[databases]
{databases}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {folder}/users
logfile = {folder}/log
pool_mode = {mode}
default_pool_size = 30
server_reset_query =
query_wait_timeout = 20
{more}
"""


@pytest.fixture
def pooled() -> Iterator[Pooled]:
    """A factory of poolers for the database of the settings; each ends with the test."""
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin")
    if program is None:
        missing("no PgBouncer on PATH", "pgbouncer")
    processes: list[subprocess.Popen[bytes]] = []
    folder = passable_folder()

    def start(
        settings: DatabaseSettings,
        *,
        mode: str = "session",
        databases: str = "",
        more: str = "",
    ) -> DatabaseSettings:
        own = folder / str(len(processes))
        own.mkdir()
        account = account_for(folder / "new")
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        listed = databases or f"{settings.dbname} ="
        where = f" host={settings.host} port={settings.port} "
        lines = [line.replace("=", f"={where}", 1) for line in listed.splitlines()]
        config = _CONFIG.format(
            databases="\n".join(lines), port=port, folder=own, mode=mode, more=more
        )
        (own / "config").write_text(config)
        (own / "users").write_text(f'"{settings.user}" ""\n"postgres" ""\n')
        if account is not None:
            for path in (own, *own.iterdir()):
                os.chown(path, account.uid, account.gid)
        argv = [program, "-q", str(own / "config")]
        processes.append(
            subprocess.Popen(
                account.command(argv) if account else argv,
                stderr=subprocess.DEVNULL,
                **(account.privileges() if account else {}),
            )
        )
        _await(port, own / "log")
        return replace(settings, host="127.0.0.1", port=port)

    yield start
    for process in processes:
        process.terminate()
        process.wait(20)
    shutil.rmtree(folder)


def _await(port: int, log: Path) -> None:
    for _ in range(200):
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise AssertionError(log.read_text() if log.exists() else "PgBouncer did not start")
