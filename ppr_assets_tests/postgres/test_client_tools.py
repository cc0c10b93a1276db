"""The right pg_dump for a server: its own major first, never an older or a broken one."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from itertools import zip_longest
from pathlib import Path

import psycopg
import pytest

from ppr_assets.demo.sample import fill
from ppr_assets.errors import DumpFailed, PreconditionFailed
from ppr_assets.postgres.client_tools import find_tool, probe
from ppr_assets.postgres.embedded import EMBEDDED_BIN
from ppr_assets.postgres.snapshot.pg_dump import PgDump
from ppr_assets.postgres.snapshot.snapshot import open_snapshot
from ppr_assets.settings import DatabaseSettings
from ppr_assets_tests.fix_debian import DebianServer

Tools = Callable[..., Path]
EMBEDDED = probe(EMBEDDED_BIN / "pg_dump")


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tools:
    """Folders with a pg_dump each that claims a version, as the whole PATH."""
    folders: list[str] = []

    def add(says: str, exit_code: int = 0) -> Path:
        folder = tmp_path / f"bin{len(folders)}"
        folder.mkdir()
        tool = folder / "pg_dump"
        tool.write_text(f"#!/bin/sh\necho '{says}'\nexit {exit_code}\n")
        tool.chmod(0o755)
        folders.append(str(folder))
        monkeypatch.setenv("PATH", os.pathsep.join(folders))
        return tool

    return add


def test_the_servers_own_major_is_taken_from_path_wherever_it_stands(tools: Tools) -> None:
    tools("pg_dump (PostgreSQL) 15.8 (Debian 15.8-1)")
    right = tools("pg_dump (PostgreSQL) 16.4")
    tools("pg_dump (PostgreSQL) 17.0")
    assert find_tool("pg_dump", 16).path == right
    assert find_tool("pg_dump", 15).version == "15.8"


def test_the_embedded_tool_steps_in_where_it_is_new_enough(tools: Tools) -> None:
    tools("pg_dump (PostgreSQL) 15.8")
    assert find_tool("pg_dump", 14).path == EMBEDDED_BIN / "pg_dump"


def test_a_tool_tells_its_version_once_and_again_when_it_was_replaced(tools: Tools) -> None:
    tool = tools("pg_dump (PostgreSQL) 15.8")
    asked = tool.parent / "asked"
    tool.write_text(f"{tool.read_text()[:10]}echo >> {asked}\n{tool.read_text()[10:]}")
    assert [probe(tool).major for _ in range(3)] == [15, 15, 15]
    assert asked.read_text() == "\n"
    tool.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 16.4'\n")
    assert probe(tool).major == 16


def test_without_a_tool_that_is_new_enough_have_and_need_are_named(tools: Tools) -> None:
    old = tools("pg_dump (PostgreSQL) 15.8")
    with pytest.raises(PreconditionFailed) as caught:
        find_tool("pg_dump", 99)
    assert caught.value.message == (
        f"no pg_dump for this server: have {old} 15.8, embedded {EMBEDDED.version}, need pg_dump 99"
    )
    assert "PostgreSQL 99 client tools" in caught.value.hint


def test_the_embedded_tool_is_no_help_where_tls_is_required(tools: Tools) -> None:
    tools("pg_dump (PostgreSQL) 15.8")
    with pytest.raises(PreconditionFailed, match="with TLS for POSTGRES_SSLMODE=verify-full"):
        find_tool("pg_dump", 18, sslmode="verify-full")


@pytest.mark.parametrize(("says", "code"), [("what?", 0), ("pg_dump (PostgreSQL) 18.6", 1)])
def test_a_tool_on_the_way_that_does_not_tell_its_version_is_an_error(
    tools: Tools, says: str, code: int
) -> None:
    broken = tools(says, code)
    with pytest.raises(PreconditionFailed, match=f"`{broken} --version` failed: exit code {code}"):
        find_tool("pg_dump", 18)


def test_a_server_of_another_major_is_dumped_with_its_own_tools(
    debian_server: DebianServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{debian_server.bin}:{os.environ['PATH']}")
    names = ("source", "restored", "again")  # the first is worded anew when it is restored
    for name in names:
        with psycopg.connect(
            host=str(debian_server.socket_dir), user="postgres", autocommit=True
        ) as session:
            session.execute(f"CREATE DATABASE {name}")
    source = debian_server.database_settings("source")
    fill(source, organizations=150, published_only=True)
    dumps = []
    for name, following in zip_longest(names, names[1:]):
        settings = debian_server.database_settings(name)
        with open_snapshot(settings, exclusive=True, lock_seconds=5) as snapshot:
            tool = find_tool("pg_dump", snapshot.server_major)
            assert tool.major == snapshot.server_major == debian_server.major
            target = tmp_path / f"{name}.sql"
            written = PgDump(tool, settings, stall_seconds=30).write(snapshot.export(), target)
            assert {key: table.rows for key, table in written.tables.items()} == snapshot.count()
        dumps.append(target.read_bytes())
        if following:
            subprocess.run(
                [debian_server.bin / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", target],
                env={
                    "PGHOST": str(debian_server.socket_dir),
                    "PGUSER": "postgres",
                    "PGDATABASE": following,
                },
                stdout=subprocess.DEVNULL,
                check=True,
            )
    assert dumps[1] == dumps[2]


def test_a_file_of_another_run_is_neither_written_nor_removed(
    database: DatabaseSettings, tmp_path: Path
) -> None:
    theirs = tmp_path / ".a-dump.partial"
    theirs.write_text("half of theirs")
    with pytest.raises(DumpFailed, match="is there already"):
        PgDump(EMBEDDED, database, stall_seconds=5).write("none", theirs)
    assert theirs.read_text() == "half of theirs"
