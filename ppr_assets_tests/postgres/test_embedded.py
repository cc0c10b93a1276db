"""The embedded server: start, find, stop, after everything that can happen to it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from ppr_assets.errors import DatabaseUnreachable, PreconditionFailed
from ppr_assets.postgres import embedded
from ppr_assets.postgres.embedded import EmbeddedServer, accounts, data_folder, launching
from ppr_assets.postgres.embedded.postmaster import processes_in
from ppr_assets_tests.application import connect
from ppr_assets_tests.fix_postgres import passable_folder

needs_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root hands the server to another account"
)

START_AND_TELL = """
import sys
from pathlib import Path
from ppr_assets.postgres import embedded
server = embedded.start(Path(sys.argv[1]))
print(server.started_here, flush=True)
sys.stdin.read()
"""

# For the server's own shell, in the data folder. It ends by itself in a test that has failed.
UNTIL_LET_GO = (
    "for i in $(seq 1200); do [ -e let_go ] && break; sleep 0.05; done; touch let_go; false"
)


def ask(server: EmbeddedServer, question: str) -> object:
    with connect(server.database_settings("postgres"), autocommit=True) as session:
        row = session.execute(question.encode()).fetchone()
        assert row is not None
        return row[0]


def has_database(server: EmbeddedServer, name: str) -> bool:
    return ask(server, f"SELECT count(*) FROM pg_database WHERE datname = '{name}'") == 1


def postmaster(data_dir: Path) -> psutil.Process:
    return psutil.Process(int((data_dir / "postmaster.pid").read_text().splitlines()[0]))


def kill_postmaster(data_dir: Path) -> None:
    process = postmaster(data_dir)
    process.kill()
    wait_until(lambda: gone(process))


def gone(process: psutil.Process) -> bool:
    """Ended, though perhaps its parent has not looked yet."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_until(condition: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture(scope="module")
def initialized() -> Iterator[Path]:
    """A data folder that has run once; making one takes most of a test's time."""
    folder = passable_folder()
    embedded.start(folder / "postgres").stop()
    yield folder / "postgres"
    shutil.rmtree(folder)


@pytest.fixture
def data_dir(initialized: Path, server_folder: Path) -> Path:
    """A stopped server's folder, for this test alone."""
    subprocess.run(["cp", "-a", str(initialized), str(server_folder)], check=True)
    return server_folder / "postgres"


@contextmanager
def another_process(data_dir: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that starts the server, says whether it did, and stays."""
    with subprocess.Popen(
        [sys.executable, "-c", START_AND_TELL, str(data_dir)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_a_new_folder_becomes_a_server_that_listens_on_its_socket_only(server_folder: Path) -> None:
    server = embedded.start(server_folder / "deep" / "postgres")
    assert server.started_here
    assert ask(server, "SHOW listen_addresses") == ""
    assert ask(server, "SHOW server_encoding") == "UTF8"
    assert ask(server, "SHOW fsync") == "on"
    assert server.socket_dir.stat().st_mode & 0o077 == 0


def test_a_second_start_finds_the_server_of_the_first(data_dir: Path) -> None:
    first = embedded.start(data_dir)
    process = postmaster(first.data_dir)
    second = embedded.start(data_dir)
    assert not second.started_here
    assert second == embedded.find(data_dir)
    assert postmaster(first.data_dir) == process


def test_nothing_is_found_where_nothing_runs(server_folder: Path) -> None:
    data_dir = server_folder / "postgres"
    assert embedded.find(data_dir) is None
    assert not embedded.stop(data_dir)
    assert list(server_folder.iterdir()) == []


def test_a_stopped_server_is_gone_and_its_data_come_back(data_dir: Path) -> None:
    server = embedded.start(data_dir)
    server.create_database("kept")
    process = postmaster(data_dir)
    assert embedded.stop(data_dir)
    wait_until(lambda: gone(process))
    assert embedded.find(data_dir) is None
    assert not embedded.stop(data_dir)
    assert has_database(embedded.start(data_dir), "kept")


def test_a_killed_server_starts_again_at_once(data_dir: Path) -> None:
    server = embedded.start(data_dir)
    server.create_database("kept")
    kill_postmaster(data_dir)
    assert embedded.find(data_dir) is None
    again = embedded.start(data_dir)
    assert again.started_here
    assert has_database(again, "kept")


def test_a_killed_owner_leaves_a_server_that_is_found(data_dir: Path) -> None:
    with another_process(data_dir) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "True\n"
        owner.kill()
        owner.wait()
    server = embedded.start(data_dir)
    assert not server.started_here
    assert ask(server, "SELECT 1") == 1


def test_an_owner_killed_while_it_makes_the_folder_leaves_nothing_in_the_way(
    server_folder: Path,
) -> None:
    data_dir = server_folder / "postgres"
    while not any(server_folder.glob(".postgres.unfinished-*")):  # again if it was done before
        embedded.stop(data_dir)
        shutil.rmtree(data_dir, ignore_errors=True)
        with another_process(data_dir) as owner:
            wait_until(lambda: any(server_folder.rglob("PG_VERSION")))
            owner.kill()
            owner.wait()
    assert not data_dir.exists()
    assert ask(embedded.start(data_dir), "SELECT 1") == 1
    assert sorted(p.name for p in server_folder.iterdir()) == [".postgres.lock", "postgres"]


def test_a_number_that_now_belongs_to_another_process_is_no_server(data_dir: Path) -> None:
    embedded.start(data_dir)
    killed = postmaster(data_dir).pid
    kill_postmaster(data_dir)
    stranger = subprocess.Popen(["sleep", "600"], user=data_dir.stat().st_uid)
    try:
        for name in ("postmaster.pid", ".s.PGSQL.5432.lock"):
            text = (data_dir / name).read_text()
            (data_dir / name).write_text(text.replace(f"{killed}\n", f"{stranger.pid}\n", 1))
        assert embedded.find(data_dir) is None
        assert not embedded.stop(data_dir)
        server = embedded.start(data_dir)
        assert server.started_here
        assert ask(server, "SELECT 1") == 1
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


@pytest.mark.parametrize("content", ["", "\n", "not a number\n", "1\n/some", "\0\0\0\0"])
def test_a_half_written_pid_file_is_survived(data_dir: Path, content: str) -> None:
    (data_dir / "postmaster.pid").write_text(content)
    assert embedded.find(data_dir) is None
    assert not embedded.stop(data_dir)
    assert ask(embedded.start(data_dir), "SELECT 1") == 1


def test_the_children_of_a_killed_server_are_never_joined_by_a_second_one(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded.start(data_dir)
    child = next(c for c in postmaster(data_dir).children() if "walwriter" in " ".join(c.cmdline()))
    child.suspend()
    kill_postmaster(data_dir)
    wait_until(lambda: [left.pid for left in processes_in(data_dir)] == [child.pid])
    monkeypatch.setattr(data_folder, "LEFTOVERS_SECONDS", 0.5)
    with pytest.raises(PreconditionFailed, match=f"still work in .*: {child.pid}$"):
        embedded.start(data_dir)
    child.resume()
    assert ask(embedded.start(data_dir), "SELECT 1") == 1


def test_two_servers_side_by_side_do_not_disturb_each_other(server_folder: Path) -> None:
    left, right = embedded.start(server_folder / "left"), embedded.start(server_folder / "right")
    left.create_database("only_here")
    process = postmaster(right.data_dir)
    left.stop()
    assert not has_database(right, "only_here")
    embedded.start(left.data_dir)
    assert postmaster(right.data_dir) == process


def test_two_processes_that_start_at_once_end_with_one_server(server_folder: Path) -> None:
    data_dir = server_folder / "postgres"
    with another_process(data_dir) as one, another_process(data_dir) as other:
        assert one.stdout is not None
        assert other.stdout is not None
        answers = [one.stdout.readline().strip(), other.stdout.readline().strip()]
    assert sorted(answers) == ["False", "True"]
    servers = {
        process.pid: process.info["ppid"]
        for process in psutil.process_iter(["cwd", "ppid"])
        if process.info["cwd"] == str(data_dir)
    }
    assert len([pid for pid, parent in servers.items() if parent not in servers]) == 1


@pytest.mark.parametrize("name", ["x" * 120, 'quo"te', "com,ma", "a b $HOME 'x' `id`"])
def test_any_path_gets_a_socket_that_clients_reach(server_folder: Path, name: str) -> None:
    server = embedded.start(server_folder / name / "postgres")
    assert ask(server, "SHOW data_directory") == str(server_folder / name / "postgres")
    psql = [str(embedded.EMBEDDED_BIN / "psql"), "-XAtc", "SELECT 7", "-d", server.url("postgres")]
    assert subprocess.run(psql, capture_output=True, text=True, check=True).stdout == "7\n"
    server.stop()
    assert server.socket_dir == server.data_dir or not server.socket_dir.exists()


def test_a_short_socket_folder_that_somebody_else_made_is_refused(server_folder: Path) -> None:
    server = embedded.start(server_folder / ("x" * 120))
    server.stop()
    server.socket_dir.mkdir(mode=0o777)
    server.socket_dir.chmod(0o777)
    with pytest.raises(PreconditionFailed, match="is not a private folder"):
        embedded.start(server.data_dir)
    server.socket_dir.rmdir()


def test_a_folder_removed_under_its_server_is_made_anew(data_dir: Path) -> None:
    embedded.start(data_dir)
    old = postmaster(data_dir)
    shutil.rmtree(data_dir)
    server = embedded.start(data_dir)
    assert server.started_here
    assert gone(old)
    assert ask(server, "SELECT 1") == 1


def test_a_server_that_does_not_start_shows_the_end_of_its_log(data_dir: Path) -> None:
    with (data_dir / "postgresql.conf").open("a") as stream:
        stream.write("no_such_parameter = 1\n")
    with pytest.raises(DatabaseUnreachable, match="did not start: exit code 1") as failure:
        embedded.start(data_dir)
    assert 'unrecognized configuration parameter "no_such_parameter"' in failure.value.hint
    assert "ready to accept connections" not in failure.value.hint, "an earlier start's lines"


def test_a_recovery_longer_than_the_limit_is_left_alone_and_found_later(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (data_dir / "recovery.signal").touch()
    owner = data_dir.stat()
    os.chown(data_dir / "recovery.signal", owner.st_uid, owner.st_gid)
    with (data_dir / "postgresql.conf").open("a") as stream:
        stream.write("hot_standby = off\n")
        stream.write(f"restore_command = '{UNTIL_LET_GO}'\n")
    monkeypatch.setattr(launching, "START_LIMIT_SECONDS", 1)
    with pytest.raises(DatabaseUnreachable, match=r"no sessions after 1 s: .* is starting"):
        embedded.start(data_dir)
    recovering = postmaster(data_dir)
    assert embedded.find(data_dir) is None
    (data_dir / "let_go").touch()
    monkeypatch.undo()
    server = embedded.start(data_dir)
    assert not server.started_here
    assert postmaster(data_dir) == recovering
    assert ask(server, "SELECT 1") == 1


def test_a_folder_with_other_things_in_it_is_refused(server_folder: Path) -> None:
    (server_folder / "thesis.odt").touch()
    with pytest.raises(PreconditionFailed, match="neither empty nor a data folder"):
        embedded.start(server_folder)
    assert (server_folder / "thesis.odt").exists()
    server_folder.with_name(f".{server_folder.name}.lock").unlink()


def test_a_database_is_made_once_with_an_owner_who_may_log_in(data_dir: Path) -> None:
    server = embedded.start(data_dir)
    for _ in range(2):
        server.create_database("pantry", owner="ppr")
    with connect(server.database_settings("pantry", user="ppr")) as session:
        assert session.execute("SELECT current_user, current_database()").fetchone() == (
            "ppr",
            "pantry",
        )


@needs_root
def test_root_works_in_a_closed_folder_and_leaves_it_closed(server_folder: Path) -> None:
    closed = server_folder / "closed"
    closed.mkdir(mode=0o700)
    server = embedded.start(closed / "project" / "postgres")
    assert ask(server, "SELECT 1") == 1
    assert closed.stat().st_mode & 0o777 == 0o700


@needs_root
def test_a_folder_that_the_server_cannot_pass_is_named_and_left_closed(
    server_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts, "_CAPABILITIES", ())
    closed = server_folder / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(PreconditionFailed, match=f"cannot pass through `{closed}`: have mode 700"):
        embedded.start(closed / "project" / "postgres")
    assert closed.stat().st_mode & 0o777 == 0o700


@needs_root
def test_the_server_of_root_has_nothing_of_roots_rights(data_dir: Path) -> None:
    process = postmaster(embedded.start(data_dir).data_dir)
    assert 0 not in process.uids()
    assert 0 not in process.gids()


def test_the_folder_of_another_user_is_refused(
    server_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data_dir = server_folder / "postgres"
    data_dir.mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: data_dir.stat().st_uid + 1)
    with pytest.raises(PreconditionFailed, match="belongs to another user"):
        embedded.start(data_dir)


def test_sigint_at_the_terminal_does_not_reach_the_server(data_dir: Path) -> None:
    with another_process(data_dir) as owner:
        assert owner.stdout is not None
        owner.stdout.readline()
        process = postmaster(data_dir)
        assert os.getpgid(process.pid) != os.getpgid(owner.pid)
        owner.send_signal(signal.SIGINT)
        owner.wait()
    assert process.is_running()
